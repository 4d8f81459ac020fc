"""Monitoring that is gone, slow or half there, and requests without sense: what users are told, and when."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests import prometheus
from tests.ports import free_port
from tests.prometheus import Monitored
from tests.webapp.monitoring.conftest import Asker, make, monitoring_of
from tests.webapp.pages.conftest import Visitor
from webapp.monitoring import limits
from webapp.monitoring.prometheus import LIMIT_S, Prometheus, Scope
from webapp.problems import Problem

BASE = "/projects/shop/monitoring/dashboards/croft-application"
PAGE = "/projects/shop/applications/web/monitoring"
# A panel of that dashboard with one query, and one with several.
ONE, SEVERAL = "Requests by status class", "Latency"
CHOICE = ("var", "application:web")


@contextmanager
def never_answers() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []
        server.settimeout(0.2)
        ends = threading.Event()

        def accept() -> None:
            while not ends.is_set():
                try:
                    kept.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ends.set()
            thread.join()
            for connection in kept:
                connection.close()


@contextmanager
def answers_with(body: bytes, status: str = "200 OK") -> Iterator[str]:
    """A server that answers everything with the same."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ends = threading.Event()

        def serve() -> None:
            while not ends.is_set():
                try:
                    connection = server.accept()[0]
                except TimeoutError:
                    continue
                with connection:
                    connection.recv(65_536)
                    try:
                        connection.sendall(head + body)
                    except OSError:
                        # The client has had enough, as it should.
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ends.set()
            thread.join()


def nowhere() -> str:
    """Return an address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def panel_id(app: Flask, title: str) -> int:
    """Return the number of a panel of the application's dashboard."""
    panels = monitoring_of(app).dashboards["croft-application"].panels
    return next(panel.id for panel in panels if panel.title == title)


def failures(app: Flask, title: str) -> tuple[list[str], list[dict[str, Any]], float]:
    """Return the problems that a panel tells of, its curves, and how long it took."""
    start = time.monotonic()
    answer = Asker(app, "ada").get(f"{BASE}/panels/{panel_id(app, title)}", CHOICE)
    took = time.monotonic() - start
    assert answer.status_code == 200, answer.text
    return (
        [item["type"].removeprefix("/problems/") for item in answer.json["failures"]],
        answer.json["curves"],
        took,
    )


def test_prometheus_is_gone(tmp_path: Path) -> None:
    app = make(tmp_path, prometheus_url=nowhere(), label_proxy_url=nowhere())
    assert failures(app, SEVERAL)[:2] == (["monitoring-unreachable"], [])
    page = Visitor(app, "ada").get(PAGE)
    assert page.status == 200
    assert ONE in page.text
    panel = Visitor(app, "ada").get(
        f"/projects/shop/monitoring/croft-application/panels/{panel_id(app, ONE)}"
    )
    assert "Monitoring does not answer now; try again in a minute." in panel.html


def test_prometheus_never_answers(tmp_path: Path) -> None:
    with never_answers() as address:
        app = make(tmp_path, prometheus_url=address, label_proxy_url=address)
        visitor = Visitor(app, "ada")
        start = time.monotonic()
        assert visitor.get(PAGE).status == 200
        assert time.monotonic() - start < LIMIT_S
        slugs, curves, took = failures(app, SEVERAL)
        assert (slugs, curves) == (["query-timeout"], [])
        # All of its queries wait side by side.
        assert LIMIT_S * 0.9 < took < LIMIT_S * 2
        start = time.monotonic()
        tables = visitor.get(f"{PAGE}?view=tables")
        assert tables.status == 200
        assert "took longer than 2 seconds" in tables.text
        assert time.monotonic() - start < LIMIT_S * 3


def test_the_label_proxy_is_gone_and_prometheus_is_there(tmp_path: Path, monitored: Monitored) -> None:
    app = make(tmp_path, prometheus_url=monitored.prometheus, label_proxy_url=nowhere())
    # Nothing goes to Prometheus instead.
    assert failures(app, ONE)[:2] == (["monitoring-unreachable"], [])
    answer = Asker(app, "ada").get("/projects/shop/prometheus/api/v1/query", ("query", "up"))
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/monitoring-unreachable")


def test_the_proxy_is_there_and_prometheus_is_gone(tmp_path: Path) -> None:
    with prometheus.label_proxy(nowhere()) as proxy:
        app = make(tmp_path, label_proxy_url=proxy)
        assert failures(app, ONE)[:2] == (["monitoring-unreachable"], [])


