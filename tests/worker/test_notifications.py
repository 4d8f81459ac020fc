"""Notifications by a real worker to real receivers."""

import base64
import hmac
import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from tests.worker.channels import add_channel, all_are, deliveries, end_a_job
from tests.worker.portal import WorkerPortal
from tests.worker.receivers import HookServer, MailServer
from webapp.db import writing
from webapp.notifications.models import Delivery

pytestmark = pytest.mark.slow

ALLOWED = {"CROFT_WEBHOOK_ALLOWED_CIDRS": "127.0.0.0/8", "CROFT_NOTIFICATION_RETRIES": "1,1"}


@pytest.fixture
def hook() -> Iterator[HookServer]:
    """A webhook's receiver."""
    found = HookServer()
    yield found
    found.close()


def test_a_webhook_gets_the_jobs_end_signed_and_with_links(portal: WorkerPortal, hook: HookServer) -> None:
    portal.worker(**ALLOWED, CROFT_EXTERNAL_URL="https://croft.example.org")
    portal.project("shop")
    secret = add_channel("shop", "webhook", f"{hook.url}/in?team=shop", "job.succeeded", "job.failed")
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
    portal.until(all_are("delivered"), "the delivery is marked")
    assert deliveries()[0].id == headers["webhook-id"]


def test_a_receiver_that_fails_is_tried_again_until_the_waits_are_used_up(
    sqlite_portal: WorkerPortal, hook: HookServer
) -> None:
    portal = sqlite_portal
    hook.answers = [500, 302, 204, 503, 503, 503]
    portal.worker(**ALLOWED)
    portal.project("shop")
    add_channel("shop", "webhook", hook.url, "job.cancelled")
    end_a_job(portal, "shop")
    portal.until(all_are("delivered"), "the third attempt is taken")
    (first,) = deliveries()
    assert (first.attempts, first.error) == (3, "")
    ids = {request.headers["webhook-id"] for request in hook.received}
    assert (len(hook.received), ids) == (3, {first.id}), "one id for all attempts"
    assert {request.path for request in hook.received} == {"/"}, "redirects are not followed"

    end_a_job(portal, "shop")
    portal.until(lambda: deliveries()[-1].state == "failed", "it is given up")
    last = deliveries()[-1]
    assert (last.attempts, last.error) == (3, "127.0.0.1 answered 503 Service Unavailable")


def test_nothing_is_asked_inside_the_platform(sqlite_portal: WorkerPortal, hook: HookServer) -> None:
    portal = sqlite_portal
    portal.worker()
    portal.project("shop")
    # A name that leads there is refused as well, when it is connected to.
    for host in ("127.0.0.1", "localhost"):
        add_channel("shop", "webhook", hook.url.replace("127.0.0.1", host), "job.cancelled")
    end_a_job(portal, "shop")
    portal.until(all_are("failed", 2), "both are refused")
    assert all("lies inside the platform" in item.error for item in deliveries())
    assert {item.attempts for item in deliveries()} == {1}, "another attempt would not help"
    assert hook.received == []


def test_a_slow_receiver_does_not_hold_up_others_or_the_jobs(
    sqlite_portal: WorkerPortal, hook: HookServer
) -> None:
    portal = sqlite_portal
    slow = HookServer([lambda _handler: time.sleep(30)])
    portal.worker(**ALLOWED)
    portal.project("shop")
    # What a worker's first job takes longer is no part of this.
    portal.wait(portal.enqueue("shop"))
    add_channel("shop", "webhook", slow.url, "job.cancelled")
    add_channel("shop", "webhook", hook.url, "job.cancelled")
    end_a_job(portal, "shop")
    job_id = portal.enqueue("shop")
    portal.until(lambda: hook.received, "the quick one has it")
    assert portal.wait(job_id).state == "succeeded"
    (waits,) = [item for item in deliveries() if item.state != "delivered"]
    assert (waits.state, waits.error) == ("waiting", ""), "the slow one is not given up yet"
    slow.close()


def test_nothing_is_lost_when_the_worker_is_killed(sqlite_portal: WorkerPortal, hook: HookServer) -> None:
    portal = sqlite_portal
    portal.project("shop")
    add_channel("shop", "webhook", hook.url, "job.cancelled")
    for _number in range(3):
        end_a_job(portal, "shop")
    assert [item.state for item in deliveries()] == ["waiting"] * 3, "there is no worker yet"
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
    portal.until(all_are("delivered", 3), "the next worker delivers them")
    ids = [request.headers["webhook-id"] for request in hook.received]
    assert len(ids) == 6
    assert len(set(ids)) == 3, "the receiver knows them again"


def test_an_email_comes_by_the_operators_mail_server(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    mail = MailServer(refuse=1)
    settings: dict[str, Any] = {
        "CROFT_SMTP_HOST": "127.0.0.1",
        "CROFT_SMTP_PORT": str(mail.port),
        "CROFT_SMTP_FROM": "croft@example.org",
        "CROFT_EXTERNAL_URL": "https://croft.example.org",
        "CROFT_NOTIFICATION_RETRIES": "1,1",
    }
    worker = portal.worker(**settings)
    portal.project("shop")
    add_channel("shop", "email", "team@example.org", "job.cancelled")
    job_id = end_a_job(portal, "shop")
    portal.until(all_are("delivered"), "the mail is taken at the second attempt")
    (found,) = mail.mails
    assert (found["To"], found["From"]) == ("team@example.org", "croft@example.org")
    assert found["Subject"] == "[Croft] Change project shop: cancelled"
    assert found["Message-ID"] == f"<{deliveries()[0].id}@croft.example.org>"
    text = found.get_content()
    assert "Cancelled by ada before it started" in text
    assert f"https://croft.example.org/jobs/{job_id}" in text
    assert "451" in worker.log
    mail.close()
