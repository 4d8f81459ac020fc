"""A second scraper of the same containers, nodes or objects changes no number on any dashboard."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.monitoring import dashboards
from tests.e2e.monitoring.conftest import values_of_variables
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.monitoring.replica import replica

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
# Jobs that may be scraped twice by mistake: by two instances, or under another name (the kubelet's cAdvisor).
TWICE = ("cadvisor", "kube-state")


def twice(series: Json) -> list[Json]:
    """A series as it would be with a second scraper: by another instance of the job, and by another job."""
    labels = series["metric"]
    # A scraper's own `up` is about the scraper: a panel that lists the jobs does list another one.
    if labels.get("job") not in TWICE or labels["__name__"] == "up":
        return [series]
    second = {**labels, "instance": "second:8080"}
    other = {**labels, "job": f"other-{labels['job']}", "instance": "third:8080"}
    return [{**series, "metric": each} for each in (labels, second, other)]


def answers(
    server: Prometheus, at: float, variables: dict[str, str], rules: dict[str, str]
) -> dict[str, dict[str, float]]:
    """What every query of every dashboard, and every rule's (by name), gives at a time: values by labels."""
    found = {name: _values(server.query(expression, at)) for name, expression in rules.items()}
    for uid in dashboards.uids():
        for query in dashboards.queries(uid):
            expression = query.filled("1m", "2m", **variables)
            items = server.query(expression, at)
            if "topk(" in expression:
                # Which one of equals is among the highest is not said: the values are, in their order.
                values = sorted(float(item["value"][1]) for item in items)
                found[str(query)] = {str(place): value for place, value in enumerate(values)}
            else:
                found[str(query)] = _values(items)
    return found


def _values(items: list[Json]) -> dict[str, float]:
    return {str(sorted(item["metric"].items())): float(item["value"][1]) for item in items}


def test_no_query_counts_twice(prometheus: Prometheus, busy: str, tmp_path: Path) -> None:
    at = time.time() - 5
    variables = values_of_variables(busy)
    # Recorded series are copied as they are, so the rules are asked what they would record.
    rules = {rule["name"]: rule["query"] for group in prometheus.groups() for rule in group["rules"]}
    series = prometheus.query('{__name__=~".+"}[3m]', at)
    assert {one["metric"].get("job") for one in series} >= set(TWICE)
    with replica(tmp_path / "once", series) as server:
        once = answers(server, at, variables, rules)
    with replica(tmp_path / "twice", [copy for one in series for copy in twice(one)]) as server:
        doubled = answers(server, at, variables, rules)
    # Sums of the same numbers in another order differ in their last digits.
    same = {name: pytest.approx(values, rel=1e-9, nan_ok=True) for name, values in once.items()}
    assert {name: (values, once[name]) for name, values in doubled.items() if values != same[name]} == {}
    assert sum(map(bool, once.values())) > 150
