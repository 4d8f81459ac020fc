"""What can be read of applications, by the API and the pages alike."""

from dataclasses import dataclass
from typing import Any

from flask import current_app
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import cluster
from webapp.applications.models import Application
from webapp.applications.schemas import ApplicationSettings, ApplicationSpec
from webapp.auth.models import User
from webapp.catalog.schemas import CatalogSpec
from webapp.cluster.state import Workload
from webapp.config import Config
from webapp.db import db
from webapp.problems import Problem, invalid
from webapp.projects import services as projects
from webapp.projects.models import Project

MAX_PAGE = 100
# What belongs to an application beside its settings.
NOT_SETTINGS = frozenset({"project", "name", "restartedAt"})


@dataclass(frozen=True)
class ApplicationPage:
    """Some applications in order of their names; `next_cursor` leads to those after them, None at the end."""

    applications: list[Application]
    next_cursor: str | None


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
    application = find(db.session(), project, name)
    if application is None:
        raise no_such_application(project_name, name)
    return application


def find(session: Session, project: Project, name: str) -> Application | None:
    """Return the project's application of this name, or None."""
    query = select(Application).where(Application.project_id == project.id, Application.name == name)
    return session.scalar(query)


def no_such_application(project: str, name: str) -> Problem:
    """Return the problem for an application that does not exist."""
    return Problem("application-not-found", f"Project '{project}' has no application '{name[:64]}'.")


def spec_of(application: Application) -> ApplicationSpec | CatalogSpec:
    """Return the application's desired state as a model, with its secrets."""
    return parse(application.spec)


def parse(spec: dict[str, Any]) -> ApplicationSpec | CatalogSpec:
    """Return a stored desired state as a model; what was stored before a setting existed gets its default."""
    return CatalogSpec.model_validate(spec) if "catalog" in spec else ApplicationSpec.model_validate(spec)


def refuse_catalog(application: Application) -> None:
    """Raise Problem state-conflict for settings of an image when the application comes from the catalog."""
    if application.catalog_entry is not None:
        raise from_catalog(application.name)


def from_catalog(name: str) -> Problem:
    """Return the problem for settings of an image that an application from the catalog cannot take."""
    return Problem(
        "state-conflict", f"Application '{name}' comes from the catalog; change its values instead."
    )


def without_secrets(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a desired state as members may see it: secrets by name only, a certificate without its key."""
    shown = dict(spec)
    shown["secrets"] = [{"name": secret["name"]} for secret in spec.get("secrets") or []]
    if spec.get("tls"):
        shown["tls"] = {**spec["tls"], "key": None}
    return shown


def shown_spec(application: Application) -> dict[str, Any]:
    """Return the application's desired state as members may see it."""
    return without_secrets(application.spec)


def shown_settings(application: Application) -> dict[str, Any]:
    """Return the stored settings in the shape of a change: a secret without its value keeps it."""
    return settings_of(shown_spec(application))


def settings_of(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what of a desired state are settings."""
    return {key: value for key, value in spec.items() if key not in NOT_SETTINGS}


def settings_with(application: Application, changes: dict[str, Any]) -> ApplicationSettings:
    """Return the application's settings with some replaced; `changes` has the names of the API (camelCase).

    Secrets come without their values: a change keeps those. Raises Problem validation-failed when the whole
    is not valid, and state-conflict for an application from the catalog.
    """
    refuse_catalog(application)
    return validated({**shown_settings(application), **changes})


def validated(settings: dict[str, Any]) -> ApplicationSettings:
    """Return settings in the API's shape as a model. Raises Problem validation-failed."""
    try:
        return ApplicationSettings.model_validate(settings)
    except ValidationError as error:
        raise invalid(error) from error


def url_of(application: Application) -> str:
    """Return the address at which the application answers; empty for one from the catalog."""
    if application.catalog_entry is not None:
        return ""
    config: Config = current_app.config["CROFT"]
    host = application.host or config.application_host(application.project.name, application.name)
    return config.application_url(host, tls=bool(application.spec.get("tls")))


def live(project: Project) -> dict[str, Workload]:
    """Return what really runs in the project, by the application's name. Raises ClusterUnreachable."""
    return cluster.reader().workloads(project.name)


def status_words(application: Application, workload: Workload | None) -> str:
    """Say how the application is, in words: "2 of 3 pods ready: web-5c… waits for image …"."""
    if workload is None:
        return {
            "creating": "not in the cluster yet",
            "deleting": "nothing of it runs any more",
        }.get(application.state, "not in the cluster; its last job tells why")
    if application.spec.get("stopped") and workload.desired == 0:
        return (
            f"stopping: {len(workload.pods)} still end"
            if workload.pods
            else "stopped: start it to run it again"
        )
    return workload.words
