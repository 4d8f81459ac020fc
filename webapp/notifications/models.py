"""Where a project's news go (webhooks, e-mail), and each message on its way there."""

from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base, EncryptedJSON, UTCDateTime, utcnow
from webapp.projects.models import Project

Kind: TypeAlias = Literal["webhook", "email"]
KINDS: tuple[str, ...] = get_args(Kind)
# What a channel may hear of; later ones are added at the end.
Event: TypeAlias = Literal[
    "job.succeeded",
    "job.failed",
    "job.cancelled",
    "quota_request.decided",
    "project.expiring",
    "alert.firing",
    "alert.resolved",
]
EVENTS: tuple[str, ...] = get_args(Event)
# The event of a message that somebody sends to try a channel.
TEST = "test"
DELIVERY_STATES = ("waiting", "delivered", "failed")


class Channel(Base):
    """One receiver of a project's news."""

    __tablename__ = "notification_channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    # A webhook's address, or an e-mail address.
    target: Mapped[str] = mapped_column(String(500))
    # A webhook's key for signatures.
    secret: Mapped[str | None] = mapped_column(EncryptedJSON)
    # The events that it hears of, like ["job.failed"].
    events: Mapped[list[str]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    project: Mapped[Project] = relationship(lazy="joined", innerjoin=True)


class Delivery(Base):
    """One message to one channel, kept until it is old.

    It carries its receiver with it, so that a project's last message still goes out when project and channels
    are gone.
    """

    __tablename__ = "notification_deliveries"
    __table_args__ = (
        Index("ix_notification_deliveries_state_next_try_at", "state", "next_try_at"),
        Index("ix_notification_deliveries_created_at", "created_at"),
        Index("uq_notification_deliveries_once_key", "once_key", unique=True),
    )

    # The receiver knows by it a message that comes twice.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel_id: Mapped[int | None] = mapped_column(
        ForeignKey("notification_channels.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str | None] = mapped_column(EncryptedJSON)
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    # Why the last attempt failed, in words.
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Of news that the portal hears again and again (alerts): what makes a message the same as an earlier one.
    once_key: Mapped[str | None] = mapped_column(String(64))
