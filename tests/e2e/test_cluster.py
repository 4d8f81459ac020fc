"""What a cluster promises to everything on it: nodes, names, network, fences, ingress, volumes, metrics."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.podman import podman
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
SPACE = "e2e-cluster"
OTHER = "e2e-cluster-other"
SYSTEM = ("kube-system", "croft-ingress", "croft-storage")


def items(kubectl: Kubectl, *arguments: str) -> list[Json]:
    found: list[Json] = json.loads(kubectl("get", *arguments, "--output=json"))["items"]
    return found


def is_ready(thing: Json) -> bool:
    return any(
        entry["type"] == "Ready" and entry["status"] == "True" for entry in thing["status"]["conditions"]
    )


def server(image: str, name: str, namespace: str = SPACE, **spec: Any) -> Json:
    """A pod that answers HTTP on 8080 with its name; `spec` is added to the pod's."""
    container = {
        "name": "server",
        "image": image,
        "args": ["netexec", "--http-port=8080"],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, "kind": "server"}},
        "spec": {
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            **spec,
        },
    }


def service(name: str, selector: dict[str, str], **spec: Any) -> Json:
    ports = [{"port": 80, "targetPort": 8080}]
    metadata = {"name": name, "namespace": SPACE}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": selector, "ports": ports, **spec},
    }


def apply(kubectl: Kubectl, *objects: Json) -> None:
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def wait_ready(kubectl: Kubectl, *pods: str, namespace: str = SPACE) -> None:
    names = [f"pod/{name}" for name in pods]
    kubectl("wait", "--namespace", namespace, "--for=condition=Ready", "--timeout=90s", *names)


def connect(kubectl: Kubectl, pod: str, address: str, namespace: str = SPACE) -> str:
    """Connect from a pod to host:port; "" when it works, else what agnhost says (REFUSED, TIMEOUT, DNS)."""
    command = ("/agnhost", "connect", address, "--timeout=3s")
    return kubectl("exec", "--namespace", namespace, pod, "--", *command, check=False).strip()


def soon(kubectl: Kubectl, pod: str, address: str) -> str:
    """Like connect, but gives a new service 15 s to be known on the node."""
    end = time.monotonic() + 15
    while (said := connect(kubectl, pod, address)) and time.monotonic() < end:
        time.sleep(0.2)
    return said


def address_of(kubectl: Kubectl, pod: str) -> str:
    return kubectl("get", "pod", pod, "--namespace", SPACE, "--output=jsonpath={.status.podIP}")


@pytest.fixture(scope="module")
def nodes(kubectl: Kubectl) -> list[Json]:
    return items(kubectl, "nodes")


@pytest.fixture(scope="module")
def servers(kubectl: Kubectl, agnhost: str, nodes: list[Json]) -> Iterator[list[str]]:
    """One server on each node, at least two, in a namespace that is gone afterwards; and one in another."""
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (SPACE, OTHER)
    ]
    places = [node["metadata"]["name"] for node in nodes]
    names = [f"server-{number}" for number in range(max(2, len(places)))]
    pods = [
        server(agnhost, name, nodeName=places[number % len(places)], tolerations=[{"operator": "Exists"}])
        for number, name in enumerate(names)
    ]
    apply(kubectl, *spaces)
    try:
        apply(kubectl, *pods, server(agnhost, "stranger", OTHER), service("web", {"app": names[0]}))
        wait_ready(kubectl, *names)
        wait_ready(kubectl, "stranger", namespace=OTHER)
        yield names
    finally:
        kubectl("delete", "namespace", SPACE, OTHER, "--timeout=90s")


def test_all_nodes_are_ready(nodes: list[Json], settings: Json) -> None:
    assert len(nodes) == settings["nodes"]
    assert all(is_ready(node) for node in nodes)


def test_all_system_pods_are_ready(kubectl: Kubectl, nodes: list[Json]) -> None:
    def all_ready() -> list[Json]:
        found = [pod for namespace in SYSTEM for pod in items(kubectl, "pods", "--namespace", namespace)]
        return found if all(map(is_ready, found)) else []

    # On a busy machine one may miss a probe for a moment.
    pods: list[Json] = eventually(all_ready, 60, "some system pods are not ready")
    agents = [pod for pod in pods if pod["metadata"]["labels"].get("k8s-app") == "cilium"]
    assert len(agents) == len(nodes)


def test_no_node_container_shares_control_groups(settings: Json, state_dir: Path) -> None:
    for number in range(1, settings["nodes"] + 1):
        name = f"{state_dir.name}-{number}"
        identity, process = podman("inspect", "--format", "{{.Id}} {{.State.Pid}}", name).split()
        groups = Path(f"/proc/{process}/cgroup").read_text().splitlines()
        # What lies outside the container's own group is seen, and ended, by other containers.
        assert [line for line in groups if identity not in line] == []


def test_names_are_found(kubectl: Kubectl, servers: list[str]) -> None:
    assert soon(kubectl, servers[-1], f"web.{SPACE}.svc.cluster.local:80") == ""
    assert connect(kubectl, servers[-1], "web:80") == ""
    assert "DNS" in connect(kubectl, servers[-1], "nothing:80")


def test_pods_reach_each_other_on_and_across_nodes(kubectl: Kubectl, servers: list[str]) -> None:
    for source in servers:
        for target in servers:
            address = f"{address_of(kubectl, target)}:8080"
            assert connect(kubectl, source, address) == "", f"{source} to {target}"


