"""Dashboards for members work where only series of one namespace are to be seen, and show no others."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from grafana import output
from grafana.board import TENANT
from grafana.structure import queries_of
from tests.prometheus import Measured, Monitored, running

VALUES = [float(60 * step) for step in range(60)]
FILLED = {
    "$__rate_interval": "2m",
    "$__range": "20m",
    "$__interval": "1m",
    "$namespace": "shop",
    "$application": "web",
    "$pod": ".*",
    "$container": ".*",
}


def _container(metric: str, namespace: str, job: str) -> Measured:
    labels = {"job": job, "namespace": namespace, "workload": "web", "pod": "web-1", "container": "web"}
    return Measured(metric, labels, VALUES)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """A container of the same name in two namespaces, for a real Prometheus behind a real label proxy."""
    metrics = [
        ("container_cpu_usage_seconds_total", "cadvisor"),
        ("container_memory_working_set_bytes", "cadvisor"),
        ("k8s_container_ready", "kube-state"),
        ("namespace:cpu_usage_of_cluster:ratio_rate5m", ""),
    ]
    series = [_container(metric, name, job) for metric, job in metrics for name in ("shop", "secret")]
    with running(tmp_path_factory.mktemp("prometheus"), series) as both:
        yield both


def _ask(monitored: Monitored, expression: str, namespace: str = "shop") -> httpx.Response:
    return httpx.get(
        f"{monitored.label_proxy}/api/v1/query",
        params={"query": expression, "time": monitored.until},
        headers={"X-Croft-Namespace": namespace},
        timeout=30,
    )


def _queries(uid: str) -> list[str]:
    board = json.loads((output.DASHBOARDS / f"{uid}.json").read_text())
    queries = queries_of(board)
    for macro, value in FILLED.items():
        queries = [query.replace(macro, value) for query in queries]
    return queries


@pytest.mark.parametrize("uid", TENANT)
def test_every_query_is_answered(monitored: Monitored, uid: str) -> None:
    for query in _queries(uid):
        answer = _ask(monitored, query)
        assert answer.status_code == 200, f"{query}: {answer.text}"
        namespaces = {found["metric"].get("namespace", "shop") for found in _result(answer)}
        assert namespaces <= {"shop"}, query


@pytest.mark.parametrize("uid", TENANT)
def test_another_namespace_in_the_variable_is_refused(monitored: Monitored, uid: str) -> None:
    """A member who opens the dashboard with somebody else's namespace in its address learns nothing."""
    for query in _queries(uid):
        if 'namespace="shop"' in query:
            answer = _ask(monitored, query.replace('"shop"', '"secret"'))
            assert answer.status_code == 400, query


def test_a_number_is_that_of_one_namespace(monitored: Monitored) -> None:
    """CPU rises by 60 s each 30 s in both namespaces: the member sees 2 cores, not 4."""
    board = json.loads((output.DASHBOARDS / "croft-project.json").read_text())
    panel = next(p for p in board["panels"] if p.get("title") == "CPU: used, reserved and quota")
    query = panel["targets"][0]["expr"]
    for macro, value in FILLED.items():
        query = query.replace(macro, value)
    assert [float(found["value"][1]) for found in _result(_ask(monitored, query))] == [pytest.approx(2)]


def _result(answer: httpx.Response) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result
