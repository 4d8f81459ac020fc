"""A node that is gone: dashboards and alerts say so, and all is well when it is back."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import dashboards, faults
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.podman import podman
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def items(kubectl: Kubectl, *what: str) -> list[Json]:
    """The objects of a kind."""
    found: list[Json] = json.loads(kubectl("get", *what, "-o", "json"))["items"]
    return found


def is_ready(thing: Json) -> bool:
    """Tell whether a node or a pod is ready; a pod that has ended by itself is done."""
    if thing["status"].get("phase") == "Succeeded":
        return True
    conditions = thing["status"].get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def healthy_pods(kubectl: Kubectl) -> list[Json]:
    """All pods but those that never become ready."""
    return [pod for pod in items(kubectl, "pods", "-A") if pod["metadata"]["namespace"] != faults.PROJECT]


@pytest.fixture(scope="module")
def lost(kubectl: Kubectl, prometheus: Prometheus) -> Iterator[str]:
    """A node that has been stopped, and is started again afterwards; then everything has to come back."""
    nodes = items(kubectl, "nodes")
    others = [node["metadata"]["name"] for node in nodes if CONTROL_PLANE not in node["metadata"]["labels"]]
    assert others, "this test needs a cluster of two nodes"
    name = others[0]
    watching = items(kubectl, "pods", "-n", "croft-monitoring")
    there = {
        pod["metadata"]["labels"]["app.kubernetes.io/name"]
        for pod in watching
        if pod["spec"]["nodeName"] == name
    }
    assert there <= {"cadvisor", "node-exporter"}, "who watches is to survive a node"
    podman("stop", "--time=20", name)
    try:
        yield name
    finally:
        podman("start", name)
        eventually(lambda: all(map(is_ready, items(kubectl, "nodes"))), 120, f"{name} does not come back")
        eventually(
            lambda: all(map(is_ready, healthy_pods(kubectl))),
            180,
            "not all pods are back",
        )
        eventually(lambda: not prometheus.query("up == 0"), 90, "not all targets are back")


def test_the_alerts_see_that_a_node_is_gone(prometheus: Prometheus, lost: str) -> None:
    for alert in ("NodeDown", "NodeNotReady", "KubeletDown"):
        (found,) = eventually(partial(prometheus.alerts, alert, node=lost), 120, f"no {alert}")
        assert found["labels"]["audience"] == "operator"
        assert lost in found["annotations"]["summary"]
    # Some of them wait for minutes before they fire; the panel's own query keeps the node of those as well.
    firing = dashboards.query("croft-cluster", "Firing alerts").filled().replace("firing", "pending")
    told = {(item["metric"]["alertname"], item["metric"].get("node")) for item in prometheus.query(firing)}
    assert told >= {("NodeDown", lost), ("KubeletDown", lost)}


def test_the_cluster_dashboard_shows_it(prometheus: Prometheus, lost: str, settings: Json) -> None:
    ready, every = (dashboards.query("croft-cluster", "Nodes ready", ref) for ref in "AB")
    assert prometheus.value(every.filled()) == settings["nodes"]
    assert prometheus.value(ready.filled()) == settings["nodes"] - 1
    # What the other nodes measure goes on.
    fresh = prometheus.query(f'up{{job="cadvisor",node!="{lost}"}} == 1')
    assert len(fresh) == settings["nodes"] - 1
    assert all(float(item["value"][0]) > time.time() - 60 for item in fresh)
