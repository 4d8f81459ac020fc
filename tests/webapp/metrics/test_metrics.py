"""What the portal tells Prometheus: what is counted as it happens, and what is read when asked."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.webapp.conftest import PASSWORD, Api
from webapp.auth.models import User
from webapp.auth.throttle import ATTEMPTS_PER_NAME
from webapp.db import db, utcnow
from webapp.jobs.models import Job
from webapp.live.slots import slots
from webapp.metrics import jobs, serving
from webapp.metrics.series import REGISTRY
from webapp.openapi import Portal

HOST = {"Host": "croft.localhost:8080"}


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """Return a sample's value as Prometheus would read it; 0 when there is none."""
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return 0.0


@pytest.fixture
def risen() -> Any:
    """A function that tells by how much a sample has risen since it was asked last."""
    before: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def by(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        now = value(REGISTRY, name, **labels)
        rise = now - before.get(key, 0.0)
        before[key] = now
        return rise

    return by


@pytest.fixture
def queue(app: Portal) -> Iterator[Any]:
    """A function that stores a job of some age in a state."""
    count = iter(range(10_000))

    def store(state: str, *, age: float = 0.0, started: float | None = None) -> None:
        now = utcnow()
        number = next(count)
        user = db.session.query(User).filter_by(name="ada").one()
        db.session.add(
            Job(
                id=f"{number:032x}",
                kind="project.update",
                project_name=f"p{number}",
                user_id=user.id,
                user_name="ada",
                state=state,
                created_at=now - timedelta(seconds=age),
                started_at=None if started is None else now - timedelta(seconds=started),
            )
        )
        db.session.commit()

    with app.app_context():
        yield store


def test_requests_are_counted_by_endpoint_and_never_by_path(app: Portal, api: Api, risen: Any) -> None:
    endpoint = _endpoint(app, "/api/v1/projects/gone")
    labels = {"method": "GET", "endpoint": endpoint, "status": "404"}
    risen("croft_http_requests_total", **labels)
    assert api("ada").send("GET", "/projects/gone").status_code == 404
    assert api("ada").send("GET", "/projects/elsewhere").status_code == 404
    assert risen("croft_http_requests_total", **labels) == 2
    assert value(REGISTRY, "croft_http_request_duration_seconds_count", method="GET", endpoint=endpoint) >= 2
    text = generate_latest(REGISTRY).decode()
    assert "elsewhere" not in text
    assert "gone" not in text


def _endpoint(app: Portal, path: str) -> str:
    with app.test_request_context(path, headers=HOST) as context:
        assert context.request.endpoint
        return context.request.endpoint


def test_what_a_client_makes_up_makes_no_new_series(app: Portal, risen: Any) -> None:
    labels = {"method": "other", "endpoint": "none", "status": "404"}
    risen("croft_http_requests_total", **labels)
    client = app.test_client()
    for word in ("BREW", "FOO"):
        assert client.open(f"/nowhere/{word}", method=word, headers=HOST).status_code == 404
    assert risen("croft_http_requests_total", **labels) == 2
    assert "BREW" not in generate_latest(REGISTRY).decode()


def test_a_request_that_fails_is_counted_as_such(
    app: Portal, api: Api, risen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setitem(app.view_functions, "healthz", broken)
    labels = {"method": "GET", "endpoint": "healthz", "status": "500"}
    risen("croft_http_requests_total", **labels)
    assert app.test_client().get("/healthz", headers=HOST).status_code == 500
    assert risen("croft_http_requests_total", **labels) == 1


def test_attempts_to_sign_in_are_counted_by_how_they_end(app: Portal, risen: Any) -> None:
    def rises() -> list[float]:
        return [
            risen("croft_sign_ins_total", result=result) for result in ("succeeded", "failed", "throttled")
        ]

    def attempt(password: str) -> int:
        body = {"name": "ada", "password": password}
        return app.test_client().post("/api/v1/auth/token", json=body, headers=HOST).status_code

    rises()
    assert attempt(PASSWORD) == 200
    assert rises() == [1, 0, 0]
    assert {attempt("wrong") for _ in range(ATTEMPTS_PER_NAME)} == {401}
    assert rises() == [0, ATTEMPTS_PER_NAME, 0]
    assert attempt(PASSWORD) == 429
    assert rises() == [0, 0, 1]


def test_jobs_are_counted_by_state_with_the_age_of_the_oldest(app: Portal, queue: Any) -> None:
    queue("queued", age=90)
    queue("queued", age=30)
    queue("running", age=500, started=40)
    queue("failed", age=9000, started=8000)
    registry = serving.web_registry(app)
    assert value(registry, "croft_jobs", state="queued") == 2
    assert value(registry, "croft_jobs", state="running") == 1
    assert value(registry, "croft_jobs", state="failed") == 1
    assert value(registry, "croft_jobs", state="cancelled") == 0
    assert value(registry, "croft_job_oldest_age_seconds", state="queued") == pytest.approx(90, abs=15)
    assert value(registry, "croft_job_oldest_age_seconds", state="running") == pytest.approx(40, abs=15)


def test_no_job_at_all_is_a_zero(app: Portal) -> None:
    text = generate_latest(serving.web_registry(app)).decode()
    assert 'croft_job_oldest_age_seconds{state="queued"} 0.0' in text
    assert 'croft_jobs{state="queued"} 0.0' in text


def test_the_database_is_asked_once_however_many_ask(app: Portal, queue: Any, statements: list[str]) -> None:
    registry = serving.web_registry(app)
    statements.clear()
    threads = [threading.Thread(target=generate_latest, args=(registry,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([text for text in statements if "FROM jobs" in text]) == 1


def test_so_many_jobs_are_counted_and_no_more(
    app: Portal, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_COUNTED", 2)
    for _ in range(3):
        queue("succeeded")
    assert value(serving.web_registry(app), "croft_jobs", state="succeeded") == 2


def test_the_question_is_answered_from_an_index(app: Portal, queue: Any, statements: list[str]) -> None:
    queue("queued")
    statements.clear()
    generate_latest(serving.web_registry(app))
    asked = next(text for text in statements if "FROM jobs" in text)
    if db.engine.dialect.name != "sqlite":
        # PostgreSQL reads a table of one page as a whole, whatever indexes it has.
        return
    values = (1, "a", 2, 0) * 5 + ("b", "c")
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)
    steps = [row[3] for row in plan if " jobs" in row[3]]
    assert steps
    assert all("USING" in step and "INDEX ix_jobs_state_created_at" in step for step in steps), steps


def test_open_streams_are_told(app: Portal) -> None:
    registry = serving.web_registry(app)
    before = value(registry, "croft_streams_open")
    assert slots.take()
    try:
        assert value(registry, "croft_streams_open") == before + 1
    finally:
        slots.give_back()


def test_a_worker_tells_of_its_process_and_not_of_the_queue() -> None:
    text = generate_latest(serving.worker_registry()).decode()
    assert "process_resident_memory_bytes" in text
    assert "croft_jobs{" not in text
    assert "croft_streams_open" not in text
