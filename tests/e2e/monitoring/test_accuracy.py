"""The dashboards tell the truth: a known load, as they show it and as the kernel counts it.

All loads run at the same time, in one application; the window is long enough that the 15 s between two
samples do not matter.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import dashboards
from tests.e2e.monitoring.conftest import asked, values_of_variables
from tests.e2e.monitoring.counting import Count, MetricsServer
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.portal.live import create, project_of
from tests.playbook import ROOT
from tests.portal import Portal
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]

PROJECT = "mon-accuracy"
MIB = 2**20
CPU, MEMORY, WRITE, SEND = 0.25, 200 * MIB, 2 * MIB, 1 * MIB
# Seconds until every part of the chain has seen two samples of the steady load; seconds that are compared.
WARM_UP, WINDOW = 35, 75
CLOSE = 0.05

# Which panel shows it, of which dashboard and application: by title and letter.
PANELS = {
    "cpu": ("croft-application", "load", "CPU beside requests and limits", "A"),
    "memory": ("croft-application", "load", "Memory beside requests and limits", "A"),
    "written": ("croft-application", "load", "Disk traffic", "B"),
    "sent": ("croft-application", "load", "Network traffic", "B"),
    "received": ("croft-application", "sink", "Network traffic", "A"),
    "requests": ("croft-application", "web", "Requests now", "A"),
    "errors": ("croft-application", "web", "Errors now", "A"),
}


@dataclass(frozen=True)
class Measured:
    """The load as everyone else counts it. Rates are per second of the window that ended at `end`."""

    end: float
    used: dict[str, float]
    kernel: dict[str, float]
    top: dict[str, float]


def application(image: str, **variables: Any) -> Json:
    """Settings of an application that runs load.py."""
    return {
        "image": image,
        "command": ["python3", "-c"],
        "args": [(ROOT / "tests/e2e/monitoring/load.py").read_text()],
        "env": [{"name": name, "value": str(value)} for name, value in variables.items()],
        "ports": [{"targetPort": 8080}],
        "runAsUser": 10001,
        "resources": {
            "requests": {"cpu": "300m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "400Mi"},
        },
    }


@pytest.fixture(scope="module")
def pods(portal: Portal, kubectl: Kubectl, python_image: str, agnhost: str) -> Iterator[dict[str, Json]]:
    """The pods that load, that take what is sent, and that answer, by the names of their applications."""
    with project_of(portal, PROJECT) as name:
        create(portal, name, "web", small_application(agnhost))
        create(portal, name, "sink", application(python_image))
        loading = application(python_image, CPU=CPU, MEMORY=MEMORY, WRITE=WRITE, SEND=SEND, TO="sink:8080")
        create(portal, name, "load", loading | {"volume": {"size": "64Mi"}})
        found = json.loads(kubectl("get", "pods", "-n", name, "-o", "json"))["items"]
        yield {pod["metadata"]["labels"]["croft.dev/application"]: pod for pod in found}


@pytest.fixture(scope="module")
def measured(pods: dict[str, Json], kubectl: Kubectl, settings: Json) -> Measured:
    """What everyone counted in the window."""
    with asked(f"web.{PROJECT}.localhost", settings["http_port"]) as statuses:
        time.sleep(WARM_UP)
        watching = MetricsServer(kubectl, pods["load"])
        watching.start()
        before = Count.now(kubectl, pods, statuses)
        time.sleep(WINDOW)
        after = Count.now(kubectl, pods, statuses)
        top = watching.finish(before.time + 15)
    return Measured(after.time, after.used_since(before), after.kernel_since(before), top)


@pytest.fixture(scope="module")
def shown(prometheus: Prometheus, measured: Measured) -> dict[str, float]:
    """What the dashboards show at the end of the window."""
    found = {}
    for what, (uid, app, title, ref) in PANELS.items():
        query = dashboards.query(uid, title, ref)
        expression = query.filled(f"{WINDOW}s", **values_of_variables(PROJECT, app))
        found[what] = prometheus.value(expression, measured.end)
    return found


def test_the_load_was_what_was_asked_for(measured: Measured) -> None:
    """Or else all that follows would agree about nothing."""
    assert measured.used["cpu"] == pytest.approx(CPU, rel=0.02)
    assert measured.used["memory"] == pytest.approx(MEMORY, rel=0.1)
    assert measured.used["written"] == pytest.approx(WRITE, rel=0.05)
    assert measured.used["sent"] == pytest.approx(SEND, rel=0.05)
    assert measured.used["errors"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("what", PANELS)
def test_the_dashboard_shows_what_was_used(shown: dict[str, float], measured: Measured, what: str) -> None:
    assert shown[what] == pytest.approx(measured.used[what], rel=CLOSE)


@pytest.mark.parametrize("what", ["cpu", "memory", "written", "sent", "received"])
def test_the_dashboard_agrees_with_the_kernel(shown: dict[str, float], measured: Measured, what: str) -> None:
    assert shown[what] == pytest.approx(measured.kernel[what], rel=CLOSE)


@pytest.mark.parametrize("what", ["cpu", "memory"])
def test_the_dashboard_agrees_with_top(shown: dict[str, float], measured: Measured, what: str) -> None:
    assert shown[what] == pytest.approx(measured.top[what], rel=CLOSE)
