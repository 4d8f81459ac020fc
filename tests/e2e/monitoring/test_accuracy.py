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
from tests.e2e.monitoring.accuracy_table import Row, write
from tests.e2e.monitoring.conftest import Provoked, asked, running, values_of_variables
from tests.e2e.monitoring.counting import Count, MetricsServer
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.portal.live import create, project_of
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]

PROJECT = "mon-accuracy"
MIB = 2**20
CPU, MEMORY, WRITE, SEND = 0.25, 200 * MIB, 2 * MIB, 1 * MIB
# Seconds until every part of the chain has seen two samples of the steady load; seconds that are compared.
WARM_UP, WINDOW = 35, 75
CLOSE = 0.05

# What is shown where: the application, the dashboard, and the panel by its title and the query's letter.
PANELS = [
    ("cpu", "load", "croft-application", "CPU beside requests and limits", "A"),
    ("cpu", "load", "croft-pods", "CPU by container", "A"),
    ("memory", "load", "croft-application", "Memory beside requests and limits", "A"),
    ("memory", "load", "croft-pods", "Memory by container", "A"),
    ("written", "load", "croft-application", "Disk traffic", "B"),
    ("written", "load", "croft-pods", "Disk traffic by container", "B"),
    ("sent", "load", "croft-application", "Network traffic", "B"),
    ("sent", "load", "croft-pods", "Network traffic by pod", "B"),
    ("received", "sink", "croft-application", "Network traffic", "A"),
    ("received", "sink", "croft-pods", "Network traffic by pod", "A"),
    ("requests", "web", "croft-application", "Requests now", "A"),
    ("errors", "web", "croft-application", "Errors now", "A"),
]


@dataclass(frozen=True)
class Measured:
    """The load as everyone else counts it. Rates are per second of the window that ended at `end`."""

    end: float
    used: dict[str, float]
    kernel: dict[str, float]
    top: dict[str, float]


def loading(image: str, **variables: Any) -> Json:
    """Settings of an application that runs load.py."""
    resources = {
        "requests": {"cpu": "300m", "memory": "64Mi"},
        "limits": {"cpu": "1", "memory": "400Mi"},
    }
    env = [{"name": name, "value": str(value)} for name, value in variables.items()]
    return running(image, "load.py", resources=resources, env=env, volume={"size": "64Mi"})


@pytest.fixture(scope="module")
def pods(
    provoked: Provoked, portal: Portal, kubectl: Kubectl, python_image: str
) -> Iterator[dict[str, Json]]:
    """The pods that load, that take what is sent, and that answer, by the names of their applications.

    The faults are not needed here, but these tests are the first ones, and wait; meanwhile the faults ripen.
    """
    with project_of(portal, PROJECT) as name:
        create(portal, name, "web", running(python_image, "server.py", volume={"size": "64Mi"}))
        create(portal, name, "sink", loading(python_image))
        load = loading(python_image, CPU=CPU, MEMORY=MEMORY, WRITE=WRITE, SEND=SEND, TO="sink:8080")
        create(portal, name, "load", load)
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
        top = watching.finish()
    return Measured(after.time, after.used_since(before), after.kernel_since(before), top)


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    """What the documentation says afterwards."""
    found: list[Row] = []
    yield found
    write(found)


def shown(prometheus: Prometheus, end: float, app: str, uid: str, title: str, ref: str) -> float:
    """What a panel shows for the window that ended at `end`."""
    query = dashboards.query(uid, title, ref)
    return prometheus.value(query.filled(f"{WINDOW}s", **values_of_variables(PROJECT, app)), end)


def test_the_load_was_what_was_asked_for(measured: Measured) -> None:
    """Or else all that follows would agree about nothing."""
    assert measured.used["cpu"] == pytest.approx(CPU, rel=0.02)
    assert measured.used["memory"] == pytest.approx(MEMORY, rel=0.1)
    assert measured.used["written"] == pytest.approx(WRITE, rel=0.05)
    assert measured.used["sent"] == pytest.approx(SEND, rel=0.05)
    assert measured.used["errors"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel[0]}-{panel[2]}")
def test_a_panel_shows_what_was_used(
    prometheus: Prometheus, measured: Measured, rows: list[Row], panel: tuple[str, str, str, str, str]
) -> None:
    what, *where = panel
    value = shown(prometheus, measured.end, *where)
    compared = measured.used[what], measured.kernel.get(what), measured.top.get(what)
    rows.append(Row(what, f"{dashboards.dashboard(where[1])['title']}: {where[2]}", value, *compared))
    assert value == pytest.approx(measured.used[what], rel=CLOSE), "what the load says"
    if what in measured.kernel:
        assert value == pytest.approx(measured.kernel[what], rel=CLOSE), "what the kernel counted"
    if what in measured.top:
        assert value == pytest.approx(measured.top[what], rel=CLOSE), "what kubectl top shows"


def test_every_source_was_compared(measured: Measured) -> None:
    assert measured.kernel.keys() == {"cpu", "memory", "written", "sent", "received"}
    assert measured.top.keys() == {"cpu", "memory"}
