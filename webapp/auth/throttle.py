"""Limits on failed attempts to sign in, kept in the database to hold across processes and restarts."""

from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from webapp.auth.models import LoginAttempt
from webapp.db import utcnow
from webapp.problems import Problem

WINDOW = timedelta(minutes=5)
ATTEMPTS_PER_NAME = 5
ATTEMPTS_PER_ADDRESS = 20


def admit(session: Session, name: str, address: str) -> None:
    """Count one attempt before its password is looked at, so that guesses made side by side count as well.

    Raises Problem too-many-attempts, with the seconds to wait, when the name or the address has used up its
    attempts. The caller holds a writing transaction.
    """
    now = utcnow()
    session.execute(delete(LoginAttempt).where(LoginAttempt.created_at < now - WINDOW))
    waits = (
        _wait(session, LoginAttempt.name == name, ATTEMPTS_PER_NAME, now),
        _wait(session, LoginAttempt.address == address, ATTEMPTS_PER_ADDRESS, now),
    )
    _refuse_for(max(waits))
    session.add(LoginAttempt(name=name, address=address))


def admit_address(session: Session, name: str, address: str) -> None:
    """Count one attempt of many different people under `name`: only those of the same address count.

    Raises Problem too-many-attempts, with the seconds to wait. The caller holds a writing transaction.
    """
    now = utcnow()
    session.execute(delete(LoginAttempt).where(LoginAttempt.created_at < now - WINDOW))
    _refuse_for(_wait(session, LoginAttempt.address == address, ATTEMPTS_PER_ADDRESS, now))
    session.add(LoginAttempt(name=name, address=address))


def forgive(session: Session, name: str) -> None:
    """Forget the attempts of a user who has signed in."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.name == name))


def _wait(session: Session, whose: ColumnElement[bool], limit: int, now: datetime) -> int:
    """Return the seconds until one of the newest `limit` attempts leaves the window; 0 if there are fewer."""
    query = select(LoginAttempt.created_at).where(whose).order_by(LoginAttempt.created_at.desc()).limit(limit)
    times = list(session.scalars(query))
    return 0 if len(times) < limit else max(1, ceil((times[-1] + WINDOW - now).total_seconds()))


def _refuse_for(wait: int) -> None:
    if wait:
        raise Problem(
            "too-many-attempts",
            f"Too many failed attempts to sign in; try again in {wait} seconds.",
            headers={"Retry-After": str(wait)},
            extra={"retryAfter": wait},
        )
