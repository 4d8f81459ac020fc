"""Answers that were given to requests with an Idempotency-Key."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, EncryptedJSON, UTCDateTime, utcnow


class IdempotencyKey(Base):
    """One key of a user's, what was asked with it, and the answer once there is one."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    # SHA-256 of method, path and body: the same key for something else is a mistake.
    request_hash: Mapped[str] = mapped_column(String(64))
    # None while the first request is still being worked on.
    status: Mapped[int | None]
    # {"body": …, "headers": …}; may hold a token that is shown once.
    answer: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
