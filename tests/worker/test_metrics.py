"""What a real worker tells Prometheus of its jobs and of the notifications that it sends."""

from contextlib import suppress

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.ports import free_port
from tests.worker.portal import WorkerPortal
from tests.worker.receivers import HookServer
from webapp.db import writing
from webapp.jobs.models import END_STATES, KINDS
from webapp.notifications import outbox
from webapp.notifications.models import Channel
from webapp.notifications.webhook import new_secret
from webapp.projects.models import Project

pytestmark = pytest.mark.slow


def _value(port: int, name: str, **labels: str) -> float | None:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if (sample.name, sample.labels) == (name, labels):
                return sample.value
    return None


def _answers(port: int) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).is_success
    return False


def test_what_a_worker_counts_is_zero_before_the_first_event(sqlite_portal: WorkerPortal) -> None:
    port = free_port()
    sqlite_portal.worker(CROFT_METRICS_PORT=str(port))
    sqlite_portal.until(lambda: _answers(port), "the metrics are served")
    for kind in KINDS:
        assert _value(port, "croft_job_wait_seconds_count", kind=kind) == 0
        for result in END_STATES:
            assert _value(port, "croft_job_duration_seconds_count", kind=kind, result=result) == 0
    assert _value(port, "croft_notifications_total", channel="email", result="failed") == 0
    assert _value(port, "croft_notifications_total", channel="webhook", result="failed") == 0


def test_a_worker_measures_how_long_jobs_wait_and_run(portal: WorkerPortal) -> None:
    port = free_port()
    portal.project("shop")
    waiting = portal.enqueue("shop")
    portal.worker(CROFT_METRICS_PORT=str(port))
    assert portal.wait(waiting).state == "succeeded"
    failed = portal.enqueue("shop", request={"name": "shop", "unknown": True})
    assert portal.wait(failed).state == "failed"

    job, seconds = portal.job(waiting), "croft_job_duration_seconds"
    assert job.finished_at is not None
    assert job.started_at is not None
    ran = (job.finished_at - job.started_at).total_seconds()
    labels = {"kind": "project.update", "result": "succeeded"}
    portal.until(lambda: _value(port, f"{seconds}_count", **labels) == 1, "the job is counted")
    assert _value(port, f"{seconds}_sum", **labels) == pytest.approx(ran, abs=1)
    labels["result"] = "failed"
    portal.until(lambda: _value(port, f"{seconds}_count", **labels) == 1, "the failed job is counted")
    assert _value(port, "croft_job_wait_seconds_count", kind="project.update") == 2
    # Until the worker was there, the first one waited; the second one found it idle.
    waited = (job.started_at - job.created_at).total_seconds()
    total = _value(port, "croft_job_wait_seconds_sum", kind="project.update")
    assert total is not None
    assert total >= waited


def test_a_worker_counts_how_deliveries_end(sqlite_portal: WorkerPortal) -> None:
    portal, port = sqlite_portal, free_port()
    hook = HookServer(answers=[500, 204])
    try:
        portal.project("shop")
        with writing() as session:
            channel = Channel(
                project=session.query(Project).one(),
                kind="webhook",
                target=hook.url,
                secret=new_secret(),
                events=["job.failed"],
                created_by="ada",
            )
            session.add(channel)
            session.flush()
            outbox.test(session, channel, "ada")
        portal.worker(
            CROFT_METRICS_PORT=str(port),
            CROFT_WEBHOOK_ALLOWED_CIDRS="127.0.0.0/8",
            CROFT_NOTIFICATION_RETRIES="1",
        )
        total = "croft_notifications_total"
        portal.until(lambda: _value(port, total, channel="webhook", result="delivered") == 1, "it arrives")
        assert _value(port, total, channel="webhook", result="retried") == 1
        assert len(hook.received) == 2
    finally:
        hook.close()
