"""What can go wrong in a project, provoked for real and all at once: panels show it, alerts say it to the right people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import dashboards, faults
from tests.e2e.monitoring.conftest import values_of_variables
from tests.e2e.monitoring.forward import Forward
from tests.e2e.monitoring.prometheus import Prometheus, eventually
from tests.e2e.portal.live import project_of
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
PROJECT = "mon-faults"
QUOTA = {"cpu": "500m", "memory": "512Mi", "storage": "64Mi", "pods": 8}
# Seconds from the fault until it is measured, the rule has looked, and the panel shows it.
SEEN = 150


@dataclass(frozen=True)
class Fault:
    """A fault: which alert tells of it, and what a panel's query finds of it.

    `finds`: labels that one of its series has; `least`: the value that one of them has at least.
    """

    application: str
    alert: str
    dashboard: str
    panel: str
    finds: dict[str, str]
    least: float


FAULTS = {
    "out of memory": Fault(
        "hungry", "ContainerOutOfMemory", "croft-application", "Out of memory in this time", {}, 1
    ),
    "crash loop": Fault(
        "crash",
        "PodCrashLooping",
        "croft-application",
        "Containers that do not run, by reason",
        {"k8s_container_status_reason": "CrashLoopBackOff"},
        1,
    ),
    "CPU throttling": Fault(
        "slow", "CpuThrottled", "croft-application", "CPU throttling by pod", {}, 0.5
    ),
    "image not found": Fault(
        "unknown",
        "ImageNotFound",
        "croft-pods",
        "Containers that do not run, with their reason",
        {"container": "application"},
        1,
    ),
    "full volume": Fault(
        "full",
        "VolumeNearlyFull",
        "croft-application",
        "Volumes: used of capacity",
        {"persistentvolumeclaim": "full"},
        0.9,
    ),
    "quota exhausted": Fault("many", "QuotaNearlyUsed", "croft-project", "Pod quota", {}, 1),
    "replicas missing": Fault(
        "crash", "ApplicationDown", "croft-application", "Ready of desired replicas", {}, 0
    ),
}


@pytest.fixture(scope="module", autouse=True)
def provoked(portal: Portal, kubectl: Kubectl, python_image: str, busy: str) -> Iterator[str]:
    """A project in which everything goes wrong; beside it the busy one, where nothing does."""
    with project_of(portal, PROJECT, quota=QUOTA) as name:
        items = faults.all_of(python_image)
        kubectl("apply", "-n", name, "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        yield name


@pytest.mark.parametrize("what", FAULTS)
def test_an_alert_looks_at_it(prometheus: Prometheus, busy: str, what: str) -> None:
    fault = FAULTS[what]
    labels = {"namespace": PROJECT}
    if what != "quota exhausted":
        labels["workload"] = fault.application
    found = eventually(
        partial(prometheus.alerts, fault.alert, **labels), SEEN, f"no {fault.alert} of {fault.application}"
    )
    for alert in found:
        assert alert["labels"]["audience"] == "project"
        assert PROJECT in alert["annotations"]["summary"]
        assert alert["annotations"]["runbook_url"].endswith(f"docs/runbooks/{fault.alert}.md")
    assert prometheus.alerts(fault.alert, namespace=busy) == []


@pytest.mark.parametrize("what", FAULTS)
def test_a_panel_shows_it(prometheus: Prometheus, what: str) -> None:
    fault = FAULTS[what]
    query = dashboards.query(fault.dashboard, fault.panel)
    expression = query.filled(**values_of_variables(PROJECT, fault.application))

    def shown() -> bool:
        return any(
            fault.finds.items() <= series["metric"].items() and float(series["value"][1]) >= fault.least
            for series in prometheus.query(expression)
        )

    eventually(shown, SEEN, f"{fault.panel} does not show it: {expression}")
