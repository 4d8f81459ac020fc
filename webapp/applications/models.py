"""The desired state of applications."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
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

    project: Mapped[Project] = relationship(lazy="joined", innerjoin=True)
