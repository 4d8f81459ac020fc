"""Every query of every dashboard and every rule finds something on a cluster that works."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.monitoring import dashboards
from tests.e2e.monitoring.conftest import values_of_variables
from tests.e2e.monitoring.empty import QUERIES, RULES
from tests.e2e.monitoring.prometheus import Prometheus, eventually

pytestmark = pytest.mark.e2e
Json = dict[str, Any]


@pytest.fixture(scope="module")
def seen(prometheus: Prometheus, busy: str) -> str:
    """The busy project, once its requests have been counted for a minute."""
    counted = f'rate(envoy_cluster_upstream_rq{{namespace="{busy}"}}[1m]) > 0'
    eventually(lambda: prometheus.query(counted), 120, "requests to the busy application are not counted")
    return busy


@pytest.mark.parametrize("uid", dashboards.uids())
def test_every_query_of_a_dashboard_finds_what_its_panel_names(
    prometheus: Prometheus, seen: str, uid: str
) -> None:
    end = time.time()
    empty, nameless = set(), {}
    for query in dashboards.queries(uid):
        found = prometheus.range(query.filled(**values_of_variables(seen)), end - 600, end)
        if not found:
            empty.add(str(query))
        elif lacks := query.names - {name for series in found for name in series["metric"]}:
            nameless[str(query)] = lacks
    assert empty - QUERIES.keys() == set()
    assert nameless == {}, "labels that a legend or a table names, and no series has"


def test_nothing_is_excused_that_is_no_query() -> None:
    known = {str(query) for uid in dashboards.uids() for query in dashboards.queries(uid)}
    assert QUERIES.keys() <= known


def selectors(node: Any) -> Iterator[str]:
    """The selectors in a parsed expression, each as an expression of its own."""
    if isinstance(node, dict):
        if node.get("type") in ("vectorSelector", "matrixSelector"):
            # A JSON string is a PromQL string as well.
            matchers = [
                f"{item['name']}{item['type']}{json.dumps(item['value'])}" for item in node["matchers"]
            ]
            yield "{" + ",".join(matchers) + "}"
        for child in node.values():
            yield from selectors(child)
    elif isinstance(node, list):
        for child in node:
            yield from selectors(child)


def test_every_rule_is_in_order(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.groups() for rule in group["rules"]]
    assert {rule["type"] for rule in rules} == {"recording", "alerting"}
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] != "ok"} == {}


def test_every_recorded_series_is_there(prometheus: Prometheus, seen: str) -> None:
    end = time.time()
    rules = [rule for group in prometheus.groups() for rule in group["rules"] if rule["type"] == "recording"]
    empty = {rule["name"] for rule in rules if not prometheus.range(rule["query"], end - 600, end)}
    assert empty - RULES.keys() == set()


def test_every_alert_looks_at_something(prometheus: Prometheus, seen: str) -> None:
    """An alert finds nothing while all is well; the series that it looks at have to be there all the same."""
    end = time.time()
    rules = [rule for group in prometheus.groups() for rule in group["rules"] if rule["type"] == "alerting"]
    unseen = {
        f"{rule['name']}: {selector}"
        for rule in rules
        for selector in selectors(prometheus.tree(rule["query"]))
        if not prometheus.range(f"group({selector})", end - 600, end)
    }
    assert unseen - RULES.keys() == set()
