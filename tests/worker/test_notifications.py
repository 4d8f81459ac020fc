"""Notifications by a real worker to real receivers."""

import base64
import hmac
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.worker.portal import WorkerPortal
from tests.worker.receivers import HookServer, MailServer
from webapp.db import db, writing
from webapp.jobs import services
from webapp.notifications.models import Channel, Delivery
from webapp.notifications.webhook import new_secret
from webapp.projects.models import Project

pytestmark = pytest.mark.slow

ALLOWED = {"CROFT_WEBHOOK_ALLOWED_CIDRS": "127.0.0.0/8", "CROFT_NOTIFICATION_RETRIES": "1,1"}


@pytest.fixture
def hook() -> Iterator[HookServer]:
    """A webhook's receiver."""
    found = HookServer()
    yield found
    found.close()


def _channel(project: str, kind: str, target: str, *events: str) -> str:
    secret = new_secret()
    with writing() as session:
        found = session.scalars(select(Project).where(Project.name == project)).one()
        session.add(
            Channel(
                project_id=found.id,
                kind=kind,
                target=target,
                secret=secret if kind == "webhook" else None,
                events=list(events),
                created_by="ada",
            )
        )
    return secret


def _deliveries() -> list[Delivery]:
    with Session(db.engine, expire_on_commit=False) as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.created_at)))


def _all(state: str, count: int = 1) -> Callable[[], bool]:
    return lambda: [item.state for item in _deliveries()] == [state] * count


def _cancelled(portal: WorkerPortal, project: str) -> str:
    """End a job without a playbook; return its id."""
    return services.cancel(portal.user(), portal.enqueue(project)).id


def test_a_webhook_gets_the_jobs_end_signed_and_with_links(portal: WorkerPortal, hook: HookServer) -> None:
    portal.worker(**ALLOWED, CROFT_EXTERNAL_URL="https://croft.example.org")
    portal.project("shop")
    secret = _channel("shop", "webhook", f"{hook.url}/in?team=shop", "job.succeeded", "job.failed")
    job_id = portal.enqueue("shop")
    portal.wait(job_id)
    portal.until(lambda: hook.received, "the webhook is called")
    (request,) = hook.received
    message = json.loads(request.body)
    assert request.path == "/in?team=shop"
    assert message["type"] == "job.succeeded"
    assert message["data"]["job"]["message"] == "Project 'shop' has its new settings."
    assert message["data"]["links"]["page"] == f"https://croft.example.org/jobs/{job_id}"
    assert message["data"]["links"]["job"] == f"https://croft.example.org/api/v1/jobs/{job_id}"

    # As the specification has a receiver check it, without our own code.
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256").digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    portal.until(_all("delivered"), "the delivery is marked")
    assert _deliveries()[0].id == headers["webhook-id"]


def test_a_receiver_that_fails_is_tried_again_until_the_waits_are_used_up(
    sqlite_portal: WorkerPortal, hook: HookServer
) -> None:
    portal = sqlite_portal
    hook.answers = [500, 302, 204, 503, 503, 503]
    portal.worker(**ALLOWED)
    portal.project("shop")
    _channel("shop", "webhook", hook.url, "job.cancelled")
    _cancelled(portal, "shop")
    portal.until(_all("delivered"), "the third attempt is taken")
    (first,) = _deliveries()
    assert (first.attempts, first.error) == (3, "")
    ids = {request.headers["webhook-id"] for request in hook.received}
    assert (len(hook.received), ids) == (3, {first.id}), "one id for all attempts"
    assert {request.path for request in hook.received} == {"/"}, "redirects are not followed"

    _cancelled(portal, "shop")
    portal.until(lambda: _deliveries()[-1].state == "failed", "it is given up")
    last = _deliveries()[-1]
    assert (last.attempts, last.error) == (3, "127.0.0.1 answered 503 Service Unavailable")


