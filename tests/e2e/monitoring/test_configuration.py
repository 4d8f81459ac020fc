"""What goes wrong with monitoring itself: rules that cannot be read, and a Prometheus that dies."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from httpx import Response

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring.forward import MONITORING
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.waiting import eventually
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
BROKEN = "groups: [{name: broken, rules: [{record: 'croft:broken', expr: 'sum by (('}]}]"
LABEL = "app.kubernetes.io/name=prometheus"


@dataclass(frozen=True)
class Rules:
    """A file of rules in a ConfigMap of the cluster's Prometheus."""

    kubectl: Kubectl
    configmap: str
    file: str
    text: str

    def write(self, text: str) -> None:
        """Change the file, and have the kubelet bring it to the pod now: it looks when a pod changes."""
        where, change = ("-n", MONITORING), json.dumps({"data": {self.file: text}})
        self.kubectl("patch", "configmap", self.configmap, *where, "--type=merge", "-p", change)
        looked = f"croft.dev/looked={time.time():.0f}"
        self.kubectl("annotate", "pod", *where, "-l", LABEL, looked, "--overwrite")


@pytest.fixture
def rules(kubectl: Kubectl) -> Iterator[Rules]:
    """The alerts, which are as before afterwards, whatever happened."""
    found = json.loads(kubectl("get", "configmaps", "-n", MONITORING, "-o", "json"))["items"]
    ((name, text),) = [
        (item["metadata"]["name"], item["data"]["alerts.yml"])
        for item in found
        if "alerts.yml" in item.get("data", {})
    ]
    alerts = Rules(kubectl, name, "alerts.yml", text)
    yield alerts
    alerts.write(text)


def test_broken_rules_leave_the_running_ones_alone(prometheus: Prometheus, rules: Rules) -> None:
    loaded = 'prometheus_config_last_reload_successful{job="prometheus"}'
    before = [(group["file"], group["name"]) for group in prometheus.groups()]
    assert prometheus.value(loaded) == 1
    rules.write(BROKEN)
    eventually(lambda: prometheus.query(f"{loaded} == 0"), 120, "the broken file is not noticed")
    told = partial(prometheus.alerts, "PrometheusConfigReloadFailed")
    eventually(told, 60, "nobody is told of the broken file")
    assert [(group["file"], group["name"]) for group in prometheus.groups()] == before
    assert prometheus.value('up{job="prometheus"}') == 1
    # What ran before, to the letter, is no change for Prometheus: it would go on to say that it failed.
    rules.write(f"{rules.text}# Mended\n")
    eventually(lambda: prometheus.query(f"{loaded} == 1"), 120, "the mended file is not loaded")
    assert [(group["file"], group["name"]) for group in prometheus.groups()] == before


def test_a_killed_prometheus_comes_back_with_its_data_and_the_portal_says_when_it_is_away(
    prometheus: Prometheus, portal: Portal, kubectl: Kubectl
) -> None:
    before = time.time()
    count = prometheus.value('count(up{job="node"})', before)
    kubectl("delete", "pod", "-n", MONITORING, "-l", LABEL, "--grace-period=0", "--force")
    path = "/api/v1/monitoring/prometheus/api/v1/query?query=up"

    def unreachable() -> Response | None:
        # While the pod ends a query may get no answer at all, which is another problem.
        found = portal.request("GET", path)
        is_it = found.is_error and found.json()["type"] == "/problems/monitoring-unreachable"
        return found if is_it else None

    answer = eventually(unreachable, 30, "the portal does not notice")
    assert answer.status_code in (502, 503, 504), answer.text
    assert prometheus.value('count(up{job="node"})', before) == count
    eventually(lambda: portal.request("GET", path).is_success, 60, "the portal does not find it again")
    fresh = f'timestamp(up{{job="node"}}) > {time.time()}'
    eventually(lambda: prometheus.query(fresh), 60, "nothing is scraped")
