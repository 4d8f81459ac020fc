"""Remove what is too old to be kept, and notice what time brings. One worker at a time does it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from webapp.applications.models import Plan
from webapp.audit.models import AuditEntry
from webapp.auth.models import ApiToken, LoginAttempt, RefreshToken, UserSession
from webapp.config import Config
from webapp.db import db, utcnow, writing
from webapp.idempotency import keys
from webapp.jobs.models import END_STATES, Job
from webapp.notifications.expiry import announce_expiring
from webapp.notifications.models import Delivery
from webapp.projects.expiry import archive_expired
from webapp.worker.models import Lease, WorkerSign

log = logging.getLogger("croft.worker")

# A project that expires is archived within about that time, so it is short.
INTERVAL = timedelta(minutes=1)
# Rows that go in one transaction: others must not wait for long.
BATCH = 500
# What has expired stays visible for so long.
_MONTH = timedelta(days=30)


def turn(config: Config, worker: str) -> bool:
    """Do all steps when they are due and no other worker does; say whether this one did."""
    if not take_lease("housekeeping", worker, INTERVAL):
        return False
    for name, step in _steps(config):
        try:
            if count := step():
                log.info("housekeeping: %s: %d", name, count)
        except Exception:  # the other steps have nothing to do with it
            log.exception("housekeeping: %s failed", name)
        finally:
            db.session.remove()
    return True


def take_lease(name: str, holder: str, length: timedelta) -> bool:
    """Whether `holder` may do what `name` stands for; nobody else may then before `length` has passed."""
    now = utcnow()
    with writing() as session:
        taken = session.execute(
            update(Lease)
            .where(Lease.name == name, Lease.until <= now)
            .values(holder=holder, until=now + length)
        )
        if taken.rowcount:  # type: ignore[attr-defined]
            return True
    try:
        with writing() as session:
            if session.get(Lease, name) is not None:
                return False
            session.add(Lease(name=name, holder=holder, until=now + length))
    except IntegrityError:
        return False  # Another worker was the first to take it ever.
    return True


def _steps(config: Config) -> list[tuple[str, Callable[[], int]]]:
    now = utcnow()
    jobs = now - timedelta(days=config.job_retention_days)
    audit = now - timedelta(days=config.audit_retention_days)
    old = now - timedelta(days=1)
    month = now - _MONTH
    return [
        ("old jobs removed", lambda: _remove(Job.id, Job.state.in_(END_STATES), Job.finished_at < jobs)),
        ("old audit entries removed", lambda: _older(AuditEntry.id, AuditEntry.created_at, audit)),
        ("idempotency keys removed", keys.forget_old),
        ("refresh tokens removed", lambda: _older(RefreshToken.id, RefreshToken.expires_at, old)),
        ("expired sessions removed", lambda: _older(UserSession.id, UserSession.expires_at, old)),
        ("expired API tokens removed", lambda: _older(ApiToken.id, ApiToken.expires_at, month)),
        ("attempts to sign in removed", lambda: _older(LoginAttempt.id, LoginAttempt.created_at, old)),
        ("expired plans removed", lambda: _older(Plan.id, Plan.expires_at, old)),
        (
            "old deliveries removed",
            lambda: _remove(Delivery.id, Delivery.state != "waiting", Delivery.created_at < month),
        ),
        ("dead workers removed", lambda: _older(WorkerSign.name, WorkerSign.heartbeat_at, old)),
        ("expiring projects announced", announce_expiring),
        ("expired projects archived", lambda: len(archive_expired())),
    ]


def _older(key: InstrumentedAttribute[Any], moment: InstrumentedAttribute[Any], than: datetime) -> int:
    return _remove(key, moment < than)


def _remove(key: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]) -> int:
    """Delete the rows that fit, some at a time; return how many. What belongs to them goes by cascade."""
    count = 0
    while True:
        ids = list(db.session.scalars(select(key).where(*conditions).limit(BATCH)))
        if not ids:
            return count
        with writing() as session:
            # Once more with the conditions: a row may have changed since.
            gone = session.execute(delete(key.class_).where(key.in_(ids), *conditions))
        found = gone.rowcount  # type: ignore[attr-defined]
        count += found
        if len(ids) < BATCH or not found:
            return count
