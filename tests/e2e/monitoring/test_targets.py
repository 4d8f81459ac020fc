"""Everything is asked, answers, and tells no more than it should."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.waiting import eventually
from tests.playbook import ROOT

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
# Jobs with a target on each node, on each node of the control plane or of the ingress, and with one at all.
EVERYWHERE = {"cadvisor", "node", "kubelet", "storage"}
CONTROL_PLANE = {"apiserver", "scheduler", "controller-manager", "etcd"}
INGRESS = {"envoy"}
SOMEWHERE = {"coredns", "contour", "kube-state", "prometheus", "alertmanager", "label-proxy"}
WITH_NODE = {*EVERYWHERE, *CONTROL_PLANE, *INGRESS, "coredns", "contour"}


def active(prometheus: Prometheus) -> list[Json]:
    """All targets as they are now."""
    answer = prometheus.request("/api/v1/targets", params={"state": "active"}).json()
    found: list[Json] = answer["data"]["activeTargets"]
    return found


@pytest.fixture(scope="module")
def targets(prometheus: Prometheus) -> list[Json]:
    """All targets, once each has been asked."""

    def asked() -> list[Json]:
        found = active(prometheus)
        return [] if any(target["health"] == "unknown" for target in found) else found

    found: list[Json] = eventually(asked, 90, "some targets have not been asked yet")
    return found


@pytest.fixture(scope="module")
def nodes(kubectl: Kubectl) -> dict[str, Json]:
    """The nodes' labels by name."""
    found = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    return {node["metadata"]["name"]: node["metadata"]["labels"] for node in found}


@pytest.mark.usefixtures("targets")
def test_every_target_is_up(prometheus: Prometheus) -> None:
    def down() -> dict[str, str]:
        return {
            f"{target['labels']['job']} {target['scrapeUrl']}": target["lastError"]
            for target in active(prometheus)
            if target["health"] != "up"
        }

    # One that was slow once is up again after the next scrape.
    end = time.monotonic() + 90
    while (silent := down()) and time.monotonic() < end:
        time.sleep(3)
    assert silent == {}


def test_every_job_is_asked_on_every_node_that_it_is_about(
    targets: list[Json], nodes: dict[str, Json]
) -> None:
    asked: dict[str, list[str]] = {}
    for target in targets:
        asked.setdefault(target["labels"]["job"], []).append(target["labels"].get("node", ""))
    control = [name for name, labels in nodes.items() if "node-role.kubernetes.io/control-plane" in labels]
    ingress = [name for name, labels in nodes.items() if labels.get("croft.dev/ingress") == "true"]
    for jobs, places in ((EVERYWHERE, list(nodes)), (CONTROL_PLANE, control), (INGRESS, ingress)):
        for job in jobs:
            assert sorted(asked.get(job, [])) == sorted(places), job
    assert set(asked) >= SOMEWHERE


def test_the_node_is_told_wherever_there_is_one(prometheus: Prometheus, nodes: dict[str, Json]) -> None:
    for job in WITH_NODE:
        places = {
            item["metric"].get("node", "") for item in prometheus.query(f'group by (node) ({{job="{job}"}})')
        }
        assert places, job
        assert places <= set(nodes), job
        assert not prometheus.query(f'{{job="{job}",node=""}}'), job


def test_a_container_has_a_bounded_number_of_series(prometheus: Prometheus) -> None:
    counted = prometheus.query(
        'count by (namespace, pod, container) ({__name__=~"container_.+", job="cadvisor"})'
    )
    assert len(counted) > 10
    most = max(counted, key=lambda item: float(item["value"][1]))
    assert float(most["value"][1]) <= 80, most


def test_the_nodes_network_is_told_once(prometheus: Prometheus) -> None:
    network = "container_network_receive_bytes_total"
    found = prometheus.query(f'count by (namespace, pod) ({network}{{job="cadvisor"}}) > 1')
    assert found == [], "a pod has one interface"
    assert not prometheus.query(f'{network}{{namespace="kube-system", pod=~"kube-.*|etcd-.*|cilium-.*"}}')


def test_containers_are_known_by_namespace_pod_and_workload_alone(prometheus: Prometheus) -> None:
    assert not prometheus.query('{__name__=~"container_.+", namespace=""}')
    assert not prometheus.query('{__name__=~"container_.+", workload=""}')
    # What is a pod's as a whole is its network alone.
    assert not prometheus.query('{__name__=~"container_.+", __name__!~"container_network_.+", container=""}')
    for label in ("id", "name", "image"):
        assert not prometheus.query(f'{{job="cadvisor", {label}!=""}}')
    found = prometheus.query(
        'container_memory_working_set_bytes{job="cadvisor", namespace="croft-monitoring"}'
    )
    assert {"prometheus", "alertmanager", "label-proxy", "k8s-cluster", "node-exporter", "cadvisor"} <= {
        item["metric"]["workload"] for item in found
    }


def test_objects_and_nodes_are_told(prometheus: Prometheus, nodes: dict[str, Json]) -> None:
    assert prometheus.query(
        'k8s_deployment_available{job="kube-state", namespace="croft-monitoring", workload="prometheus"}'
    )
    assert {
        item["metric"]["node"]
        for item in prometheus.query('k8s_node_allocatable_memory_bytes{job="kube-state"}')
    } == set(nodes)
    assert {
        item["metric"]["node"] for item in prometheus.query('k8s_node_condition_ready{job="kube-state"} == 1')
    } == set(nodes)
    assert not prometheus.query('{job="kube-state", __name__=~"k8s_.+", k8s_namespace_name!=""}')
    for name in ("node_memory_MemAvailable_bytes", "node_cpu_seconds_total", "node_filesystem_avail_bytes"):
        assert {item["metric"]["node"] for item in prometheus.query(f'{name}{{job="node"}}')} == set(nodes), (
            name
        )


def test_prometheus_own_volume_is_counted(prometheus: Prometheus) -> None:
    claim = '{job="storage", namespace="croft-monitoring", persistentvolumeclaim="prometheus-data"}'
    (used,) = prometheus.query(f"croft_volume_used_bytes{claim}")
    (capacity,) = prometheus.query(f"croft_volume_capacity_bytes{claim}")
    assert used["metric"]["workload"] == "prometheus"
    assert 0 < float(used["value"][1]) < float(capacity["value"][1])


def test_no_scrape_tells_the_same_twice(prometheus: Prometheus) -> None:
    assert not prometheus.query(
        "increase(prometheus_target_scrapes_sample_duplicate_timestamp_total[10m]) > 0"
    )
    assert not prometheus.query("prometheus_rule_evaluation_failures_total > 0")
    assert not prometheus.query("prometheus_config_last_reload_successful == 0")


def test_a_second_run_changes_nothing(state_dir: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "--inventory=inventories/local",
            f"--extra-vars={json.dumps({'croft_state_dir': str(state_dir)})}",
            "playbooks/monitoring.yml",
        ],
        cwd=ROOT,
        env={**os.environ, "CLUSTER": state_dir.name, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
