"""The audit log: who did what, when and from where. It points at nothing, so it outlives what it tells of."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, UTCDateTime, utcnow


class AuditEntry(Base):
    """One thing that somebody did. Entries are only ever added, and dropped when their time is over."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_project_name_id", "project_name", "id"),
        Index("ix_audit_entries_user_name_id", "user_name", "id"),
        Index("ix_audit_entries_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    user_name: Mapped[str] = mapped_column(String(64))
    # How it came: page, api, token (a personal API token), command, portal (the portal itself).
    via: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(45), default="")
    # Like application.update; the first word is the kind of the object.
    action: Mapped[str] = mapped_column(String(48))
    project_name: Mapped[str | None] = mapped_column(String(63))
    # Name of the object that the action was about: an application, a user, a token.
    object_name: Mapped[str] = mapped_column(String(128), default="")
    # [{"field": "replicas", "before": 1, "after": 2}], secrets masked.
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    job_id: Mapped[str | None] = mapped_column(String(32))
