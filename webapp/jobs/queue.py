"""The worker's side of the job table: claim, report, keep alive, end, recover. What writes, commits.

Only the worker that holds a job may write to it: each write names the worker, so that a job which another
worker has taken over (because this one seemed dead) cannot be changed by the first one any more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from webapp.db import utcnow, writing
from webapp.jobs.effects import end
from webapp.jobs.events import NewEvent, append, rows, state_event, wake_workers
from webapp.jobs.models import Job, JobEvent
from webapp.worker.models import WorkerSign

MAX_ATTEMPTS = 2
# A worker that has not been heard of for so long (seconds) is dead, and its jobs are taken over.
STALE_AFTER = 30.0


@dataclass(frozen=True)
class ClaimedJob:
    """What a worker needs to know of the job that it has claimed."""

    id: str
    kind: str
    project_name: str
    application_name: str | None
    user_name: str
    attempt: int
    request: dict[str, Any]
    # Seconds since it was asked for.
    waited: float = 0.0


def claim(worker: str) -> ClaimedJob | None:
    """Take the oldest waiting job whose project has no running and no older waiting one; None for none."""
    other = aliased(Job)
    blocked = exists().where(
        other.project_name == Job.project_name,
        or_(
            other.state == "running",
            (other.state == "queued") & (tuple_(other.created_at, other.id) < tuple_(Job.created_at, Job.id)),
        ),
    )
    query = (
        select(Job)
        .where(Job.state == "queued", ~blocked)
        .order_by(Job.created_at, Job.id)
        .limit(1)
        .with_for_update(of=Job, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    try:
        with writing() as session:
            job = session.scalar(query)
            if job is None:
                return None
            now = utcnow()
            job.state = "running"
            job.worker = worker
            job.heartbeat_at = now
            job.started_at = now
            job.attempt += 1
            append(session, job, [state_event("running", "Started" if job.attempt == 1 else "Started again")])
            session.flush()
            claimed = ClaimedJob(
                job.id,
                job.kind,
                job.project_name,
                job.application_name,
                job.user_name,
                job.attempt,
                job.request or {},
                (now - job.created_at).total_seconds(),
            )
    except IntegrityError:
        # Another worker has started a job of the same project in this very moment; the index refused ours.
        return None
    return claimed


def add_events(worker: str, job_id: str, events: Sequence[NewEvent]) -> bool:
    """Append events to a running job. False, and nothing written, when it is not this worker's any more."""
    with writing() as session:
        last = session.scalar(
            update(Job)
            .where(Job.id == job_id, Job.worker == worker, Job.state == "running")
            .values(last_event=Job.last_event + len(events))
            .returning(Job.last_event)
            .execution_options(synchronize_session=False)
        )
        if last is None:
            return False
        values = [
            {
                "job_id": row.job_id,
                "number": row.number,
                "kind": row.kind,
                "text": row.text,
                "data": row.data,
                "created_at": row.created_at,
            }
            for row in rows(job_id, last - len(events) + 1, events)
        ]
        session.execute(insert(JobEvent), values)
    return True


def heartbeat(worker: str, job_ids: Collection[str]) -> set[str]:
    """Tell that the worker lives; return those of `job_ids` that are still its own."""
    with writing() as session:
        kept = session.scalars(
            update(Job)
            .where(Job.id.in_(job_ids), Job.worker == worker, Job.state == "running")
            .values(heartbeat_at=utcnow())
            .returning(Job.id)
            .execution_options(synchronize_session=False)
        )
        return set(kept)


def sign(worker: str, slots: int) -> None:
    """Tell that the worker lives and takes jobs, at most `slots` at a time."""
    with writing() as session:
        now = utcnow()
        found = session.get(WorkerSign, worker)
        if found is None:
            session.add(WorkerSign(name=worker, slots=slots, started_at=now, heartbeat_at=now))
        else:
            found.slots, found.heartbeat_at = slots, now


