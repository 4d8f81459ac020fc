"""What can go wrong in a project, provoked for real and all at once: panels show it, and alerts say it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import picture, signed_in
from tests.e2e.monitoring import dashboards
from tests.e2e.monitoring.conftest import BUSY, Provoked, values_of_variables
from tests.e2e.monitoring.faults import PROJECT
from tests.e2e.monitoring.forward import Forward
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.waiting import eventually
from tests.portal import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("provoked")]
Json = dict[str, Any]
# Seconds until each has happened (a loop needs a few crashes), is measured, and a rule has looked.
SEEN = 240


@dataclass(frozen=True)
class Fault:
    """A fault: which alert tells of it, and what a panel's query finds of it.

    `finds`: labels that one of its series has; `least` and `most`: between which its value is.
    """

    application: str
    alert: str
    dashboard: str
    panel: str
    finds: dict[str, str]
    least: float
    most: float = float("inf")


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
    "CPU throttling": Fault("slow", "CpuThrottled", "croft-application", "CPU throttling by pod", {}, 0.5),
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
        "crash", "ApplicationDown", "croft-application", "Ready of desired replicas", {}, 0, 0
    ),
}


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
    # A new application is down until its first pod is ready: whatever has seen that is over a round later.
    eventually(lambda: not prometheus.alerts(fault.alert, namespace=busy), 120, f"{fault.alert} of {busy}")


@pytest.mark.parametrize("what", FAULTS)
def test_a_panel_shows_it(prometheus: Prometheus, what: str) -> None:
    fault = FAULTS[what]
    query = dashboards.query(fault.dashboard, fault.panel)
    expression = query.filled(**values_of_variables(PROJECT, fault.application))

    def shown() -> bool:
        return any(
            fault.finds.items() <= series["metric"].items()
            and fault.least <= float(series["value"][1]) <= fault.most
            for series in prometheus.query(expression)
        )

    eventually(shown, SEEN, f"{fault.panel} does not show it: {expression}")


def test_what_fires_reaches_alertmanager_and_the_project_alone(
    prometheus: Prometheus, alertmanager: Forward, portal: Portal, busy: str
) -> None:
    """The alert without a delay of its own; the others above wait for minutes before they fire."""
    name = "ContainerOutOfMemory"

    def fires() -> bool:
        return any(
            alert["state"] == "firing" and alert["labels"]["workload"] == "hungry"
            for alert in prometheus.alerts(name, namespace=PROJECT)
        )

    eventually(fires, SEEN, f"{name} does not fire")
    path = "/api/v2/alerts"
    wanted = {"filter": [f'alertname="{name}"', f'namespace="{PROJECT}"']}
    eventually(
        lambda: alertmanager.request(path, params=wanted).json(), 60, "Alertmanager does not know of it"
    )

    def shown(project: str) -> set[tuple[str, str]]:
        items = portal.call("GET", f"/api/v1/projects/{project}/alerts")["items"]
        return {(item["name"], item["labels"]["workload"]) for item in items}

    eventually(lambda: (name, "hungry") in shown(PROJECT), 30, "the project's alerts do not show it")
    assert {found for found in shown(busy) if found[1] not in ("web", "disk")} == set()
    every = portal.call("GET", f"/api/v1/alerts?namespace={PROJECT}")["items"]
    assert (name, PROJECT) in {(item["name"], item["namespace"]) for item in every}


def test_the_projects_channel_is_told_once_of_each(
    alertmanager: Forward, portal: Portal, provoked: Provoked
) -> None:
    def told() -> list[Json]:
        items: list[Json] = portal.call("GET", provoked.deliveries)["items"]
        return [item for item in items if item["event"] == "alert.firing"]

    eventually(told, 60, "the channel is not told")
    # Alerts with a delay of their own may fire by now as well.
    mine = {"filter": [f'namespace="{PROJECT}"', 'audience="project"'], "inhibited": "false"}

    def once_each() -> bool:
        return len(told()) == len(alertmanager.request("/api/v2/alerts", params=mine).json())

    eventually(once_each, 120, "the channel is not told of each alert once")


def test_the_pages_show_it(portal_url: str, admin: tuple[str, str]) -> None:
    with signed_in(portal_url, *admin) as page:
        page.goto(f"/projects/{PROJECT}/alerts")
        expect(page.locator("main")).to_contain_text("ran out of memory")
        picture(page, "monitoring-alerts")
        page.goto(f"/projects/{BUSY}/alerts")
        expect(page.locator("main")).not_to_contain_text("ran out of memory")
        page.goto("/alerts")
        expect(page.locator("main")).to_contain_text(PROJECT)
