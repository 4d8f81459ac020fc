"""What the worker removes when it is old enough, and what it keeps."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests.worker.portal import WorkerPortal
from webapp.audit.services import record
from webapp.auth.models import User, UserSession
from webapp.config import Config, load_config
from webapp.db import db, utcnow, writing
from webapp.jobs import services
from webapp.jobs.models import Job, JobEvent
from webapp.models import ApiToken, AuditEntry, IdempotencyKey, RefreshToken, WorkerSign
from webapp.notifications.models import Channel, Delivery
from webapp.projects.models import Project
from webapp.worker import housekeeping

DAY = timedelta(days=1)


def _config(portal: WorkerPortal, **settings: str) -> Config:
    return load_config(portal.environment | settings)


def _count(table: Any) -> int:
    with Session(db.engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_jobs_and_audit_entries_go_after_their_time(
    portal: WorkerPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    ended = [services.cancel(portal.user(), portal.enqueue("shop")).id for _number in range(6)]
    waiting = portal.enqueue("shop")
    with writing() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(ended[:5]))
            .values(finished_at=utcnow() - 11 * DAY, created_at=utcnow() - 11 * DAY)
        )
        session.execute(update(Job).where(Job.id == waiting).values(created_at=utcnow() - 90 * DAY))
        for age in (0, 19, 21):
            record(session, None, "test.old").created_at = utcnow() - age * DAY
    events = _count(JobEvent)
    settings = _config(portal, CROFT_JOB_RETENTION_DAYS="10", CROFT_AUDIT_RETENTION_DAYS="20")
    before = _count(AuditEntry)
    assert housekeeping.turn(settings, "w1")
    with Session(db.engine) as session:
        assert set(session.scalars(select(Job.id))) == {ended[5], waiting}
    assert _count(JobEvent) == events - 10, "the lines of five jobs went with them"
    assert _count(AuditEntry) == before - 1


def test_what_has_expired_goes(sqlite_portal: WorkerPortal) -> None:
    user = sqlite_portal.user().id
    now = utcnow()
    with writing() as session:
        for name, expires in (("old", now - 2 * DAY), ("new", now + DAY)):
            session.add(UserSession(id=name, user_id=user, expires_at=expires))
            session.flush()
            session.add(RefreshToken(user_id=user, jti_hash=name, family=name, expires_at=expires))
            session.add(IdempotencyKey(user_id=user, key=name, request_hash="", created_at=expires - DAY))
            session.add(WorkerSign(name=name, slots=1, heartbeat_at=expires))
            session.add(
                ApiToken(
                    user_id=user,
                    name=name,
                    prefix="x",
                    token_hash=name,
                    scope="read",
                    expires_at=expires - (30 * DAY if name == "old" else 0 * DAY),
                )
            )
            session.add(
                Delivery(
                    id=name,
                    kind="webhook",
                    target="x",
                    event="test",
                    body={},
                    state="delivered",
                    created_at=expires - (30 * DAY if name == "old" else DAY),
                )
            )
    assert housekeeping.turn(_config(sqlite_portal), "w1")
    for table in (UserSession, RefreshToken, IdempotencyKey, WorkerSign, ApiToken, Delivery):
        assert _count(table) == 1, table
    assert _count(User) == 1


def test_one_worker_at_a_time_and_not_again_before_its_time(portal: WorkerPortal) -> None:
    done: list[bool] = []

    def turn(worker: str) -> None:
        with portal.app.app_context():
            done.append(housekeeping.take_lease("housekeeping", worker, timedelta(minutes=5)))

    threads = [threading.Thread(target=turn, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False] * 5 + [True]
    assert not housekeeping.take_lease("housekeeping", "w9", timedelta(minutes=5))
    assert housekeeping.take_lease("another", "w9", timedelta(0))
    assert housekeeping.take_lease("another", "w8", timedelta(minutes=5))
    assert not housekeeping.turn(_config(portal), "w1")


def test_a_step_that_fails_does_not_keep_the_others_from_working(
    sqlite_portal: WorkerPortal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(housekeeping.keys, "forget_old", lambda: 1 // 0)
    with writing() as session:
        session.add(WorkerSign(name="old", slots=1, heartbeat_at=utcnow() - 2 * DAY))
    assert housekeeping.turn(_config(sqlite_portal), "w1")
    assert _count(WorkerSign) == 0
    assert "housekeeping: idempotency keys removed failed" in caplog.text


def test_a_project_that_is_archived_soon_is_announced_once(sqlite_portal: WorkerPortal) -> None:
    sqlite_portal.project("shop")
    with writing() as session:
        project = session.scalars(select(Project)).one()
        project.expires_at = utcnow() + 3 * DAY
        session.add(
            Channel(
                project_id=project.id,
                kind="webhook",
                target="x",
                events=["project.expiring"],
                created_by="ada",
            )
        )
    for _time in range(2):
        assert housekeeping.announce_expiring() == (1 if _time == 0 else 0)
    with writing() as session:
        session.scalars(select(Project)).one().expires_at = utcnow() + 5 * DAY
    assert housekeeping.announce_expiring() == 1, "a new date is news again"
    with Session(db.engine) as session:
        bodies = session.scalars(select(Delivery.body)).all()
    assert len(bodies) == 2
    assert bodies[0]["data"]["summary"].startswith("Project shop is archived on ")


@pytest.mark.slow
def test_the_worker_archives_what_has_expired_and_tells_that_it_lives(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    portal.project("shop")
    with writing() as session:
        project = session.scalars(select(Project)).one()
        project.spec = {"name": "shop", "description": ""}
        project.state, project.expires_at = "ready", utcnow() - DAY
    worker = portal.worker()
    portal.until(lambda: _count(WorkerSign) == 1, "it signs on")
    portal.until(lambda: "expired projects archived: 1" in worker.log, "it archives")
    with Session(db.engine) as session:
        job = session.scalars(select(Job)).one()
    assert (job.kind, job.user_name) == ("project.archive", "portal")
    assert portal.wait(job.id).state == "succeeded"
    assert worker.stop() == 0
    assert _count(WorkerSign) == 0, "it signs off"
