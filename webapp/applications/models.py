"""The desired state of applications, its revisions, and plans."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base, EncryptedJSON, UTCDateTime, utcnow
from webapp.projects.models import Project

STATES = ("creating", "ready", "failed", "updating", "deleting")


class Application(Base):
    """The desired state of an application; what really runs is read from the cluster."""

    __tablename__ = "applications"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(63))
    # A host name of the user's own; None means the one that the platform gives. The database keeps it unique.
    host: Mapped[str | None] = mapped_column(String(253), unique=True)
    # Holds the values of secrets, so it is encrypted as a whole.
    spec: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON)
    state: Mapped[str] = mapped_column(String(16), default="creating")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)
    version: Mapped[int] = mapped_column(default=1)
    # The catalog's entry that it was made from; None for one that runs an image.
    catalog_entry: Mapped[str | None] = mapped_column(String(63))

    project: Mapped[Project] = relationship(lazy="joined", innerjoin=True)


class Revision(Base):
    """What an application was set to by one change; `number` is the application's version then."""

    __tablename__ = "application_revisions"
    __table_args__ = (UniqueConstraint("application_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id", ondelete="CASCADE"))
    number: Mapped[int]
    spec: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON)
    # In words: "created", "changed", "rolled back to 3".
    cause: Mapped[str] = mapped_column(String(64))
    user_name: Mapped[str] = mapped_column(String(64))
    # None for what was made before revisions were kept.
    job_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class Plan(Base):
    """Settings that wait to be applied as they are, once somebody has seen what they would change."""

    __tablename__ = "plans"
    __table_args__ = (Index("ix_plans_expires_at", "expires_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    application_name: Mapped[str] = mapped_column(String(63))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    settings: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON)
    # The application's version that the plan was made for; None for a new application.
    base_version: Mapped[int | None]
    job_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    project: Mapped[Project] = relationship(lazy="joined", innerjoin=True)
