"""What the portal does with jobs: put them into the queue, show them to those who may see them, cancel
them.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, true, tuple_
from sqlalchemy.orm import Session

from webapp.audit.services import record
from webapp.auth.models import User
from webapp.cursors import read_cursor, write_cursor
from webapp.db import db, utcnow, writing
from webapp.jobs.by_hand import masked
from webapp.jobs.effects import end
from webapp.jobs.events import NewEvent, append, state_event, wake_workers
from webapp.jobs.models import KINDS, Job, JobEvent
from webapp.problems import Problem
from webapp.projects.models import Membership, Project

MAX_PAGE = 100


def enqueue(
    session: Session,
    *,
    kind: str,
    project_name: str,
    user: User | None,
    request: dict[str, Any],
    application_name: str | None = None,
) -> Job:
    """Add a job to the queue within the caller's transaction, which also writes the desired state; do not
    commit.

    `kind` is one of models.KINDS; `request` is the playbook's request file, {"project": …} or
    {"application": …}; `user` is None when the portal itself asks.
    """
    if kind not in KINDS:
        raise ValueError(f"'{kind}' is not a kind of job")
    if set(request) != {kind.split(".")[0]}:
        raise ValueError(
            f"the request of a {kind} job has the one key '{kind.split('.')[0]}', not {sorted(request)}"
        )
    # First the project's row, so that the job is never older than its project (see _visible_to).
    session.flush()
    project = session.scalar(select(Project).where(Project.name == project_name))
    job = Job(
        id=uuid.uuid4().hex,
        kind=kind,
        project_name=project_name,
        application_name=application_name,
        user_id=user.id if user else None,
        user_name=user.name if user else "portal",
        owner_name=project.owner.name if project else None,
        request=request,
        by_hand=masked(kind, request),
        state="queued",
        message="",
        cancel_requested=False,
        created_at=utcnow(),
        attempt=0,
        last_event=0,
    )
    session.add(job)
    session.flush()
    append(session, job, [state_event("queued", "Waiting for a worker")])
    wake_workers(session)
    return job


def get_job(user: User, job_id: str) -> Job:
    """Return the job. Raises Problem `job-not-found` when there is none, or none that the user may see."""
    job = db.session.scalar(select(Job).where(Job.id == job_id, _visible_to(user)))
    if job is None:
        raise Problem("job-not-found", f"There is no job '{job_id[:64]}' that you may see.")
    return job


@dataclass(frozen=True)
class JobPage:
    """Some jobs, newest first; `next_cursor` leads to the ones before them, None at the end."""

    jobs: list[Job]
    next_cursor: str | None


def list_jobs(
    user: User,
    *,
    project_name: str | None = None,
    application_name: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    user_name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> JobPage:
    """Return the user's view of the jobs, newest first, at most `limit` (up to 100) after `cursor`.

    `since` and `until` bound the moment at which a job was asked for; `until` itself is not part of it.
    Raises Problem `bad-request` for a cursor that no earlier page gave.
    """
    limit = max(1, min(limit, MAX_PAGE))
    query = select(Job).where(_visible_to(user)).order_by(Job.created_at.desc(), Job.id.desc())
    for column, value in (
        (Job.project_name, project_name),
        (Job.application_name, application_name),
        (Job.state, state),
        (Job.kind, kind),
        (Job.user_name, user_name),
    ):
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(Job.created_at >= since)
    if until is not None:
        query = query.where(Job.created_at < until)
    if cursor is not None:
        query = query.where(tuple_(Job.created_at, Job.id) < tuple_(*read_cursor(cursor)))
    jobs = list(db.session.scalars(query.limit(limit + 1)))
    more = len(jobs) > limit
    jobs = jobs[:limit]
    return JobPage(jobs, write_cursor(jobs[-1].created_at, jobs[-1].id) if more else None)


def events_after(session: Session, job_id: str, number: int = 0, limit: int = 1000) -> list[JobEvent]:
    """Return the job's events with numbers above `number`, in order."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.number > number)
    return list(session.scalars(query.order_by(JobEvent.number).limit(limit)))


def may_cancel(user: User, job: Job) -> bool:
    """Whether the user may cancel the job: its own, as an owner or developer of its project, or as an
    administrator.
    """
    if user.is_admin or job.user_id == user.id:
        return True
    return bool(db.session.scalar(select(_in_project(user, ("owner", "developer"), job.project_name))))


def cancel(user: User, job_id: str) -> Job:
    """End a waiting job at once; ask the worker to end a running one. Commits. Doing it twice changes
    nothing.

    Raises Problem `job-not-found`, `role-too-low`, or `state-conflict` when the job has ended.
    """
    if not may_cancel(user, get_job(user, job_id)):
        raise Problem("role-too-low", "Only owners and developers of the project may cancel its jobs.")
    user_id, user_name = user.id, user.name
    with writing() as session:
        job = session.scalars(
            select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
        ).one()
        if job.ended:
            raise Problem("state-conflict", f"The job has ended already: it {_past(job.state)}.")
        if not job.cancel_requested:
            record(
                session,
                session.get_one(User, user_id),
                "job.cancel",
                project=job.project_name,
                object_name=job.application_name or "",
                job_id=job.id,
            )
        if job.state == "queued":
            end(session, job, "cancelled", f"Cancelled by {user_name} before it started")
        elif not job.cancel_requested:
            job.cancel_requested = True
            append(session, job, [NewEvent("log", f"{user_name} asked to cancel this job")])
            wake_workers(session)
    return job


def _past(state: str) -> str:
    return "was cancelled" if state == "cancelled" else state


def _in_project(user: User, roles: tuple[str, ...], project_name: Any) -> ColumnElement[bool]:
    member = exists().where(
        Membership.project_id == Project.id, Membership.user_id == user.id, Membership.role.in_(roles)
    )
    return exists().where(Project.name == project_name, or_(Project.owner_id == user.id, member))


def _visible_to(user: User) -> ColumnElement[bool]:
    """Jobs of one's own and of one's projects, and those of the projects that one owned till they were
    deleted; never those of an earlier project that had the same name.
    """
    if user.is_admin:
        return true()
    member = exists().where(Membership.project_id == Project.id, Membership.user_id == user.id)
    of_project = (Project.name == Job.project_name) & (Project.created_at <= Job.created_at)
    return or_(
        Job.user_id == user.id,
        exists().where(of_project, or_(Project.owner_id == user.id, member)),
        (Job.owner_name == user.name) & ~exists().where(of_project),
    )
