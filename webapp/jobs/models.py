"""Jobs (one change on its way each) and their numbered events. The job table is the queue.

Neither table points at projects or applications: what happened stays readable when they are gone.
"""

from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, EncryptedJSON, UTCDateTime, utcnow

Kind: TypeAlias = Literal[
    "project.create",
    "project.update",
    "project.delete",
    "project.archive",
    "project.wake",
    "application.plan",
    "application.create",
    "application.update",
    "application.restart",
    "application.stop",
    "application.start",
    "application.rollback",
    "application.delete",
]
KINDS: tuple[str, ...] = get_args(Kind)
State: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
STATES: tuple[str, ...] = get_args(State)
END_STATES = ("succeeded", "failed", "cancelled")
EVENT_KINDS = ("task", "ok", "changed", "failed", "skipped", "progress", "log", "result", "state")


class Job(Base):
    """One change on its way: queued by the web process, done by a worker."""

    __tablename__ = "jobs"
    __table_args__ = (
        # The worker's question "what is next?" and its look for jobs whose worker has died.
        Index("ix_jobs_state_created_at", "state", "created_at"),
        Index("ix_jobs_project_name_created_at", "project_name", "created_at"),
        Index("ix_jobs_user_id_created_at", "user_id", "created_at"),
        Index("ix_jobs_owner_name_created_at", "owner_name", "created_at"),
        # The list of all jobs, newest first.
        Index("ix_jobs_created_at_id", "created_at", "id"),
        Index("ix_jobs_finished_at", "finished_at"),
        Index("ix_jobs_retry_of", "retry_of"),
        # The database itself refuses a second running job of a project, whatever the workers do.
        Index(
            "uq_jobs_project_name_running",
            "project_name",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    project_name: Mapped[str] = mapped_column(String(63))
    application_name: Mapped[str | None] = mapped_column(String(63))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(64))
    # The project's owner then, who still sees the job when the project is gone.
    owner_name: Mapped[str | None] = mapped_column(String(64))
    # {"project": …} or {"application": …}; may hold secret values, so it is cleared when the job ends.
    request: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    message: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    worker: Mapped[str | None] = mapped_column(String(128))
    heartbeat_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    # The ended job that this one does again.
    retry_of: Mapped[str | None] = mapped_column(String(32))
    # The request without its secret values, which stays: how an operator does the same by hand. None for
    # jobs from before it was kept.
    by_hand: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Number of the newest event: numbers are handed out here, and watchers see at one look what is new.
    last_event: Mapped[int] = mapped_column(default=0)

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in END_STATES


class JobEvent(Base):
    """One line of a job's story, numbered from 1 without gaps."""

    __tablename__ = "job_events"
    __table_args__ = (UniqueConstraint("job_id", "number", name="uq_job_events_job_id_number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
