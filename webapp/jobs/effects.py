"""What the end of a job does to the project or application that it was about."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from webapp.applications.models import Application
from webapp.db import utcnow
from webapp.jobs.events import append, state_event, wake_workers
from webapp.jobs.models import END_STATES, Job
from webapp.notifications import outbox
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
    outbox.job_ended(session, job)
    session.flush()
    _settle(session, job)
    wake_workers(session)


def _settle(session: Session, job: Job) -> None:
    subject, verb = job.kind.split(".")
    if verb == "plan":
        return  # It looked at things, and touched none.
    project = session.scalar(
        select(Project).where(Project.name == job.project_name).with_for_update(of=Project)
    )
    if project is None:
        return
    succeeded = job.state == "succeeded"
    if subject == "project":
        if verb == "delete" and succeeded:
            # By query: the database takes memberships and applications along (ON DELETE CASCADE).
            session.execute(delete(Project).where(Project.id == project.id))
            _cancel_waiting(session, job.project_name)
        elif not _more_to_come(session, job):
            project.state = _state_after(session, job, project.created_at)
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
        application.state = _state_after(session, job, application.created_at)


def _state_after(session: Session, job: Job, since: datetime) -> str:
    """Return the state that the job leaves its project or application (which exists `since` then) in."""
    if job.state == "succeeded":
        return "ready"
    # What was cancelled leaves things as they were: before it started anyway, and a change that is cut off
    # does not stop what runs. A creation or deletion that is cut off leaves something half done.
    half_done = job.state == "failed" or (job.started_at is not None and job.kind in _HALF_DONE)
    told = job if half_done else _last_to_tell(session, job, since)
    if told is None:
        return "failed" if job.kind.endswith(".create") else "ready"
    if told.state == "succeeded":
        return "ready"
    return "blocked" if told.kind == "project.delete" else "failed"


_HALF_DONE = ("project.create", "project.delete", "application.create", "application.delete")


def _last_to_tell(session: Session, job: Job, since: datetime) -> Job | None:
    """Return the job before this one that decided the state of the same project or application."""
    query = select(Job).where(
        *_about_the_same(job),
        Job.created_at >= since,
        Job.id != job.id,
        Job.finished_at.is_not(None),
        or_(
            Job.state.in_(("succeeded", "failed")),
            # A creation that was cancelled left nothing to go back to; a deletion that ran left a half.
            Job.kind.like("%.create"),
            Job.kind.like("%.delete") & Job.started_at.is_not(None),
        ),
    )
    return session.scalar(query.order_by(Job.finished_at.desc()).limit(1))


def _more_to_come(session: Session, job: Job) -> bool:
    """Whether a later job shows its own state ("updating", "deleting") there already."""
    query = select(Job.id).where(
        *_about_the_same(job), Job.state.in_(("queued", "running")), Job.id != job.id
    )
    return session.scalar(query.limit(1)) is not None


def _about_the_same(job: Job) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for jobs that may change the same project or application."""
    same_application = (
        Job.application_name.is_(None)
        if job.application_name is None
        else Job.application_name == job.application_name
    )
    return Job.project_name == job.project_name, same_application, Job.kind != "application.plan"


def _cancel_waiting(session: Session, project_name: str) -> None:
    query = select(Job).where(Job.project_name == project_name, Job.state == "queued").with_for_update()
    for job in session.scalars(query).all():
        end(session, job, "cancelled", f"Project '{project_name}' was deleted before this job started.")