def sign_off(worker: str) -> None:
    """Tell that the worker takes no more jobs."""
    with writing() as session:
        session.execute(delete(WorkerSign).where(WorkerSign.name == worker))


def cancel_requests(session: Session, worker: str) -> list[str]:
    """Return the ids of the worker's jobs that a user wants cancelled."""
    query = select(Job.id).where(Job.state == "running", Job.worker == worker, Job.cancel_requested)
    return list(session.scalars(query))


def finish(
    worker: str,
    job_id: str,
    state: str,
    message: str,
    result: dict[str, Any] | None = None,
    events: Sequence[NewEvent] = (),
) -> bool:
    """End a job with its last events and all effects, in one transaction.

    Returns False, and writes nothing, when the job is not this worker's any more.
    """
    with writing() as session:
        job = _own(session, worker, job_id)
        if job is None:
            return False
        append(session, job, events)
        end(session, job, state, message, result)
    return True


def put_back(worker: str, job_id: str, reason: str, events: Sequence[NewEvent] = ()) -> bool:
    """Put a running job back into the queue because the worker stops; the attempt does not count."""
    with writing() as session:
        job = _own(session, worker, job_id)
        if job is None:
            return False
        append(session, job, events)
        job.attempt -= 1
        _requeue(session, job, reason)
    return True


def recover(worker: str, job_id: str, what_happened: str, events: Sequence[NewEvent] = ()) -> str | None:
    """Give a job, whose processes are gone, a second chance; end it as failed when that was its second.

    `what_happened` is a sentence without its full stop. Returns the job's new state, None when the job was
    not this worker's any more.
    """
    with writing() as session:
        job = _own(session, worker, job_id)
        if job is None:
            return None
        append(session, job, events)
        if job.cancel_requested:
            end(session, job, "cancelled", f"Cancelled; {what_happened[0].lower()}{what_happened[1:]}")
        elif job.attempt < MAX_ATTEMPTS:
            _requeue(session, job, f"{what_happened}; the job starts again")
        else:
            message = (
                f"{what_happened}, for the second time. How far it came is unknown: submit the change again "
                "(it continues where this one stopped), and see the worker's log for the cause"
            )
            end(session, job, "failed", message)
        return job.state


@dataclass(frozen=True)
class LostJob:
    """A running job whose worker is dead."""

    id: str
    worker: str
    heartbeat_at: datetime | None


def lost_jobs(session: Session, dead: Collection[str] = ()) -> list[LostJob]:
    """Return the running jobs of workers known to be `dead`, and of those not heard of for too long."""
    stale = utcnow() - timedelta(seconds=STALE_AFTER)
    query = select(Job.id, Job.worker, Job.heartbeat_at).where(
        Job.state == "running", or_(Job.worker.in_(dead), Job.heartbeat_at < stale)
    )
    return [LostJob(job_id, worker or "", beat) for job_id, worker, beat in session.execute(query)]


def take_over(worker: str, job: LostJob) -> bool:
    """Make a lost job this worker's own; only one of several workers can, and only if it was not heard of
    since.
    """
    with writing() as session:
        taken = session.scalar(
            update(Job)
            .where(
                Job.id == job.id,
                Job.state == "running",
                Job.worker == job.worker,
                Job.heartbeat_at == job.heartbeat_at,
            )
            .values(worker=worker, heartbeat_at=utcnow())
            .returning(Job.id)
            .execution_options(synchronize_session=False)
        )
    return taken is not None


def _own(session: Session, worker: str, job_id: str) -> Job | None:
    query = select(Job).where(Job.id == job_id, Job.worker == worker, Job.state == "running")
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def _requeue(session: Session, job: Job, reason: str) -> None:
    job.state = "queued"
    job.worker = None
    job.heartbeat_at = None
    job.started_at = None
    append(session, job, [state_event("queued", reason)])
    wake_workers(session)
