"""The dashboards tell the truth: a known load, as they show it and as the kernel counts it.

All loads run at the same time, in one application; the window is long enough that the 15 s between two samples
do not matter.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import cgroups
from tests.e2e.portal.live import create, project_of
from tests.playbook import ROOT
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]

PROJECT = "mon-accuracy"
MIB = 2**20
CPU, MEMORY, WRITE, SEND = 0.25, 200 * MIB, 2 * MIB, 1 * MIB
# Seconds until every part of the chain has seen two samples of the steady load; seconds that are compared.
WARM_UP, WINDOW = 35, 75
CLOSE = 0.05


def application(image: str, **variables: str) -> Json:
    """Settings of an application that runs load.py."""
    return {
        "image": image,
        "command": ["python3", "-c"],
        "args": [(ROOT / "tests/e2e/monitoring/load.py").read_text()],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "ports": [{"targetPort": 8080}],
        "runAsUser": 10001,
        "resources": {
            "requests": {"cpu": "300m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "400Mi"},
        },
    }


@dataclass(frozen=True)
class Measured:
    """The same load, told by everyone who counts it; rates are per second of the window."""

    pod: str
    end: float
    burnt: dict[str, float]
    kernel: dict[str, float]
    metrics_server: dict[str, float]


@pytest.fixture(scope="module")
def pods(portal: Portal, kubectl: Kubectl, python_image: str) -> Iterator[dict[str, Json]]:
    """The pods that load and that take what is sent, by the names of their applications."""
    with project_of(portal, PROJECT) as name:
        create(portal, name, "sink", application(python_image))
        wanted = {"CPU": CPU, "MEMORY": MEMORY, "WRITE": WRITE, "SEND": SEND, "TO": "sink:8080"}
        texts = {key: str(value) for key, value in wanted.items()}
        loading = application(python_image, **texts) | {"volume": {"size": "64Mi"}}
        create(portal, name, "load", loading)
        found = json.loads(kubectl("get", "pods", "-n", name, "-o", "json"))["items"]
        yield {pod["metadata"]["labels"]["croft.dev/application"]: pod for pod in found}


def last_line(kubectl: Kubectl, pod: Json) -> Json:
    """What the load itself has counted so far."""
    told: Json = json.loads(kubectl("logs", "-n", PROJECT, pod["metadata"]["name"], "--tail=1"))
    return told


class MetricsServer(threading.Thread):
    """Reads what `kubectl top` shows, every 5 s. Each answer holds for a window of its own of about 15 s."""

    def __init__(self, kubectl: Kubectl, pod: str) -> None:
        super().__init__(daemon=True)
        self._kubectl, self._path = kubectl, f"/apis/metrics.k8s.io/v1beta1/namespaces/{PROJECT}/pods/{pod}"
        self._over = threading.Event()
        self.seen: dict[str, Json] = {}

    def run(self) -> None:
        """Collect the answers by their times until the end."""
        while not self._over.wait(5):
            told = json.loads(self._kubectl("get", "--raw", self._path))
            self.seen[told["timestamp"]] = told["containers"][0]["usage"]

    def finish(self, begin: float) -> dict[str, float]:
        """Return the mean of what was seen of the time since `begin`."""
        self._over.set()
        self.join()
        used = [
            usage for moment, usage in self.seen.items() if datetime.fromisoformat(moment).timestamp() > begin
        ]
        assert len(used) >= 3, self.seen
        return {
            "cpu": fmean(int(usage["cpu"].removesuffix("n")) / 1e9 for usage in used),
            "memory": fmean(int(usage["memory"].removesuffix("Ki")) * 1024 for usage in used),
        }


@pytest.fixture(scope="module")
def measured(pods: dict[str, Json], kubectl: Kubectl) -> Measured:
    """What everyone counted in the window."""
    load, sink = pods["load"], pods["sink"]
    name = load["metadata"]["name"]
    time.sleep(WARM_UP)
    watching = MetricsServer(kubectl, name)
    watching.start()
    told, taken, before, before_sink = (
        last_line(kubectl, load),
        last_line(kubectl, sink),
        cgroups.read(load),
        cgroups.read(sink),
    )
    time.sleep(WINDOW)
    end = time.time()
    after, after_sink = cgroups.read(load), cgroups.read(sink)
    told_now, taken_now = last_line(kubectl, load), last_line(kubectl, sink)
    span, span_sink = told_now["time"] - told["time"], taken_now["time"] - taken["time"]
    burnt = {key: (told_now[key] - told[key]) / span for key in ("cpu", "written", "sent")}
    burnt["received"] = (taken_now["received"] - taken["received"]) / span_sink
    seconds, seconds_sink = after.time - before.time, after_sink.time - before_sink.time
    kernel = {
        "cpu": (after.cpu - before.cpu) / seconds,
        "memory": after.memory,
        "written": (after.written - before.written) / seconds,
        "sent": (after.sent - before.sent) / seconds,
        "received": (after_sink.received - before_sink.received) / seconds_sink,
    }
    return Measured(
        name, end, burnt | {"memory": told_now["memory"]}, kernel, watching.finish(end - WINDOW + 15)
    )
