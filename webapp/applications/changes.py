"""How each change of an application is stored: desired state, revision, job and audit entry, all or none."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.applications import checks, queries, revisions
from webapp.applications.checks import Desired
from webapp.applications.models import Application
from webapp.audit.services import record
from webapp.auth.models import User
from webapp.catalog.schemas import CatalogSpec
from webapp.db import db, utcnow, writing
from webapp.etags import Versions
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue
from webapp.projects import services as projects
from webapp.projects.access import require_role


@dataclass(frozen=True)
class Change:
    """A change on its way into the database.

    `kind` is the job's, and the audit entry's action; `cause` in words goes with the revision ("changed").
    `make` turns the desired state into the new one; it is called twice, the second time with what the
    application is set to once nobody else can change it.
    """

    kind: str
    cause: str
    make: Callable[[Desired], Desired]


def store_new(
    user: User, project_name: str, name: str, make: Callable[[], Desired], cause: str = "created"
) -> tuple[Application, Job]:
    """Store a new application with what `make` returns, and the job that makes it.

    Raises Problem: project-not-found, role-too-low, state-conflict, name-taken, host-taken, quota-exceeded,
    quota-exceeds-nodes, cluster-unreachable, and what `make` raises; nothing is stored then.
    """
    project = projects.get_for(user, project_name)
    require_role(user, project, "developer")
    projects.refuse_unchangeable(project)
    if queries.find(db.session(), project, name) is not None:
        raise checks.name_taken(project_name, name)
    spec = make()
    seen = checks.look(project, spec)
    user_id = user.id
    try:
        with writing() as session:
            actor = session.get_one(User, user_id)
            project = projects.lock(session, actor, project_name, "developer")
            projects.refuse_unchangeable(project)
            checks.check_room(session, project, spec, None, seen)
            entry = spec.catalog if isinstance(spec, CatalogSpec) else None
            application = Application(
                project=project, name=spec.name, catalog_entry=entry, state="creating", version=1
            )
            session.add(application)
            job = _settle(session, actor, application, "application.create", cause, spec)
    except IntegrityError as error:
        raise checks.conflict(error, project_name, spec) from error
    return application, job


def store(
    user: User, project_name: str, name: str, change: Change, versions: Versions = None
) -> tuple[Application, Job]:
    """Store a change of an application and the job that applies it.

    Raises Problem as `store_new` does, with application-not-found instead of name-taken, and version-conflict
    when the application's version is none of `versions`; nothing is stored then.
    """
    application = queries.get_for(user, project_name, name)
    require_role(user, application.project, "developer")
    projects.refuse_unchangeable(application.project)
    checks.refuse_deleted(application)
    revisions.refuse_stale(application, versions)
    spec = change.make(queries.spec_of(application))
    seen = checks.look(application.project, spec)
    user_id = user.id
    try:
        with writing() as session:
            actor = session.get_one(User, user_id)
            application = _lock(session, actor, project_name, name)
            projects.refuse_unchangeable(application.project)
            revisions.refuse_stale(application, versions)
            # A change made meanwhile may have brought new values for the secrets that this one keeps.
            own = queries.spec_of(application)
            spec = change.make(own)
            checks.check_room(session, application.project, spec, own, seen)
            application.state = "updating"
            application.version += 1
            job = _settle(session, actor, application, change.kind, change.cause, spec)
    except IntegrityError as error:
        raise checks.conflict(error, project_name, spec) from error
    return application, job


def remove(user: User, project_name: str, name: str, versions: Versions = None) -> tuple[Application, Job]:
    """Mark the application as being deleted and store the job that deletes it.

    Raises Problem: project-not-found, application-not-found, role-too-low, version-conflict, or
    state-conflict while it is being deleted already.
    """
    require_role(user, queries.get_for(user, project_name, name).project, "developer")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        application = _lock(session, actor, project_name, name)
        revisions.refuse_stale(application, versions)
        application.state = "deleting"
        job = _enqueue(session, "application.delete", application, actor)
        record(
            session,
            actor,
            "application.delete",
            project=project_name,
            object_name=name,
            before=application.spec,
            job_id=job.id,
        )
    return application, job


def _settle(
    session: Session, actor: User, application: Application, kind: str, cause: str, spec: Desired
) -> Job:
    before = application.spec
    application.host = spec.host
    application.spec = spec.model_dump(mode="json")
    application.updated_at = utcnow()
    job = _enqueue(session, kind, application, actor)
    revisions.keep(session, application, cause, actor, job.id)
    record(
        session,
        actor,
        kind,
        project=application.project.name,
        object_name=application.name,
        before=before,
        after=application.spec,
        job_id=job.id,
    )
    return job


def _enqueue(session: Session, kind: str, application: Application, user: User) -> Job:
    return enqueue(
        session,
        kind=kind,
        project_name=application.project.name,
        application_name=application.name,
        user=user,
        request={"application": application.spec},
    )


def _lock(session: Session, user: User, project_name: str, name: str) -> Application:
    project = projects.lock(session, user, project_name, "developer")
    query = select(Application).where(Application.project_id == project.id, Application.name == name)
    query = query.with_for_update(of=Application).execution_options(populate_existing=True)
    application = session.scalar(query)
    if application is None:
        raise queries.no_such_application(project_name, name)
    checks.refuse_deleted(application)
    return application
