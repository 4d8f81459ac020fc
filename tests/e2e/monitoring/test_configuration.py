"""What goes wrong with monitoring itself: rules that cannot be read, and a Prometheus that dies."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring.forward import MONITORING
from tests.e2e.monitoring.prometheus import Prometheus, eventually
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
BROKEN = "groups: [{name: broken, rules: [{record: 'croft:broken', expr: 'sum by (('}]}]"
LABEL = "app.kubernetes.io/name=prometheus"


@pytest.fixture
def broken_rules(kubectl: Kubectl) -> Iterator[None]:
    """Rules in the ConfigMap that cannot be read; the good ones come back whatever happened."""
    name = rules_map(kubectl)
    good = json.loads(kubectl("get", "configmap", name, "-n", MONITORING, "-o", "json"))["data"]
    file = next(iter(good))
    write(kubectl, name, {file: BROKEN})
    yield
    write(kubectl, name, {file: good[file]})


def rules_map(kubectl: Kubectl) -> str:
    """Name of the ConfigMap that holds the alerts."""
    found = json.loads(kubectl("get", "configmaps", "-n", MONITORING, "-o", "json"))["items"]
    (name,) = [item["metadata"]["name"] for item in found if "alerts.yml" in item.get("data", {})]
    return str(name)


def write(kubectl: Kubectl, name: str, data: dict[str, str]) -> None:
    """Change a ConfigMap, and have the kubelet bring it to the pod now: it looks again when a pod changes."""
    kubectl("patch", "configmap", name, "-n", MONITORING, "--type=merge", "-p", json.dumps({"data": data}))
    kubectl(
        "annotate", "pod", "-n", MONITORING, "-l", LABEL, f"croft.dev/looked={time.time():.0f}", "--overwrite"
    )


def test_broken_rules_leave_the_running_ones_alone(
    prometheus: Prometheus, request: pytest.FixtureRequest
) -> None:
    loaded = "prometheus_config_last_reload_successful"
    before = [(group["file"], group["name"]) for group in prometheus.groups()]
    assert prometheus.value(f'{loaded}{{job="prometheus"}}') == 1
    request.getfixturevalue("broken_rules")
    eventually(
        lambda: prometheus.query(f'{loaded}{{job="prometheus"}} == 0'), 120, "the broken file is not noticed"
    )
    eventually(
        lambda: prometheus.alerts("PrometheusConfigReloadFailed"), 45, "nobody is told of the broken file"
    )
    assert [(group["file"], group["name"]) for group in prometheus.groups()] == before
    (up,) = prometheus.query('up{job="prometheus"}')
    assert up["value"][1] == "1"


def test_good_rules_are_taken_up_again(prometheus: Prometheus) -> None:
    loaded = 'prometheus_config_last_reload_successful{job="prometheus"} == 1'
    eventually(lambda: prometheus.query(loaded), 120, "the good rules are not loaded again")


def test_a_killed_prometheus_comes_back_with_its_data_and_the_portal_says_when_it_is_away(
    prometheus: Prometheus, portal: Portal, kubectl: Kubectl
) -> None:
    before = time.time()
    count = prometheus.value('count(up{job="node"})', before)
    kubectl("delete", "pod", "-n", MONITORING, "-l", LABEL, "--grace-period=0", "--force")
    path = "/api/v1/monitoring/prometheus/api/v1/query?query=up"
    answer = eventually(
        lambda: (found := portal.request("GET", path)).is_error and found, 30, "the portal does not notice"
    )
    assert answer.status_code in (502, 503, 504), answer.text
    assert "Prometheus" in answer.json()["detail"]
    kubectl("rollout", "status", "deployment/prometheus", "-n", MONITORING, "--timeout=120s")
    assert prometheus.value('count(up{job="node"})', before) == count
    eventually(lambda: portal.request("GET", path).is_success, 60, "the portal does not find it again")
    eventually(
        lambda: prometheus.query(f'timestamp(up{{job="node"}}) > {time.time()}'), 60, "nothing is scraped"
    )
