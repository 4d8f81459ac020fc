"""Which of Prometheus' targets do not answer, as an operator reads it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils.targets import TargetsError, active, forwarded, troubles, wait_for_answers

Json = dict[str, Any]


def target(job: str, health: str = "up", error: str = "", **labels: str) -> Json:
    return {
        "labels": {"job": job, "instance": "10.0.0.1:9000", **labels},
        "health": health,
        "lastError": error,
    }


@contextmanager
def prometheus(*answers: list[Json] | str) -> Iterator[str]:
    """A server that gives the answers one after the other, the last of them for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = left.pop(0) if len(left) > 1 else left[0]
            assert self.path == "/api/v1/targets?state=active"
            body = found if isinstance(found, str) else json.dumps({"data": {"activeTargets": found}})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_all_is_well() -> None:
    assert troubles([target("node"), target("etcd")], ["node"]) == []


def test_each_trouble_is_a_sentence_that_names_the_place() -> None:
    found = [
        target("node", "down", "connection refused", node="croft-1"),
        target("application", "down", "sample limit exceeded", namespace="shop", pod="web-1"),
        target("alertmanager", "unknown"),
        target("cadvisor"),
    ]
    assert troubles(found, []) == [
        "alertmanager at 10.0.0.1:9000 does not answer: not asked yet",
        "application at shop/web-1 does not answer: sample limit exceeded",
        "node at croft-1 does not answer: connection refused",
    ]
    # What members run is no reason to wait.
    assert troubles(found, ["cadvisor", "etcd", "node"]) == [
        "etcd has no target",
        "node at croft-1 does not answer: connection refused",
    ]


def test_waiting_ends_when_all_answer() -> None:
    with prometheus("starting", [target("node", "unknown")], [target("node")]) as address:
        assert wait_for_answers(address, ["node"], 20) == []


def test_what_is_left_when_time_is_up_is_told() -> None:
    with prometheus([target("node", "down", "timeout", node="croft-1")]) as address:
        assert wait_for_answers(address, [], 0) == ["node at croft-1 does not answer: timeout"]


def test_a_prometheus_that_says_something_else_is_an_error() -> None:
    with prometheus("<html>") as address, pytest.raises(TargetsError, match="Prometheus does not answer"):
        active(address)
    with pytest.raises(TargetsError, match="Prometheus does not answer"):
        wait_for_answers("http://127.0.0.1:9", [], 0)


def test_a_cluster_that_refuses_is_quoted(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'error: deployments \"prometheus\" not found' >&2\nexit 1\n")
    kubectl.chmod(0o755)
    with (
        pytest.raises(TargetsError, match='deployments "prometheus" not found'),
        forwarded(str(kubectl), "kubeconfig", "croft-monitoring"),
    ):
        pass
