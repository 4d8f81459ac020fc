"""Monitoring's own ports, tried from a pod of a project: none of them lets itself be reached."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring.forward import MONITORING

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
# Where each part tells its metrics, beside the ports that the pods of croft-monitoring name themselves.
SERVICES = ["prometheus:9090", "label-proxy:8080", "alertmanager:9093"]
PORTAL_PORTS = (9101, 9102)
NODE_PORTS = (9100, 10250, 10257, 10259, 2381, 6443)
Probe = Callable[..., dict[str, str]]
REACHED = "reached"
CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def connect(target):
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=4).close()
    except OSError as error:
        return type(error).__name__
    return "reached"

with ThreadPoolExecutor(32) as threads:
    print(json.dumps(dict(zip(sys.argv[1:], threads.map(connect, sys.argv[1:])))))
"""


def pods_of(kubectl: Kubectl, namespace: str, *selector: str) -> list[Json]:
    """The running pods of a namespace."""
    found = json.loads(kubectl("get", "pods", "-n", namespace, *selector, "-o", "json"))["items"]
    return [pod for pod in found if pod["status"]["phase"] == "Running"]


@pytest.fixture(scope="module")
def probe(kubectl: Kubectl, busy: str) -> Probe:
    """Connect from a pod of the project to several addresses at once; returns what came of each."""
    # The autoscaler may have made a second one.
    pod = pods_of(kubectl, busy, "-l", "croft.dev/application=web")[0]

    def connect(*targets: str) -> dict[str, str]:
        command = ("python3", "-c", CONNECT, *targets)
        told = kubectl("exec", "-n", busy, pod["metadata"]["name"], "--", *command)
        found: dict[str, str] = json.loads(told)
        return found

    # Without this, every silence below could be a pod that reaches nothing at all.
    assert connect("web:8080") == {"web:8080": REACHED}
    return connect


@pytest.fixture(scope="module")
def doors(kubectl: Kubectl) -> list[str]:
    """Every address at which metrics are told: of services, of pods, of nodes."""
    found = [
        f"{service.split(':')[0]}.{MONITORING}.svc.cluster.local:{service.split(':')[1]}"
        for service in SERVICES
    ]
    for pod in pods_of(kubectl, MONITORING):
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                found.append(f"{pod['status']['podIP']}:{port['containerPort']}")
    for pod in pods_of(kubectl, "croft", "-l", "app.kubernetes.io/name=portal"):
        found += [f"{pod['status']['podIP']}:{port}" for port in PORTAL_PORTS]
    for node in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]:
        (inside,) = [item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP"]
        found += [f"{inside}:{port}" for port in NODE_PORTS]
    return found


def test_no_door_opens_to_a_project(probe: Probe, doors: list[str], kubectl: Kubectl) -> None:
    names = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods_of(kubectl, MONITORING)}
    assert {"prometheus", "label-proxy", "alertmanager", "node-exporter", "cadvisor"} <= names
    said = probe(*doors)
    assert {door: word for door, word in said.items() if word == REACHED} == {}
    assert "TimeoutError" in said.values()
