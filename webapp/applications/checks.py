"""What must hold before a change of an application is stored."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import cluster
from webapp.applications import certificates, limits
from webapp.applications.hosts import check_host_free, host_taken
from webapp.applications.models import Application
from webapp.applications.queries import from_catalog, spec_of
from webapp.applications.schemas import ApplicationSettings, ApplicationSpec, Tls
from webapp.catalog.schemas import CatalogSpec
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import QuotaUse, Workload
from webapp.config import Config
from webapp.problems import FieldError, Problem
from webapp.projects import services as projects
from webapp.projects.models import Project
from webapp.quantities import parse_quantity

Desired: TypeAlias = ApplicationSpec | CatalogSpec


def complete(
    project: str, name: str, settings: ApplicationSettings, stored: Desired | None = None
) -> ApplicationSpec:
    """Return the whole desired state; what was sent without its secret value keeps the one in `stored`.

    Raises Problem validation-failed: a secret without any value, a volume that would shrink, a certificate
    that does not do. Raises state-conflict for an application from the catalog.
    """
    if isinstance(stored, CatalogSpec):
        raise from_catalog(name)
    errors: list[FieldError] = []
    values = {key: getattr(settings, key) for key in ApplicationSettings.model_fields}
    values["secrets"] = _secrets(settings, stored, errors)
    _check_volume(settings, stored, errors)
    if settings.tls is not None:
        values["tls"] = _tls(project, name, settings, settings.tls, stored, errors)
    if errors:
        raise Problem("validation-failed", " ".join(error.message for error in errors[:5]), errors=errors)
    return ApplicationSpec.model_validate(
        {**values, "project": project, "name": name, "restarted_at": stored.restarted_at if stored else None}
    )


def _secrets(
    settings: ApplicationSettings, stored: ApplicationSpec | None, errors: list[FieldError]
) -> list[dict[str, str | None]]:
    kept = {secret.name: secret.value for secret in stored.secrets} if stored else {}
    secrets = []
    for index, secret in enumerate(settings.secrets):
        value = secret.value if secret.value is not None else kept.get(secret.name)
        if value is None:
            sentence = f"The secret '{secret.name}' has no value yet; give it one."
            errors.append(FieldError(f"secrets.{index}.value", sentence))
        secrets.append({"name": secret.name, "value": value})
    return secrets


def _check_volume(
    settings: ApplicationSettings, stored: ApplicationSpec | None, errors: list[FieldError]
) -> None:
    if not (settings.volume and stored and stored.volume):
        return
    if parse_quantity(settings.volume.size) < parse_quantity(stored.volume.size):
        sentence = f"The volume has {stored.volume.size}; it can grow, but not become smaller."
        errors.append(FieldError("volume.size", sentence))


def _tls(
    project: str,
    name: str,
    settings: ApplicationSettings,
    tls: Tls,
    stored: ApplicationSpec | None,
    errors: list[FieldError],
) -> Tls:
    config: Config = current_app.config["CROFT"]
    if tls.issuer:
        if not config.cert_issuer:
            sentence = "This platform gets no certificates by itself; give one of your own, with its key."
            errors.append(FieldError("tls.issuer", sentence))
        return tls
    kept = stored.tls.key if stored and stored.tls else None
    tls = tls.model_copy(update={"key": tls.key or kept})
    host = settings.host or config.application_host(project, name)
    errors.extend(certificates.check(tls.certificate or "", tls.key or "", host))
    return tls


@dataclass(frozen=True)
class Seen:
    """What the cluster said just before a change is stored."""

    quota: QuotaUse
    workloads: dict[str, Workload]


def look(project: Project, spec: Desired) -> Seen:
    """Return how full the project is, once the cluster has nothing against the host name and the pods' size.

    Raises Problem: host-taken, validation-failed, quota-exceeds-nodes, state-conflict, cluster-unreachable.
    """
    reader = cluster.reader()
    config: Config = current_app.config["CROFT"]
    try:
        if isinstance(spec, ApplicationSpec):
            check_host_free(spec.host, project.name, spec.name, config, reader)
            limits.check_pod_fits(spec, reader.nodes())
        quota = reader.quota(project.name) or _quota_to_come(
            project, reader.namespace(project.name) is not None
        )
        return Seen(quota, reader.workloads(project.name))
    except ClusterUnreachable as error:
        raise cluster.unreachable(error) from error


def check_room(session: Session, project: Project, spec: Desired, own: Desired | None, seen: Seen) -> None:
    """Raise Problem quota-exceeded when the project has no room for `spec`, which takes the place of `own`.

    Call it with the project's row locked: what was promised to other applications a moment ago counts too.
    """
    mine = limits.used_by(seen.workloads.get(spec.name))
    if own is not None and spec.name in seen.workloads:
        mine["storage"] = limits.asked_by(own)["storage"]
    query = select(Application).where(
        Application.project_id == project.id,
        Application.state.in_(("creating", "updating")),
        Application.name != spec.name,
    )
    promised = [
        limits.not_counted_yet(
            limits.asked_by(spec_of(other)),
            limits.used_by(seen.workloads.get(other.name)),
        )
        for other in session.scalars(query)
    ]
    limits.check_fits_quota(project.name, limits.asked_by(spec), mine, seen.quota, promised)


def _quota_to_come(project: Project, namespace_exists: bool) -> QuotaUse:
    if not namespace_exists and project.state not in ("creating", "updating"):
        raise Problem(
            "state-conflict",
            f"Project '{project.name}' has no namespace in the cluster; its jobs tell why.",
        )
    return limits.from_settings(projects.spec_of(project).quota)


def refuse_deleted(application: Application) -> None:
    """Raise Problem state-conflict when the application, or its project, is being deleted."""
    projects.refuse_deleted(application.project)
    if application.state == "deleting":
        raise Problem(
            "state-conflict", f"Application '{application.name}' is being deleted; wait until it is gone."
        )


def conflict(error: IntegrityError, project: str, spec: Desired) -> Problem:
    """Tell which of the two unique values another request took a moment ago."""
    # SQLite names the column (applications.host), PostgreSQL the constraint (uq_applications_host).
    if spec.host is not None and re.search(r"applications[._]host", str(error.orig)):
        return host_taken(spec.host)
    return name_taken(project, spec.name)


def name_taken(project: str, name: str) -> Problem:
    """Return the problem for the name of another application of the project."""
    detail = f"Project '{project}' has an application '{name}' already; choose another name."
    return Problem("name-taken", detail, field="name")
