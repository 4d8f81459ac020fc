"""Revisions: what an application was set to by each change, and what differs between them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp import etags
from webapp.applications import queries
from webapp.applications.models import Application, Revision
from webapp.audit.changes import diff
from webapp.auth.models import User
from webapp.db import db
from webapp.etags import Versions
from webapp.problems import Problem

KEPT = 50
_MAX_TOLD = 3


@dataclass(frozen=True)
class Change:
    """A revision, and what it changed: webapp.audit.changes.diff with the kept one before it.

    `changes` is None for the oldest one that is kept, which has none to be compared with.
    """

    revision: Revision
    changes: list[dict[str, Any]] | None


@dataclass(frozen=True)
class RevisionPage:
    """Some revisions, newest first; `next_cursor` leads to the ones before them, None at the end."""

    changes: list[Change]
    next_cursor: str | None


def keep(session: Session, application: Application, cause: str, user: User, job_id: str) -> None:
    """Add the application's present settings to its revisions within the caller's transaction.

    Forgets what is older than the last KEPT ones.
    """
    session.add(
        Revision(
            application_id=application.id,
            number=application.version,
            spec=application.spec,
            cause=cause,
            user_name=user.name,
            job_id=job_id,
        )
    )
    session.execute(
        delete(Revision)
        .where(Revision.application_id == application.id, Revision.number <= application.version - KEPT)
        .execution_options(synchronize_session=False)
    )


def list_of(application: Application, *, limit: int = 20, before: int | None = None) -> RevisionPage:
    """Return the application's revisions below the number `before`, newest first, at most `limit`."""
    query = select(Revision).where(Revision.application_id == application.id)
    if before is not None:
        query = query.where(Revision.number < before)
    # One more than is shown: it says whether there are further ones, and the last is compared with it.
    found = list(db.session.scalars(query.order_by(Revision.number.desc()).limit(limit + 1)))
    changes = [
        Change(revision, diff(found[at + 1].spec, revision.spec) if at + 1 < len(found) else None)
        for at, revision in enumerate(found[:limit])
    ]
    return RevisionPage(changes, str(found[limit - 1].number) if len(found) > limit else None)


def get(application: Application, number: int) -> Change:
    """Return one revision. Raises Problem revision-not-found."""
    page = list_of(application, limit=1, before=number + 1)
    if not page.changes or page.changes[0].revision.number != number:
        raise Problem(
            "revision-not-found",
            f"Application '{application.name}' has no revision {number}; its last {KEPT} are kept.",
        )
    return page.changes[0]


def since(application: Application, version: int) -> list[Change]:
    """Return what was changed after `version`, newest first."""
    found = list_of(application, limit=KEPT).changes
    return [change for change in found if change.revision.number > version]


def refuse_stale(application: Application, versions: Versions) -> None:
    """Raise Problem version-conflict, saying who changed what, when the application has another version."""
    if versions is None or application.version in versions:
        return
    told = [_words(change) for change in since(application, max(versions, default=application.version))]
    more = [f"and {len(told) - _MAX_TOLD} more changes"] if len(told) > _MAX_TOLD else []
    words = f"Since then it was {'; '.join([*told[:_MAX_TOLD], *more])}." if told else ""
    etags.check(versions, application.version, f"Application '{application.name}'", words)


def _words(change: Change) -> str:
    revision = change.revision
    fields = [item["field"] for item in change.changes or []]
    what = f" ({', '.join(fields[:5])}{' …' if len(fields) > 5 else ''})" if fields else ""
    return f"{revision.cause} by {revision.user_name} on {revision.created_at:%Y-%m-%d at %H:%M} UTC{what}"


def between(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what differs between the settings of two desired states, secrets masked."""
    return diff(queries.settings_of(before), queries.settings_of(after))
