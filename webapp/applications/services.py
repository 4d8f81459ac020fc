"""Applications: the rules that the API and the pages share. Every change is desired state plus a job."""

import re
from dataclasses import dataclass
from typing import Any

from flask import current_app
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import cluster
from webapp.applications import limits
from webapp.applications.hosts import check_host_free, host_taken
from webapp.applications.models import Application
from webapp.applications.schemas import ApplicationSettings, ApplicationSpec, NewApplication
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import QuotaUse, Workload
from webapp.config import Config
from webapp.db import db, utcnow, writing
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue
from webapp.problems import FieldError, Problem, invalid
from webapp.projects import services as projects
from webapp.projects.access import require_role
from webapp.projects.models import Project

MAX_PAGE = 100


@dataclass(frozen=True)
class ApplicationPage:
    """Some applications in order of their names; `next_cursor` leads to those after them, None at the end."""

    applications: list[Application]
    next_cursor: str | None


def create(user: User, project_name: str, new: NewApplication) -> tuple[Application, Job]:
    """Store a new application of the project and the job that makes it.

    Raises Problem: project-not-found, role-too-low, state-conflict (the project is being deleted),
    name-taken, host-taken, validation-failed (host, secrets without a value), quota-exceeded,
    quota-exceeds-nodes, cluster-unreachable; nothing is stored then.
    """
    project = projects.get_for(user, project_name)
    require_role(user, project, "developer")
    projects.refuse_deleted(project)
    if _find(db.session(), project, new.name) is not None:
        raise _name_taken(project_name, new.name)
    spec = _complete(project_name, new.name, new, stored={})
    _check_cluster(project, spec, None)
    user_id = user.id
    try:
        with writing() as session:
            actor = session.get_one(User, user_id)
            project = projects.lock(session, actor, project_name, "developer")
            projects.refuse_deleted(project)
            application = Application(project=project, name=spec.name, state="creating")
            _settle(application, spec)
            session.add(application)
            job = _enqueue(session, "application.create", application, actor)
    except IntegrityError as error:
        raise _conflict(error, project_name, spec) from error
    return application, job


def list_for(user: User, project_name: str, *, limit: int = 50, cursor: str | None = None) -> ApplicationPage:
    """Return the project's applications, at most `limit` (up to 100) after `cursor`.

    Raises Problem project-not-found.
    """
    project = projects.get_for(user, project_name)
    limit = max(1, min(limit, MAX_PAGE))
    query = select(Application).where(Application.project_id == project.id).order_by(Application.name)
    if cursor is not None:
        query = query.where(Application.name > cursor)
    found = list(db.session.scalars(query.limit(limit + 1)))
    page = found[:limit]
    return ApplicationPage(page, page[-1].name if len(found) > limit else None)


def get_for(user: User, project_name: str, name: str) -> Application:
    """Return the application. Raises Problem project-not-found or application-not-found."""
    project = projects.get_for(user, project_name)
    application = _find(db.session(), project, name)
    if application is None:
        raise _no_such_application(project_name, name)
    return application


def update(
    user: User, project_name: str, name: str, settings: ApplicationSettings
) -> tuple[Application, Job]:
    """Store an application's new settings and the job that applies them.

    A secret without a value keeps the one it has.

    Raises Problem as `create` does, with application-not-found instead of name-taken; nothing is stored then.
    """
    application = get_for(user, project_name, name)
    require_role(user, application.project, "developer")
    _refuse_deleted(application)
    spec = _complete(project_name, name, settings, stored=_secrets(application))
    _check_cluster(application.project, spec, application)
    user_id = user.id
    try:
        with writing() as session:
            actor = session.get_one(User, user_id)
            application = _lock(session, actor, project_name, name)
            _refuse_deleted(application)
            # A change made meanwhile may have brought new values for the secrets that this one keeps.
            spec = _complete(project_name, name, settings, stored=_secrets(application))
            _settle(application, spec)
            application.state = "updating"
            application.version += 1
            job = _enqueue(session, "application.update", application, actor)
    except IntegrityError as error:
        raise _conflict(error, project_name, spec) from error
    return application, job


def delete(user: User, project_name: str, name: str) -> tuple[Application, Job]:
    """Mark the application as being deleted and store the job that deletes it.

    Raises Problem: project-not-found, application-not-found, role-too-low, or state-conflict while it is
    being deleted already.
    """
    require_role(user, get_for(user, project_name, name).project, "developer")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        application = _lock(session, actor, project_name, name)
        _refuse_deleted(application)
        application.state = "deleting"
        job = _enqueue(session, "application.delete", application, actor)
    return application, job


def shown_spec(application: Application) -> dict[str, Any]:
    """Return the desired state as members may see it: secrets by name only."""
    spec = dict(application.spec)
    spec["secrets"] = [{"name": secret["name"]} for secret in spec.get("secrets", [])]
    return spec


def settings_with(application: Application, changes: dict[str, Any]) -> ApplicationSettings:
    """Return the application's settings with some replaced; `changes` has the names of the API (camelCase).

    Secrets come without their values: `update` keeps those. Raises Problem validation-failed when the whole
    is not valid.
    """
    stored = {key: value for key, value in shown_spec(application).items() if key not in ("project", "name")}
    try:
        return ApplicationSettings.model_validate({**stored, **changes})
    except ValidationError as error:
        raise invalid(error) from error


