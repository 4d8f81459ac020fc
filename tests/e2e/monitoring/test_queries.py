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


def found_by(
    prometheus: Prometheus, seen: Settling, wanted: dict[str, str], excused: set[str]
) -> dict[str, list[Json]]:
    """The series of queries by name, asked until all but the excused find some or all has been measured."""
    found: dict[str, list[Json]] = {}
    while True:
        for name in wanted.keys() - found.keys():
            now = time.time()
            if series := prometheus.range(wanted[name], now - 600, now):
                found[name] = series
        if not wanted.keys() - found.keys() - excused or time.monotonic() > seen.until:
            return found
        time.sleep(3)


@pytest.mark.parametrize("uid", dashboards.uids())
def test_every_query_of_a_dashboard_finds_what_its_panel_names(
    prometheus: Prometheus, seen: Settling, uid: str
) -> None:
    variables = values_of_variables(seen.project)
    if uid == "croft-namespaces":
        variables["namespace"] = ".*"
    queries = {str(query): query for query in dashboards.queries(uid)}
    wanted = {name: query.filled(**variables) for name, query in queries.items()}
    found = found_by(prometheus, seen, wanted, set(QUERIES))
    assert wanted.keys() - found.keys() - QUERIES.keys() == set(), "queries that find nothing"
    nameless = {
        name: queries[name].names
        - {label for one in series for label in one["metric"]}
        - LABELS.get(name, {}).keys()
        for name, series in found.items()
    }
    lacking = {name: lacks for name, lacks in nameless.items() if lacks}
    assert lacking == {}, "labels that no series has"


def test_nothing_is_excused_that_is_no_query() -> None:
    known = {str(query): query for uid in dashboards.uids() for query in dashboards.queries(uid)}
    assert QUERIES.keys() <= known.keys()
    assert all(labels.keys() <= known[name].names for name, labels in LABELS.items())


def test_requests_are_counted_where_an_ingress_leads_and_nowhere_else(
    prometheus: Prometheus, seen: Settling, kubectl: Kubectl
) -> None:
    """What Envoy asks itself, and Contour, are no requests."""
    counted = prometheus.query('group by (namespace, workload) (envoy_cluster_upstream_rq_xx{job="envoy"})')
    found = {(series["metric"]["namespace"], series["metric"]["workload"]) for series in counted}
    led = {
        (ingress["metadata"]["namespace"], path["backend"]["service"]["name"])
        for ingress in json.loads(kubectl("get", "ingress", "-A", "-o", "json"))["items"]
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert ("croft", "portal") in found
    # Prometheus looks back for 5 minutes; what other tests have deleted since is no fault.
    namespaces = {
        item["metadata"]["name"] for item in json.loads(kubectl("get", "ns", "-o", "json"))["items"]
    }
    assert {name for name in found - led if name[0] in namespaces} == set()


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


def unfound(prometheus: Prometheus, seen: Settling, wanted: list[tuple[str, str]]) -> set[str]:
    """Names of the queries, of (name, query), that find nothing and have no reason for it."""
    queries = {f"{name} {query}": query for name, query in wanted if name not in RULES}
    return queries.keys() - found_by(prometheus, seen, queries, set()).keys()


def test_every_recorded_series_is_there(prometheus: Prometheus, seen: Settling) -> None:
    rules = [rule for group in prometheus.groups() for rule in group["rules"] if rule["type"] == "recording"]
    assert unfound(prometheus, seen, [(rule["name"], rule["query"]) for rule in rules]) == set()


def test_every_alert_looks_at_something(prometheus: Prometheus, seen: Settling) -> None:
    """An alert finds nothing while all is well; the series that it looks at have to be there all the same."""
    rules = [rule for group in prometheus.groups() for rule in group["rules"] if rule["type"] == "alerting"]
    wanted = [
        (f"{rule['name']}: {metric}", f"group({selector})")
        for rule in rules
        for metric, selector in selectors(prometheus.tree(rule["query"]))
    ]
    assert unfound(prometheus, seen, wanted) == set()