def test_nothing_is_asked_inside_the_platform(sqlite_portal: WorkerPortal, hook: HookServer) -> None:
    portal = sqlite_portal
    portal.worker()
    portal.project("shop")
    # A name that leads there is refused as well, when it is connected to.
    for host in ("127.0.0.1", "localhost"):
        _channel("shop", "webhook", hook.url.replace("127.0.0.1", host), "job.cancelled")
    _cancelled(portal, "shop")
    portal.until(_all("failed", 2), "both are refused")
    assert all("lies inside the platform" in item.error for item in _deliveries())
    assert {item.attempts for item in _deliveries()} == {1}, "another attempt would not help"
    assert hook.received == []


def test_a_slow_receiver_does_not_hold_up_others_or_the_jobs(
    sqlite_portal: WorkerPortal, hook: HookServer
) -> None:
    portal = sqlite_portal
    slow = HookServer([lambda _handler: time.sleep(30)])
    portal.worker(**ALLOWED)
    portal.project("shop")
    _channel("shop", "webhook", slow.url, "job.cancelled")
    _channel("shop", "webhook", hook.url, "job.cancelled")
    begin = time.monotonic()
    _cancelled(portal, "shop")
    portal.until(lambda: hook.received, "the quick one has it")
    assert portal.wait(portal.enqueue("shop")).state == "succeeded"
    assert time.monotonic() - begin < 9, "sooner than the slow one is given up"
    slow.close()


def test_nothing_is_lost_when_the_worker_is_killed(sqlite_portal: WorkerPortal, hook: HookServer) -> None:
    portal = sqlite_portal
    portal.project("shop")
    _channel("shop", "webhook", hook.url, "job.cancelled")
    for _number in range(3):
        _cancelled(portal, "shop")
    assert [item.state for item in _deliveries()] == ["waiting"] * 3, "there is no worker yet"
    hook.answers = [lambda _handler: time.sleep(60)] * 3
    first = portal.worker(**ALLOWED)
    portal.until(lambda: len(hook.received) == 3, "all are on their way")
    first.stop(signal.SIGKILL)
    hook.answers.clear()
    # What was taken comes back after two minutes; here at once.
    with writing() as session:
        for item in session.scalars(select(Delivery)).all():
            item.next_try_at = item.created_at
    portal.worker(**ALLOWED)
    portal.until(_all("delivered", 3), "the next worker delivers them")
    ids = [request.headers["webhook-id"] for request in hook.received]
    assert len(ids) == 6
    assert len(set(ids)) == 3, "the receiver knows them again"


def test_an_email_comes_by_the_operators_mail_server(sqlite_portal: WorkerPortal, tmp_path: Path) -> None:
    portal = sqlite_portal
    mail = MailServer("the pass word", refuse=1)
    password = tmp_path / "password"
    password.write_text("the pass word\n")
    settings: dict[str, Any] = {
        "CROFT_SMTP_HOST": "127.0.0.1",
        "CROFT_SMTP_PORT": str(mail.port),
        "CROFT_SMTP_USER": "ada",
        "CROFT_SMTP_PASSWORD_FILE": str(password),
        "CROFT_SMTP_FROM": "croft@example.org",
        "CROFT_EXTERNAL_URL": "https://croft.example.org",
        "CROFT_NOTIFICATION_RETRIES": "1,1",
    }
    worker = portal.worker(**settings)
    portal.project("shop")
    _channel("shop", "email", "team@example.org", "job.cancelled")
    job_id = _cancelled(portal, "shop")
    portal.until(_all("delivered"), "the mail is taken at the second attempt")
    (found,) = mail.mails
    assert (found["To"], found["From"]) == ("team@example.org", "croft@example.org")
    assert found["Subject"] == "[Croft] Change project shop: cancelled"
    assert found["Message-ID"] == f"<{_deliveries()[0].id}@croft.example.org>"
    text = found.get_content()
    assert "Cancelled by ada before it started" in text
    assert f"https://croft.example.org/jobs/{job_id}" in text
    assert "451" in worker.log
    assert "the pass word" not in worker.log
    mail.close()
