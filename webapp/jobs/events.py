"""Write a job's numbered events, and wake the workers. Callers hold the job's row, and commit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.db import utcnow
from webapp.jobs.models import Job, JobEvent

# PostgreSQL's NOTIFY channel on which workers hear of new jobs and of cancelled ones.
CHANNEL = "croft_jobs"
MAX_TEXT = 4_000


@dataclass(frozen=True)
class NewEvent:
    """An event that has no number yet. `kind` is one of models.EVENT_KINDS, `text` what a user reads."""

    kind: str
    text: str
    data: dict[str, Any] | None = None
    created_at: datetime = field(default_factory=utcnow)


def append(session: Session, job: Job, events: Sequence[NewEvent]) -> None:
    """Add `events` to the job, numbered after its newest one. The job's row must be locked by this
    transaction.
    """
    first = job.last_event + 1
    job.last_event += len(events)
    session.add_all(rows(job.id, first, events))


def rows(job_id: str, first: int, events: Sequence[NewEvent]) -> list[JobEvent]:
    """Return the table's rows for `events`, numbered from `first`. Over-long texts are cut, visibly."""
    return [
        JobEvent(
            job_id=job_id,
            number=number,
            kind=event.kind,
            text=event.text if len(event.text) <= MAX_TEXT else event.text[: MAX_TEXT - 1] + "…",
            data=event.data,
            created_at=event.created_at,
        )
        for number, event in enumerate(events, start=first)
    ]


def state_event(state: str, text: str) -> NewEvent:
    """Return the event that tells of a job's new state."""
    return NewEvent("state", text, {"state": state})


def wake_workers(session: Session) -> None:
    """Tell the workers to look at the queue as soon as this transaction is committed.

    On SQLite there is nothing to send: workers see the change in the database file itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, "")))