def test_a_service_can_stick_to_one_pod(kubectl: Kubectl, servers: list[str]) -> None:
    apply(kubectl, service("sticky", {"kind": "server"}, sessionAffinity="ClientIP"))
    assert soon(kubectl, servers[0], "sticky:80") == ""
    asked = f"/dial?host=sticky.{SPACE}.svc&port=80&request=hostname&protocol=http&tries=10"
    answer = kubectl("get", "--raw", f"/api/v1/namespaces/{SPACE}/pods/{servers[0]}:8080/proxy{asked}")
    responses = json.loads(answer)["responses"]
    assert len(responses) == 10
    assert len(set(responses)) == 1


def test_a_fence_holds_and_health_checks_go_on(kubectl: Kubectl, agnhost: str, servers: list[str]) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "fence", "namespace": SPACE},
        "spec": {
            "podSelector": {"matchLabels": {"app": "fenced"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": servers[0]}}}]}],
        },
    }
    # First the policy: no pod of it is ever without.
    apply(kubectl, policy)
    apply(kubectl, server(agnhost, "fenced"), server(agnhost, "open"))
    # Ready tells that the kubelet's probe comes through.
    wait_ready(kubectl, "fenced", "open")
    fenced, free = (f"{address_of(kubectl, name)}:8080" for name in ("fenced", "open"))
    assert connect(kubectl, servers[0], fenced) == ""
    assert "TIMEOUT" in connect(kubectl, servers[1], fenced)
    assert "TIMEOUT" in connect(kubectl, "stranger", fenced, OTHER)
    assert connect(kubectl, "stranger", free, OTHER) == ""


def request(port: int, host: str) -> tuple[int, str, str]:
    """Ask the ingress node for a host; returns the status, the Server header and the body."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/hostname", headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.headers["server"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["server"], ""


def test_the_ingress_answers_on_the_published_port(
    kubectl: Kubectl, servers: list[str], settings: Json
) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {
        "host": f"{SPACE}.localhost",
        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
    }
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": SPACE},
        "spec": {"ingressClassName": "contour", "rules": [rule]},
    }
    apply(kubectl, ingress)
    port = settings["http_port"]
    assert answers(port, f"{SPACE}.localhost") == (200, "envoy", servers[0])
    assert request(port, "nobody.localhost")[:2] == (404, "envoy")


def answers(port: int, host: str) -> tuple[int, str, str]:
    """The first answer of the route itself, or the last one after 15 seconds.

    A new route takes about a second. Envoy hears of routes and of endpoints in streams of their own: until
    both are there it answers 404, or 503 where the route was first.
    """
    end = time.monotonic() + 15
    while True:
        try:
            found = request(port, host)
        except urllib.error.URLError:
            found = (0, "", "")
        if found[0] not in (0, 404, 503) or time.monotonic() > end:
            return found
        time.sleep(0.2)


def mounter(image: str, name: str, *arguments: str) -> Json:
    """A pod that does one thing to the volume `data`, as an ordinary user, and ends."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001},
            "containers": [
                {
                    "name": "mounter",
                    "image": image,
                    "args": ["mounttest", *arguments],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        },
    }


def ran(kubectl: Kubectl, pod: Json) -> str:
    """Run a pod to its end; returns its log."""
    name = pod["metadata"]["name"]
    apply(kubectl, pod)
    ended = "--for=jsonpath={.status.containerStatuses[0].state.terminated.reason}"
    kubectl("wait", "--namespace", SPACE, f"pod/{name}", ended, "--timeout=60s")
    log = kubectl("logs", "--namespace", SPACE, name)
    kubectl("delete", "pod", name, "--namespace", SPACE)
    return log


def test_a_volume_keeps_data_until_its_claim_goes_and_nobody_sees_it_after(
    kubectl: Kubectl, agnhost: str, servers: list[str]
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": SPACE},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }
    apply(kubectl, claim)
    ran(kubectl, mounter(agnhost, "writer", "--new_file_0644=/data/secret"))
    volume = kubectl(
        "get", "pvc", "data", "--namespace", SPACE, "--output=jsonpath={.status.phase} {.spec.volumeName}"
    ).split()
    assert volume[0] == "Bound"
    kept = ran(kubectl, mounter(agnhost, "reader", "--file_content=/data/secret"))
    assert "mount-tester new file" in kept
    kubectl("delete", "pvc", "data", "--namespace", SPACE, "--timeout=30s")
    kubectl("wait", f"pv/{volume[1]}", "--for=delete", "--timeout=30s")
    apply(kubectl, claim)
    fresh = ran(kubectl, mounter(agnhost, "next", "--file_content=/data/secret"))
    assert "mount-tester new file" not in fresh
    assert "no such file" in fresh


def test_metrics_are_there_for_every_node(kubectl: Kubectl, nodes: list[Json]) -> None:
    names = {node["metadata"]["name"] for node in nodes}

    def measured() -> bool:
        readings = json.loads(kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"))["items"]
        used = {item["metadata"]["name"]: item["usage"]["memory"] for item in readings}
        return set(used) == names and "0" not in used.values()

    # A node that answers too late is missing for one round of 15 s.
    eventually(measured, 60, "some nodes are not measured")
