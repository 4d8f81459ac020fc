"""Read the audit log: administrators all, owners what happened in their projects, everybody their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, Select, and_, exists, or_, select, true
from sqlalchemy.orm import Session

from webapp.audit.models import AuditEntry
from webapp.auth.models import User
from webapp.db import db
from webapp.jobs.models import Job
from webapp.problems import Problem
from webapp.projects.models import Membership, Project

# Entries that an export reads at once.
CHUNK = 500


@dataclass(frozen=True)
class Filters:
    """Which entries; an empty text, and None, is any. `action`: how it begins. `object_name`: the whole."""

    user: str = ""
    action: str = ""
    project: str = ""
    object_name: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> ColumnElement[bool]:
        """Return the condition for the entries that fit."""
        parts: list[ColumnElement[bool]] = [true()]
        if self.user:
            parts.append(AuditEntry.user_name == self.user)
        if self.action:
            parts.append(AuditEntry.action.startswith(self.action, autoescape=True))
        if self.project:
            parts.append(AuditEntry.project_name == self.project)
        if self.object_name:
            parts.append(AuditEntry.object_name == self.object_name)
        if self.since:
            parts.append(AuditEntry.created_at >= self.since)
        if self.until:
            parts.append(AuditEntry.created_at < self.until)
        return and_(*parts)


@dataclass(frozen=True)
class EntryPage:
    """Some entries, newest first; `next_cursor` is None on the last page."""

    entries: list[AuditEntry]
    next_cursor: str | None


def list_for(user: User, filters: Filters, *, limit: int, cursor: str | None = None) -> EntryPage:
    """Return entries that the user may see, newest first. Raises Problem validation-failed (cursor)."""
    query = select(AuditEntry).where(_visible_to(user), filters.condition())
    if cursor is not None:
        query = query.where(AuditEntry.id < _number(cursor))
    found = list(db.session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit + 1)))
    return EntryPage(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


def every_for(user: User, filters: Filters) -> Iterator[AuditEntry]:
    """Return an iterator over all entries that the user may see, newest first, in bounded memory."""
    query = select(AuditEntry).where(_visible_to(user), filters.condition())
    return _chunks(db.engine, query.order_by(AuditEntry.id.desc()).limit(CHUNK))


def _chunks(engine: Engine, query: Select[AuditEntry]) -> Iterator[AuditEntry]:
    """Yield what the query finds. It is read when the request, and its database session, are over."""
    last: int | None = None
    while True:
        # A client that reads slowly must not hold a transaction open.
        with Session(engine, expire_on_commit=False) as session:
            found = list(session.scalars(query if last is None else query.where(AuditEntry.id < last)))
            session.expunge_all()
        yield from found
        if len(found) < CHUNK:
            return
        last = found[-1].id


def _visible_to(user: User) -> ColumnElement[bool]:
    if user.is_admin:
        return true()
    owned = select(Membership.project_id).where(Membership.user_id == user.id, Membership.role == "owner")
    # What an earlier project of the same name saw belongs to its own owner.
    in_own_project = exists().where(
        Project.name == AuditEntry.project_name,
        Project.created_at <= AuditEntry.created_at,
        or_(Project.owner_id == user.id, Project.id.in_(owned)),
    )
    there_is_one = exists().where(Project.name == Job.project_name)
    gone = select(Job.project_name).where(Job.owner_name == user.name, ~there_is_one)
    return or_(AuditEntry.user_id == user.id, in_own_project, AuditEntry.project_name.in_(gone))


def _number(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
        raise Problem("validation-failed", "The cursor is not one that an earlier page gave.", field="cursor")
    return int(cursor)
