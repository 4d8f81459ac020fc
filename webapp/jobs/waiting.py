"""Why a job waits, and how many are served before it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from webapp.db import utcnow
from webapp.jobs.kinds import title_of
from webapp.jobs.models import Job
from webapp.jobs.queue import STALE_AFTER
from webapp.worker.models import WorkerSign


@dataclass(frozen=True)
class Waiting:
    """`position`: 1 is next in its line; `reason`: in words; `job_id`: the job that has to end first, if it
    is one.
    """

    position: int
    reason: str
    job_id: str | None = None


def look(session: Session, job: Job) -> Waiting | None:
    """Return why the job waits; None when it does not.

    A project's jobs run one after another, so the first line is the project's own; the first of each project
    stands in the line for a free slot of a worker.
    """
    if job.state != "queued":
        return None
    slots, workers = session.execute(
        select(func.coalesce(func.sum(WorkerSign.slots), 0), func.count()).where(
            WorkerSign.heartbeat_at >= utcnow() - timedelta(seconds=STALE_AFTER)
        )
    ).one()
    before = list(session.scalars(_before_in_project(job)))
    position = sum(other.state == "queued" for other in before) + 1
    if not workers:
        sentence = "no worker is alive, so nothing starts until the operator starts one"
        return Waiting(position, f"{_place(position)}: {sentence}")
    if before:
        other = before[-1]
        how = "which runs" if other.state == "running" else "which waits too"
        sentence = f"waits for the job '{title_of(other)}' of the same project, {how}"
        return Waiting(position, f"{_place(position)}: {sentence}", other.id)
    running = session.scalar(select(func.count()).where(Job.state == "running")) or 0
    older = Job.created_at < job.created_at
    projects = select(func.count(Job.project_name.distinct())).where(Job.state == "queued", older)
    position = (session.scalar(projects) or 0) + 1
    if running >= slots:
        sentence = f"waits for a free worker slot ({running} of {slots} in use)"
    else:
        sentence = "a worker takes it in a moment"
    return Waiting(position, f"{_place(position)}: {sentence}")


def _before_in_project(job: Job) -> Select[Job]:
    older = tuple_(Job.created_at, Job.id) < tuple_(job.created_at, job.id)
    return (
        select(Job)
        .where(
            Job.project_name == job.project_name,
            Job.id != job.id,
            or_(Job.state == "running", (Job.state == "queued") & older),
        )
        .order_by((Job.state == "queued"), Job.created_at, Job.id)
    )


def _place(position: int) -> str:
    if position == 1:
        return "Next in line"
    ending = "th" if position % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending} in line"
