"""Every query of every dashboard and every rule finds something on a cluster that works."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import dashboards, faults
from tests.e2e.monitoring.conftest import values_of_variables
from tests.e2e.monitoring.empty import LABELS, QUERIES, RULES
from tests.e2e.monitoring.prometheus import Prometheus

pytestmark = pytest.mark.e2e
Json = dict[str, Any]


@dataclass(frozen=True)
class Settling:
    """A project that is being measured, and when (monotonic seconds) all of it has been."""

    project: str
    until: float


@pytest.fixture(scope="module")
def seen(kubectl: Kubectl, python_image: str, busy: str) -> Settling:
    """The busy project with a Job beside its application; soon everything of it has been measured.

    Volumes are measured once a minute, and rates need two samples of a pod that is new.
    """
    job = faults.job("done", python_image, "print('done')")
    kubectl("apply", "-n", busy, "-f", "-", stdin=json.dumps(job))
    return Settling(busy, time.monotonic() + 120)


@pytest.mark.parametrize("uid", dashboards.uids())
def test_every_query_of_a_dashboard_finds_what_its_panel_names(
    prometheus: Prometheus, seen: Settling, uid: str
) -> None:
    variables = values_of_variables(seen.project)
    if uid == "croft-namespaces":
        variables["namespace"] = ".*"
    wanted = {str(query): query for query in dashboards.queries(uid)}
    nameless: dict[str, set[str]] = {}
    while True:
        for name, query in list(wanted.items()):
            now = time.time()
            if found := prometheus.range(query.filled(**variables), now - 600, now):
                del wanted[name]
                nameless[name] = set(query.names - {label for series in found for label in series["metric"]})
        if not wanted.keys() - QUERIES.keys() or time.monotonic() > seen.until:
            break
        time.sleep(3)
    assert wanted.keys() - QUERIES.keys() == set(), "queries that find nothing"
    lacking = {name: lacks for name, lacks in nameless.items() if lacks and name not in LABELS}
    assert lacking == {}, "labels that no series has"


def test_nothing_is_excused_that_is_no_query() -> None:
    known = {str(query) for uid in dashboards.uids() for query in dashboards.queries(uid)}
    assert QUERIES.keys() <= known


def selectors(node: Any) -> Iterator[tuple[str, str]]:
    """The selectors in a parsed expression: the metric, and the selector as an expression of its own."""
    if isinstance(node, dict):
        if node.get("type") in ("vectorSelector", "matrixSelector"):
            # A JSON string is a PromQL string as well.
            matchers = [
                f"{item['name']}{item['type']}{json.dumps(item['value'])}" for item in node["matchers"]
            ]
            yield node["name"], "{" + ",".join(matchers) + "}"
        for child in node.values():
            yield from selectors(child)
    elif isinstance(node, list):
        for child in node:
            yield from selectors(child)


def test_every_rule_is_in_order(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.groups() for rule in group["rules"]]
    assert {rule["type"] for rule in rules} == {"recording", "alerting"}
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] != "ok"} == {}


def unfound(prometheus: Prometheus, seen: Settling, wanted: dict[str, str]) -> set[str]:
    """Names of the queries that find nothing, though all has been measured, and have no reason for it."""
    wanted = {name: query for name, query in wanted.items() if name.partition(" {")[0] not in RULES}
    while True:
        now = time.time()
        wanted = {
            name: query for name, query in wanted.items() if not prometheus.range(query, now - 600, now)
        }
        if not wanted or time.monotonic() > seen.until:
            return set(wanted)
        time.sleep(3)


def test_every_recorded_series_is_there(prometheus: Prometheus, seen: Settling) -> None:
    rules = [rule for group in prometheus.groups() for rule in group["rules"] if rule["type"] == "recording"]
    wanted = {rule["name"]: rule["query"] for rule in rules}
    assert unfound(prometheus, seen, wanted) == set()


def test_every_alert_looks_at_something(prometheus: Prometheus, seen: Settling) -> None:
    """An alert finds nothing while all is well; the series that it looks at have to be there all the same."""
    rules = [rule for group in prometheus.groups() for rule in group["rules"] if rule["type"] == "alerting"]
    wanted = {
        f"{rule['name']}: {metric} {selector}": f"group({selector})"
        for rule in rules
        for metric, selector in selectors(prometheus.tree(rule["query"]))
    }
    assert unfound(prometheus, seen, wanted) == set()
