"""The fence around a project, probed on the real cluster with the bundle's test server."""

import json
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Change, Kubectl

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
Probe = Callable[[str, str], str]
REACHED = ""
BLOCKED = "TIMEOUT"


@pytest.fixture(scope="module")
def gateway(state_dir: Path) -> str:
    """This machine's address on the cluster's own network: outside the cluster for its pods."""
    text = subprocess.run(
        ["podman", "network", "inspect", state_dir.name], capture_output=True, text=True, check=True
    ).stdout
    address: str = json.loads(text)[0]["subnets"][0]["gateway"]
    return address


@pytest.fixture(scope="module")
def outside(gateway: str) -> Iterator[str]:
    """A server outside the cluster, as host:port."""
    with socketserver.TCPServer((gateway, 0), socketserver.BaseRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{gateway}:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def projects(new_project: Callable[..., str], change: Change, agnhost: str, gateway: str) -> tuple[str, str]:
    """Two projects with two applications each; the second may reach this machine."""
    names = (new_project("ch-inside"), new_project("ch-beside", egressCidrs=[f"{gateway}/32"]))
    for project in names:
        for application in ("web", "friend"):
            run = change(
                "application",
                {
                    "project": project,
                    "name": application,
                    "image": agnhost,
                    "args": ["netexec", "--http-port=8080"],
                    "ports": [{"targetPort": 8080}],
                    "healthPath": "/healthz",
                    "runAsUser": 1000,
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                },
            )
            assert run.code == 0, run.output
    return names


@pytest.fixture(scope="module")
def pods(kubectl: Kubectl, projects: tuple[str, str]) -> dict[str, Json]:
    """The applications' pods, by "<project>/<application>"."""
    found = {}
    for project in projects:
        for pod in json.loads(kubectl("get", "pods", "-n", project, "-o", "json"))["items"]:
            if "deletionTimestamp" not in pod["metadata"]:
                found[f"{project}/{pod['metadata']['labels']['croft.dev/application']}"] = pod
    assert len(found) == 4
    return found


@pytest.fixture(scope="module")
def probe(kubectl: Kubectl, pods: dict[str, Json]) -> Probe:
    """Connect from a pod: probe("ch-inside/web", "host:port") → "", or agnhost's word for why not."""

    def run(source: str, target: str) -> str:
        namespace, name = source.split("/")[0], pods[source]["metadata"]["name"]
        command = ("/agnhost", "connect", target, "--timeout=3s")
        said = kubectl("exec", "-n", namespace, name, "--", *command, check=False).strip()
        return said.splitlines()[0] if said else REACHED

    return run


def address(pod: Json) -> str:
    """Where a pod answers."""
    return f"{pod['status']['podIP']}:8080"


def test_same_project_is_reached_by_address_and_by_name(probe: Probe, pods: dict[str, Json]) -> None:
    assert probe("ch-inside/friend", address(pods["ch-inside/web"])) == REACHED
    # The short name is found by the cluster's DNS, so DNS is reached as well.
    assert probe("ch-inside/friend", "web:8080") == REACHED


def test_other_project_is_not_reached(probe: Probe, pods: dict[str, Json]) -> None:
    assert probe("ch-beside/web", address(pods["ch-inside/web"])) == BLOCKED
    assert probe("ch-beside/web", "web.ch-inside.svc.cluster.local:8080") == BLOCKED
    assert probe("ch-inside/web", address(pods["ch-beside/web"])) == BLOCKED


def test_kubernetes_api_and_nodes_are_not_reached(probe: Probe, kubectl: Kubectl) -> None:
    assert probe("ch-inside/web", "kubernetes.default.svc.cluster.local:443") == BLOCKED
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    for node in nodes:
        (inside,) = [item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP"]
        assert probe("ch-inside/web", f"{inside}:10250") == BLOCKED
        assert probe("ch-beside/web", f"{inside}:6443") == BLOCKED


def test_host_network_of_another_node_does_not_reach_a_pod(
    kubectl: Kubectl, pods: dict[str, Json], agnhost: str
) -> None:
    target = pods["ch-inside/web"]
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    others = [
        node["metadata"]["name"] for node in nodes if node["metadata"]["name"] != target["spec"]["nodeName"]
    ]
    assert others, "this test needs a cluster of two nodes"
    for name, to, expected in (
        ("ch-probe-fenced", address(target), BLOCKED),
        # The same probe reaches what no fence protects, so its silence above says something.
        ("ch-probe-open", "kubernetes.default.svc.cluster.local:443", REACHED),
    ):
        spec = {
            "nodeName": others[0],
            "hostNetwork": True,
            "dnsPolicy": "ClusterFirstWithHostNet",
            "restartPolicy": "Never",
            "containers": [
                {"name": "probe", "image": agnhost, "command": ["/agnhost", "connect", to, "--timeout=3s"]}
            ],
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"},
            "spec": spec,
        }
        kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        try:
            phase = "Succeeded" if expected == REACHED else "Failed"
            kubectl(
                "wait",
                "-n",
                "default",
                f"--for=jsonpath={{.status.phase}}={phase}",
                f"pod/{name}",
                "--timeout=60s",
            )
            assert kubectl("logs", "-n", "default", name).strip() == expected
        finally:
            kubectl("delete", "pod", name, "-n", "default", "--wait=false")


def test_ingress_is_let_in(projects: tuple[str, str], settings: Json) -> None:
    port = settings["http_port"]
    for project in projects:
        answer = httpx.get(
            f"http://127.0.0.1:{port}/hostname",
            headers={"Host": f"web.{project}.localhost:{port}"},
            trust_env=False,
        )
        assert answer.status_code == 200
        assert answer.text.startswith("web-")


def test_outside_is_reached_only_where_the_project_opens_it(probe: Probe, outside: str) -> None:
    assert probe("ch-inside/web", outside) == BLOCKED
    assert probe("ch-beside/web", outside) == REACHED