def url_of(application: Application) -> str:
    """Return the address at which the application answers."""
    config: Config = current_app.config["CROFT"]
    host = application.host or config.application_host(application.project.name, application.name)
    return config.application_url(host)


def live(project: Project) -> dict[str, Workload]:
    """Return what really runs in the project, by the application's name. Raises ClusterUnreachable."""
    return cluster.reader().workloads(project.name)


def status_words(application: Application, workload: Workload | None) -> str:
    """Say how the application is, in words: "2 of 3 pods ready: web-5c… waits for image …"."""
    if workload is not None:
        return workload.words
    return {
        "creating": "not in the cluster yet",
        "deleting": "nothing of it runs any more",
    }.get(application.state, "not in the cluster; its last job tells why")


def _complete(
    project: str, name: str, settings: ApplicationSettings, stored: dict[str, str]
) -> ApplicationSpec:
    """Return the whole desired state, with `stored` values for secrets that were sent without one."""
    errors = []
    secrets = []
    for index, secret in enumerate(settings.secrets):
        value = secret.value if secret.value is not None else stored.get(secret.name)
        if value is None:
            sentence = f"The secret '{secret.name}' has no value yet; give it one."
            errors.append(FieldError(f"secrets.{index}.value", sentence))
        secrets.append({"name": secret.name, "value": value})
    if errors:
        raise Problem("validation-failed", " ".join(error.message for error in errors[:5]), errors=errors)
    values = {key: getattr(settings, key) for key in ApplicationSettings.model_fields}
    return ApplicationSpec.model_validate({**values, "secrets": secrets, "project": project, "name": name})


def _check_cluster(project: Project, spec: ApplicationSpec, application: Application | None) -> None:
    reader = cluster.reader()
    config: Config = current_app.config["CROFT"]
    try:
        check_host_free(spec.host, project.name, spec.name, config, reader)
        limits.check_pod_fits(spec, reader.nodes())
        quota = reader.quota(project.name) or _quota_to_come(
            project, reader.namespace(project.name) is not None
        )
        workloads = reader.workloads(project.name)
    except ClusterUnreachable as error:
        raise cluster.unreachable(error) from error
    own = limits.used_by(workloads.get(spec.name))
    if application is not None and spec.name in workloads:
        own["storage"] = limits.asked_by(ApplicationSpec.model_validate(application.spec))["storage"]
    waiting = [
        limits.not_counted_yet(limits.asked_by(ApplicationSpec.model_validate(other.spec)), used)
        for other in _in_change(project)
        if other.name != spec.name
        for used in (limits.used_by(workloads.get(other.name)),)
    ]
    limits.check_fits_quota(project.name, limits.asked_by(spec), own, quota, waiting)


def _quota_to_come(project: Project, namespace_exists: bool) -> QuotaUse:
    if not namespace_exists and project.state not in ("creating", "updating"):
        raise Problem(
            "state-conflict",
            f"Project '{project.name}' has no namespace in the cluster; its jobs tell why.",
        )
    return limits.from_settings(projects.spec_of(project).quota)


def _in_change(project: Project) -> list[Application]:
    query = select(Application).where(
        Application.project_id == project.id, Application.state.in_(("creating", "updating"))
    )
    return list(db.session.scalars(query))


def _settle(application: Application, spec: ApplicationSpec) -> None:
    application.host = spec.host
    application.spec = spec.model_dump(mode="json")
    application.updated_at = utcnow()


def _enqueue(session: Session, kind: str, application: Application, user: User) -> Job:
    return enqueue(
        session,
        kind=kind,
        project_name=application.project.name,
        application_name=application.name,
        user=user,
        request={"application": application.spec},
    )


def _find(session: Session, project: Project, name: str) -> Application | None:
    query = select(Application).where(Application.project_id == project.id, Application.name == name)
    return session.scalar(query)


def _lock(session: Session, user: User, project_name: str, name: str) -> Application:
    project = projects.lock(session, user, project_name, "developer")
    projects.refuse_deleted(project)
    query = select(Application).where(Application.project_id == project.id, Application.name == name)
    query = query.with_for_update(of=Application).execution_options(populate_existing=True)
    application = session.scalar(query)
    if application is None:
        raise _no_such_application(project_name, name)
    return application


def _secrets(application: Application) -> dict[str, str]:
    return {secret["name"]: secret["value"] for secret in application.spec.get("secrets", [])}


def _refuse_deleted(application: Application) -> None:
    projects.refuse_deleted(application.project)
    if application.state == "deleting":
        raise Problem(
            "state-conflict", f"Application '{application.name}' is being deleted; wait until it is gone."
        )


def _conflict(error: IntegrityError, project: str, spec: ApplicationSpec) -> Problem:
    """Tell which of the two unique values another request took a moment ago."""
    # SQLite names the column (applications.host), PostgreSQL the constraint (uq_applications_host).
    if spec.host is not None and re.search(r"applications[._]host", str(error.orig)):
        return host_taken(spec.host)
    return _name_taken(project, spec.name)


def _name_taken(project: str, name: str) -> Problem:
    detail = f"Project '{project}' has an application '{name}' already; choose another name."
    return Problem("name-taken", detail, field="name")


def _no_such_application(project: str, name: str) -> Problem:
    return Problem("application-not-found", f"Project '{project}' has no application '{name[:64]}'.")