def test_monitoring_is_not_installed(tmp_path: Path) -> None:
    app = make(tmp_path)
    answer = Asker(app, "ada").get(f"{BASE}/panels/{panel_id(app, ONE)}", CHOICE)
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/monitoring-not-installed")
    for name, path in (("ada", PAGE), ("root", "/monitoring"), ("root", "/monitoring/croft-cluster")):
        assert "Monitoring is not installed here" in Visitor(app, name).get(path).text


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'{"status":"success","data":[' + b'"x",' * 3_000_000 + b'"x"]}', "200 OK", "answer-too-large"),
        (b'{"status":"error","errorType":"timeout","error":"query timed out"}', "503 x", "query-timeout"),
        (
            b'{"status":"error","errorType":"execution","error":"it would load too many samples"}',
            "422 x",
            "too-many-samples",
        ),
        (b'{"status":"error","errorType":"bad_data","error":"1:1: parse error"}', "400 x", "query-refused"),
        (b"<html>Bad gateway</html>", "502 Bad Gateway", "monitoring-unreachable"),
        (b"", "404 Not Found", "monitoring-unreachable"),
    ],
)
def test_why_there_is_no_answer_is_told_apart(body: bytes, status: str, slug: str) -> None:
    with answers_with(body, status) as address:
        client = Prometheus(address, "", limit_s=20)
        with pytest.raises(Problem) as told:
            client.ask(Scope(None), "labels", ())
    assert told.value.type.slug == slug


def test_one_query_fails_and_the_others_are_drawn(observed: Flask, monitored: Monitored) -> None:
    monitoring = monitoring_of(observed)
    dashboard = monitoring.dashboards["croft-application"]
    panel = next(panel for panel in dashboard.panels if panel.title == SEVERAL)
    first, *others = panel.targets
    broken = panel.model_copy(update={"targets": (first.model_copy(update={"expr": "rate(up)"}), *others)})
    from webapp.monitoring.services import Wanted

    wanted = Wanted({"application": ["web"]}, str(monitored.until - 3600), str(monitored.until))
    data = monitoring.show(1, Scope("shop"), dashboard, broken, wanted)
    assert [(item.ref, item.slug) for item in data.failures] == [("A", "query-refused")]
    assert len(data.curves) == len(others)


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ((("from", "now"), ("to", "now-1h")), "from"),
        ((("from", "now"), ("to", "now")), "from"),
        ((("from", "now-16d"),), "from"),
        ((("from", "1970-01-01T00:00:00Z"),), "from"),
        ((("from", "yesterday"),), "from"),
        ((("to", "now-99999999y"),), "to"),
        ((("to", "9999-12-31T23:59:59Z"),), "to"),
        ((("from", "now-7d"), ("step", "15")), "step"),
        ((("step", "14"),), "step"),
        ((("step", "0"),), "step"),
        ((("step", "-60"),), "step"),
        ((("width", "1000000"),), "width"),
        ((("var", "nothing:x"),), "nothing"),
        ((("var", "application:web"), ("var", "application:db")), "application"),
        ((("var", "application:$__all"),), "application"),
        ((("query", "up"),), "query"),
    ],
)
def test_requests_that_make_no_sense(observed: Flask, pairs: tuple[tuple[str, str], ...], field: str) -> None:
    answer = Asker(observed, "ada").get(f"{BASE}/panels/{panel_id(observed, ONE)}", *pairs)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_what_is_not_there(observed: Flask) -> None:
    ada = Asker(observed, "ada")
    nothing = ada.get("/projects/shop/monitoring/dashboards/nothing")
    assert (nothing.status_code, nothing.json["type"]) == (404, "/problems/dashboard-not-found")
    panel = ada.get(f"{BASE}/panels/1")
    assert (panel.status_code, panel.json["type"]) == (404, "/problems/panel-not-found")
    number = ada.get(f"{BASE}/panels/x")
    assert (number.status_code, [error["field"] for error in number.json["errors"]]) == (422, ["panel"])


def test_a_page_tells_what_is_wrong_with_its_time(observed: Flask) -> None:
    page = Visitor(observed, "ada").get(f"{PAGE}?from=now&to=now-1h")
    assert page.status == 200
    assert "The time must begin before it ends" in page.text


def test_nobody_takes_all_places(observed: Flask) -> None:
    places = monitoring_of(observed).places
    ada = Asker(observed, "ada")
    query = ("/projects/shop/prometheus/api/v1/query", ("query", "up"))
    with observed.app_context():
        from tests.webapp.pages.seed import user

        own, other = user("ada").id, user("linus").id
    held = [places.taken(own) for _ in range(limits.MOST_EACH)]
    for place in held:
        place.__enter__()
    try:
        answer = ada.get(*query)
        assert (answer.status_code, answer.json["type"]) == (429, "/problems/too-many-queries")
        assert int(answer.headers["Retry-After"]) > 0
        # Others are served, and dashboards are listed.
        assert Asker(observed, "linus").get(*query).status_code == 200
        assert ada.get("/projects/shop/monitoring/dashboards").status_code == 200
    finally:
        for place in held:
            place.__exit__(None, None, None)
    assert ada.get(*query).status_code == 200
    crowd = limits.Places(most=2, most_each=8)
    with crowd.taken(own), crowd.taken(other), pytest.raises(Problem), crowd.taken(99):
        pass
