"""A filled portal in this process, and schemathesis' engine on it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from tests import prometheus
from tests.ports import free_port
from tests.webapp.alerts.stated import StatedAlertmanager, alert
from tests.webapp.conftest import PASSWORD
from tests.webapp.monitoring import measurements
from tests.webapp.pages.seed import fill, make_portal
from webapp import alerts, monitoring
from webapp.auth import services as auth

# What may be answered to a request that fits the schema. 412: If-Match names another version. 422: names that
# are given must be there, a quota must suffice, fields must fit each other, a key must be fresh: rules that
# no schema can say; what they are about stands in the problem.
VALID = ["2xx", "401", "403", "404", "409", "412", "422", "429", "503"]
# What may be answered to one that does not fit. 413: it is too large to be read.
INVALID = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]


@contextmanager
def serve(folder: Path) -> Iterator[tuple[Flask, str]]:
    """Serve a portal on SQLite with projects, applications and jobs in many states, and a stated cluster.

    Behind it is a real Prometheus. Yields the application and its address. It is asked over HTTP, on this
    machine alone, as programs ask it.
    """
    measured = folder / "prometheus"
    measured.mkdir()
    with prometheus.running(measured, measurements.series()) as monitored:
        yield from _serve(folder, monitored)


def _serve(folder: Path, monitored: prometheus.Monitored) -> Iterator[tuple[Flask, str]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app, cluster = make_portal(folder, url, **monitored.settings)
    # Whether an answer is right is asked here; how soon it comes, in tests/webapp/monitoring/test_faults.py.
    app.extensions[monitoring.KEY].prometheus.limit_s = 30
    with app.app_context():
        fill(cluster)
    mine = {"audience": "project", "namespace": "shop", "workload": "web"}
    stated = (alert("Restarts", severity="critical", **mine), alert("NodeDown", audience="operator"))
    app.extensions[alerts.KEY] = StatedAlertmanager(*stated)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app, url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    # HTTP/1.1 keeps the connection, which is most of the cost of a request here.
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        """Thousands of requests are sent; those that fail are told by the test."""


def token(app: Flask, user: str) -> str:
    """Return an access token of one of the users."""
    with app.app_context():
        return auth.sign_in(user, PASSWORD, "127.0.0.1")[1].access


@dataclass
class Report:
    """What a run has found and reached."""

    # Each failure once, in words, with the request that shows it and the answer to it.
    failures: list[str] = field(default_factory=list)
    phases: set[str] = field(default_factory=set)
    # Operations that were asked, like "GET /api/v1/projects", and those of them that have succeeded once.
    asked: set[str] = field(default_factory=set)
    succeeded: set[str] = field(default_factory=set)


def run(
    app: Flask, url: str, user: str | None, seconds: int, *, stateful: bool = False, only: str | None = None
) -> Report:
    """Let schemathesis use the API as `user` (None: a stranger) for about `seconds`.

    Either operation by operation (examples, coverage of the schemas, random data), or `stateful`: along the
    document's links, from what one operation has answered to the next. `only`: the one path that is asked.
    """
    alone = {name: {"enabled": not stateful} for name in ("examples", "coverage", "fuzzing")}
    settings = {
        "seed": 1,
        "phases": {**alone, "stateful": {"enabled": stateful}},
        "max-time": seconds,
        "headers": {"Authorization": f"Bearer {token(app, user)}"} if user else {},
        # NUL is refused in every body and address alike (tests/webapp/test_http.py).
        "generation": {"mode": "all", "database": "none", "no-shrink": True, "allow-x00": False},
        "continue-on-failure": True,
        "checks": {
            "positive_data_acceptance": {"expected-statuses": VALID},
            "negative_data_rejection": {"expected-statuses": INVALID},
        },
    }
    schema = schemathesis.openapi.from_url(
        f"{url}/api/v1/openapi.json", config=SchemathesisConfig.from_dict(settings)
    )
    if only is not None:
        schema = schema.include(path=only)
    report = Report()
    told: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            report.failures.append(f"{event.phase} {event.label}: {event.value!r}")
        if isinstance(event, events.ScenarioFinished):
            report.phases.add(event.phase.value)
            _note(event, report)
            for text in _failures(event):
                key = text.partition("\n")[0][:160]
                if key not in told:
                    told.add(key)
                    report.failures.append(text)
    return report


def _note(event: events.ScenarioFinished, report: Report) -> None:
    for case_id, interaction in event.recorder.interactions.items():
        label = event.recorder.cases[case_id].value.operation.label
        report.asked.add(label)
        if interaction.response is not None and interaction.response.status_code < 300:
            report.succeeded.add(label)


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                label = event.recorder.cases[case_id].value.operation.label
                failure = check.failure_info.failure
                answer = event.recorder.interactions[case_id].response
                told = f"{answer.status_code}: {answer.text[:600]}" if answer else "no answer"
                yield (
                    f"{label}: {check.name}: {failure.title}: {failure.message}\n"
                    f"{check.failure_info.code_sample}\n{told}"
                )
