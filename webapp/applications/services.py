"""Changes of applications: the rules that the API and the pages share. Reading is in queries.py."""

from datetime import timedelta

from webapp.applications import changes, checks, queries, revisions
from webapp.applications.checks import Desired
from webapp.applications.models import Application
from webapp.applications.schemas import ApplicationSettings, NewApplication
from webapp.auth.models import User
from webapp.catalog import services as catalog
from webapp.catalog.schemas import CatalogSettings, CatalogSpec, NewCatalogApplication
from webapp.db import utcnow
from webapp.etags import Versions
from webapp.jobs.models import Job
from webapp.problems import Problem
from webapp.projects.access import ROLES, role_of

# A restart is told by its time, of which the pods know whole seconds.
_STEP = timedelta(seconds=1)


def create(
    user: User, project_name: str, new: NewApplication, *, cause: str = "created"
) -> tuple[Application, Job]:
    """Store a new application of the project and the job that makes it.

    Raises Problem: project-not-found, role-too-low, state-conflict (the project is being deleted),
    name-taken, host-taken, validation-failed (host, certificate, secrets without a value), quota-exceeded,
    quota-exceeds-nodes, cluster-unreachable; nothing is stored then.
    """
    return changes.store_new(
        user, project_name, new.name, lambda: checks.complete(project_name, new.name, new), cause
    )


def update(
    user: User,
    project_name: str,
    name: str,
    settings: ApplicationSettings,
    *,
    versions: Versions = None,
    cause: str = "changed",
) -> tuple[Application, Job]:
    """Store an application's new settings and the job that applies them.

    A secret without a value keeps the one it has. `versions`: those that the change may be based on.

    Raises Problem as `create` does, with application-not-found instead of name-taken, and version-conflict;
    nothing is stored then.
    """
    change = changes.Change(
        "application.update", cause, lambda stored: checks.complete(project_name, name, settings, stored)
    )
    return changes.store(user, project_name, name, change, versions)


def delete(user: User, project_name: str, name: str, *, versions: Versions = None) -> tuple[Application, Job]:
    """Mark the application as being deleted and store the job that deletes it.

    Raises Problem: project-not-found, application-not-found, role-too-low, version-conflict, or
    state-conflict while it is being deleted already.
    """
    return changes.remove(user, project_name, name, versions)


def restart(
    user: User, project_name: str, name: str, *, versions: Versions = None
) -> tuple[Application, Job]:
    """Store the wish that all pods start anew, and its job. Raises Problem as `update` does."""

    def make(stored: Desired) -> Desired:
        if stored.stopped:
            raise Problem("state-conflict", f"Application '{name}' is stopped; start it instead.")
        now = utcnow().replace(microsecond=0)
        if stored.restarted_at is not None:
            now = max(now, stored.restarted_at + _STEP)
        return stored.model_copy(update={"restarted_at": now})

    return changes.store(
        user, project_name, name, changes.Change("application.restart", "restarted", make), versions
    )


def stop(user: User, project_name: str, name: str, *, versions: Versions = None) -> tuple[Application, Job]:
    """Store the wish that no pod runs, and its job. Raises Problem as `update` does."""
    return _set_stopped(user, project_name, name, True, versions)


def start(user: User, project_name: str, name: str, *, versions: Versions = None) -> tuple[Application, Job]:
    """Store the wish that a stopped application runs again, and its job. Raises Problem as `update` does."""
    return _set_stopped(user, project_name, name, False, versions)


def _set_stopped(
    user: User, project_name: str, name: str, stopped: bool, versions: Versions
) -> tuple[Application, Job]:
    def make(stored: Desired) -> Desired:
        if stored.stopped == stopped:
            words = "is stopped already" if stopped else "is not stopped"
            raise Problem("state-conflict", f"Application '{name}' {words}.")
        return stored.model_copy(update={"stopped": stopped})

    verb, cause = ("stop", "stopped") if stopped else ("start", "started")
    return changes.store(
        user, project_name, name, changes.Change(f"application.{verb}", cause, make), versions
    )


def roll_back(
    user: User, project_name: str, name: str, number: int, *, versions: Versions = None
) -> tuple[Application, Job]:
    """Set the application to all that it was set to by revision `number`, secrets included; store the job.

    Raises Problem as `update` does, and revision-not-found.
    """

    def make(stored: Desired) -> Desired:
        application = queries.get_for(user, project_name, name)
        kept = queries.settings_of(revisions.get(application, number).revision.spec)
        if isinstance(stored, CatalogSpec):
            return catalog.with_settings(
                stored,
                CatalogSettings.model_validate({key: kept[key] for key in ("values", "secrets", "stopped")}),
            )
        # What may have become wrong since then is told: a volume that has grown, a certificate that expired.
        return checks.complete(project_name, name, queries.validated(kept), stored)

    cause = f"rolled back to {number}"
    return changes.store(
        user, project_name, name, changes.Change("application.rollback", cause, make), versions
    )


def clone(
    user: User, project_name: str, name: str, target_project: str, target_name: str
) -> tuple[Application, Job]:
    """Store a new application with the settings of this one, and its job.

    Secrets come along when the user is a developer of both projects, else they are left out. The host name
    and its certificate stay with the first application. Raises Problem as `create` does, and
    application-not-found.
    """
    source = queries.get_for(user, project_name, name)
    developer = ROLES.index(role_of(user, source.project) or "viewer") >= ROLES.index("developer")
    cause = f"cloned from {project_name}/{name}"[:64]
    if source.catalog_entry is not None:
        copied = {**queries.settings_of(source.spec), "name": target_name, "stopped": False}
        if not developer:
            copied["secrets"] = []
        return catalog.create(user, target_project, NewCatalogApplication.model_validate(copied), cause=cause)
    taken = {**queries.settings_of(source.spec), "host": None, "tls": None, "stopped": False}
    if not developer:
        taken["secrets"] = []
    new = NewApplication(name=target_name, **dict(queries.validated(taken)))
    return create(user, target_project, new, cause=cause)
