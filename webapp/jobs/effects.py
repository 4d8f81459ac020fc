"""What the end of a job does to the project or application that it was about."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.applications.models import Application
from webapp.db import utcnow
from webapp.jobs.events import append, state_event, wake_workers
from webapp.jobs.models import END_STATES, Job
from webapp.projects.models import Project


def end(session: Session, job: Job, state: str, message: str, result: dict | None = None) -> None:
    """Put `job` (its row locked by this transaction) into an end state, with all that follows from it.

    Writes the last event, forgets the request (it may hold secret values) and settles the project's or
    application's state. The caller commits.
    """
    if state not in END_STATES:
        raise ValueError(f"'{state}' is not an end state")
    job.state = state
    job.message = message
    job.result = result
    job.request = None
    job.worker = None
    job.heartbeat_at = None
    job.finished_at = utcnow()
    append(session, job, [state_event(state, message)])
    session.flush()
    _settle(session, job)
    wake_workers(session)


def _settle(session: Session, job: Job) -> None:
    project = session.scalar(
        select(Project).where(Project.name == job.project_name).with_for_update(of=Project)
    )
    if project is None:
        return
    succeeded = job.state == "succeeded"
    subject, verb = job.kind.split(".")
    if subject == "project":
        if verb == "delete" and succeeded:
            # By query: the database takes memberships and applications along (ON DELETE CASCADE).
            session.execute(delete(Project).where(Project.id == project.id))
            _cancel_waiting(session, job.project_name)
        elif not _more_to_come(session, job):
            project.state = "ready" if succeeded else "blocked" if verb == "delete" else "failed"
        return
    application = session.scalar(
        select(Application)
        .where(Application.project_id == project.id, Application.name == job.application_name)
        .with_for_update(of=Application)
    )
    if application is None:
        return
    if verb == "delete" and succeeded:
        session.execute(delete(Application).where(Application.id == application.id))
    elif not _more_to_come(session, job):
        application.state = "ready" if succeeded else "failed"


def _more_to_come(session: Session, job: Job) -> bool:
    """Whether a later job shows its own state ("updating", "deleting") there already."""
    same_application = (
        Job.application_name.is_(None)
        if job.application_name is None
        else Job.application_name == job.application_name
    )
    query = select(Job.id).where(
        Job.project_name == job.project_name,
        same_application,
        Job.state.in_(("queued", "running")),
        Job.id != job.id,
    )
    return session.scalar(query.limit(1)) is not None


def _cancel_waiting(session: Session, project_name: str) -> None:
    query = select(Job).where(Job.project_name == project_name, Job.state == "queued").with_for_update()
    for job in session.scalars(query).all():
        end(session, job, "cancelled", f"Project '{project_name}' was deleted before this job started.")
