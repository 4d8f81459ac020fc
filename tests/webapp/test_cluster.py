"""Reading the cluster: the real client against an API server on this machine, as a test states it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from webapp.cluster.kubernetes_reader import KubernetesReader
from webapp.cluster.pods import pod_from
from webapp.cluster.state import ClusterUnreachable, Namespace, Workload

CREATED = "2026-01-31T12:00:00Z"


class ApiServer:
    """Answers GET and POST with the JSON that `objects` holds for a path; 404 for all others."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.status = 200
        self.asked: list[tuple[str, str]] = []
        self.sent: list[Any] = []
        state = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                state.asked.append((path, query))
                found = state.objects.get(path)
                status = state.status if found is not None or state.status != 200 else 404
                body = json.dumps(found if status == 200 else {"kind": "Status", "code": status}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                state.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    """A server that runs as long as the test."""
    running = ApiServer()
    thread = Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


def kubeconfig(folder: Path, url: str) -> str:
    """Write a kubeconfig for the server at `url`; return its path."""
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "x",
                "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
                "clusters": [{"name": "x", "cluster": {"server": url}}],
                "users": [{"name": "x", "user": {"token": "secret-token"}}],
            }
        )
    )
    return str(path)


@pytest.fixture
def reader(api_server: ApiServer, tmp_path: Path) -> KubernetesReader:
    """A reader of that server."""
    return KubernetesReader(kubeconfig(tmp_path, api_server.url))


def make_pod(name: str = "web-1", /, **status: Any) -> dict[str, Any]:
    """Return a pod of the application web."""
    labels = {"croft.dev/application": "web", "croft.dev/project": "shop"}
    container = {"name": "web", "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": labels, "creationTimestamp": CREATED},
        "spec": {"nodeName": "croft-1", "containers": [container]},
        "status": {"phase": "Running", **status},
    }


READY = {
    "conditions": [{"type": "Ready", "status": "True"}],
    "containerStatuses": [{"restartCount": 2, "ready": True, "image": "x", "state": {"running": {}}}],
}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    """Return the status of a pod whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    status = {
        "restartCount": 0,
        "ready": False,
        "image": "registry.example.org/web:1",
        "state": state,
        **more,
    }
    return {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [status]}


def test_nodes_that_take_pods(reader: KubernetesReader, api_server: ApiServer) -> None:
    def node(name: str, **spec: Any) -> dict[str, Any]:
        allocatable = {"cpu": "1900m", "memory": "2097152Ki", "pods": "110", "ephemeral-storage": "1"}
        return {"metadata": {"name": name}, "spec": spec, "status": {"allocatable": allocatable}}

    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    soft = {"key": "x", "effect": "PreferNoSchedule"}
    api_server.objects["/api/v1/nodes"] = {
        "items": [
            node("a"),
            node("b", taints=[taint]),
            node("c", unschedulable=True),
            node("d", taints=[soft]),
        ]
    }
    found = reader.nodes()
    assert [item.name for item in found] == ["a", "d"]
    assert (found[0].cpu, found[0].memory, found[0].pods) == (
        Decimal("1.9"),
        Decimal(2 * 1024**3),
        Decimal(110),
    )


def test_namespaces_and_quota(reader: KubernetesReader, api_server: ApiServer) -> None:
    assert reader.namespace("shop") is None
    assert reader.quota("shop") is None
    api_server.objects["/api/v1/namespaces/shop"] = {
        "metadata": {"name": "shop", "labels": {"croft.dev/project": "shop"}},
        "status": {"phase": "Terminating"},
    }
    hard = {"requests.cpu": "2", "requests.memory": "2Gi", "requests.storage": "5Gi", "pods": "20"}
    used = {"requests.cpu": "300m", "requests.memory": "0", "pods": "3", "services.nodeports": "0"}
    api_server.objects["/api/v1/namespaces/shop/resourcequotas"] = {
        "items": [
            {
                "metadata": {"namespace": "shop"},
                "status": {"hard": {**hard, "services.nodeports": "0"}, "used": used},
            }
        ]
    }
    assert reader.namespace("shop") == Namespace("shop", "shop", True)
    quota = reader.quota("shop")
    assert quota is not None
    assert quota.hard == {
        "cpu": Decimal(2),
        "memory": Decimal(2 * 1024**3),
        "storage": Decimal(5 * 1024**3),
        "pods": Decimal(20),
    }
    assert quota.used == {
        "cpu": Decimal("0.3"),
        "memory": Decimal(0),
        "storage": Decimal(0),
        "pods": Decimal(3),
    }


def test_workloads_by_application(reader: KubernetesReader, api_server: ApiServer) -> None:
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "message": 'pods "web-2" is forbidden: exceeded quota',
    }
    labels = {"croft.dev/application": "web"}
    api_server.objects["/apis/apps/v1/namespaces/shop/deployments"] = {
        "items": [
            {
                "metadata": {"name": "web", "labels": labels},
                "spec": {"replicas": 2},
                "status": {"conditions": [failure]},
            },
            {
                "metadata": {"name": "idle", "labels": {"croft.dev/application": "idle"}},
                "spec": {"replicas": 0},
            },
        ]
    }
    ended = make_pod("web-0") | {"status": {"phase": "Succeeded"}}
    api_server.objects["/api/v1/namespaces/shop/pods"] = {"items": [make_pod("web-1", **READY), ended]}
    found = reader.workloads("shop")
    assert found["idle"].words == "stopped: 0 replicas are wanted"
    assert found["web"].words == (
        '1 of 2 pods ready: pods cannot be made: pods "web-2" is forbidden: exceeded quota'
    )
    pod = found["web"].pods[0]
    assert (pod.name, pod.node, pod.ready, pod.restarts, pod.reason) == ("web-1", "croft-1", True, 2, "")
    assert pod.created_at.isoformat() == "2026-01-31T12:00:00+00:00"
    assert pod.requests["cpu"] == Decimal("0.1")
    assert ("/api/v1/namespaces/shop/pods", "labelSelector=croft.dev/application") in api_server.asked


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (waiting("ImagePullBackOff"), "waits for image registry.example.org/web:1, which cannot be pulled"),
        (waiting("ContainerCreating"), "is starting"),
        (
            waiting("CreateContainerConfigError", "container has runAsNonRoot\nand image will run as root"),
            "cannot start: container has runAsNonRoot and image will run as root",
        ),
        (
            waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 3}}),
            "keeps ending with exit code 3",
        ),
        (
            waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            "keeps ending because it needs more memory than its limit",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: too little cpu"}
                ]
            },
            "waits for a node: 0/1 nodes: too little cpu",
        ),
        (
            {
                "containerStatuses": [
                    {"ready": False, "image": "x", "restartCount": 0, "state": {"running": {}}}
                ]
            },
            "runs, but does not answer its health check yet",
        ),
        (
            {
                "containerStatuses": [
                    {
                        "ready": False,
                        "image": "x",
                        "state": {"terminated": {"exitCode": 1}},
                        "restartCount": 1,
                    }
                ]
            },
            "has ended with exit code 1",
        ),
        ({"phase": "Failed", "reason": "Evicted", "message": "x" * 300}, f"was ended: {'x' * 199}…"),
        ({}, "is starting"),
    ],
)
def test_why_a_pod_is_not_ready(status: dict[str, Any], words: str) -> None:
    pod = pod_from(make_pod(**status))
    assert (pod.ready, pod.reason) == (False, words)
    assert Workload(1, (pod,)).words == f"0 of 1 pods ready: web-1 {words}"


def test_a_pod_without_a_node_says_what_it_waits_for() -> None:
    item = make_pod(phase="Pending")
    del item["spec"]["nodeName"]
    assert pod_from(item).reason == "waits for a node or for its volume"


def test_a_pod_that_ends_is_not_ready() -> None:
    item = make_pod(**READY)
    item["metadata"]["deletionTimestamp"] = CREATED
    assert (pod_from(item).ready, pod_from(item).reason) == (False, "is ending")


def test_hosts_of_ingresses_and_proxies(reader: KubernetesReader, api_server: ApiServer) -> None:
    assert reader.hosts() == {}
    metadata = {"name": "web-http", "namespace": "shop", "labels": {"croft.dev/application": "web"}}
    api_server.objects["/apis/networking.k8s.io/v1/ingresses"] = {
        "items": [{"metadata": metadata, "spec": {"rules": [{"host": "web.shop.localhost"}, {"http": {}}]}}]
    }
    api_server.objects["/apis/projectcontour.io/v1/httpproxies"] = {
        "items": [
            {
                "metadata": {"name": "grafana", "namespace": "monitoring"},
                "spec": {"virtualhost": {"fqdn": "grafana.example.org"}},
            },
            {"metadata": {"name": "child", "namespace": "monitoring"}, "spec": {}},
        ]
    }
    assert reader.hosts() == {
        "web.shop.localhost": ("shop", "web"),
        "grafana.example.org": ("monitoring", "grafana"),
    }


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_refusal_is_told_without_the_token(
    reader: KubernetesReader, api_server: ApiServer, status: int
) -> None:
    api_server.status = status
    with pytest.raises(ClusterUnreachable, match=f"answered {status} to GET /api/v1/nodes") as caught:
        reader.nodes()
    assert "secret-token" not in str(caught.value)


def test_no_server_and_no_kubeconfig(api_server: ApiServer, tmp_path: Path) -> None:
    # Port 1 of this machine: nothing listens there.
    with pytest.raises(ClusterUnreachable, match="does not answer"):
        KubernetesReader(kubeconfig(tmp_path, "http://127.0.0.1:1")).nodes()
    with pytest.raises(ClusterUnreachable, match="cannot be read"):
        KubernetesReader(str(tmp_path / "missing")).nodes()
    with pytest.raises(ClusterUnreachable, match="the pod's service account cannot be read"):
        KubernetesReader("").nodes()


def test_a_cluster_that_comes_up_later_is_found(api_server: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    late = KubernetesReader(str(path))
    with pytest.raises(ClusterUnreachable):
        late.nodes()
    kubeconfig(tmp_path, api_server.url)
    api_server.objects["/api/v1/nodes"] = {"items": []}
    assert late.nodes() == []


def test_pods_tell_of_their_containers(reader: KubernetesReader, api_server: ApiServer) -> None:
    crashed = {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": CREATED}}
    states = [
        {"name": "web", "restartCount": 4, "ready": False, "image": "x", "lastState": crashed,
         "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        {"name": "side", "restartCount": 0, "ready": True, "image": "y",
         "state": {"running": {"startedAt": CREATED}}},
    ]  # fmt: skip
    item = make_pod(containerStatuses=states)
    item["spec"]["containers"] += [{"name": "side", "image": "side:2"}, {"name": "late", "image": "late:1"}]
    ended = make_pod("web-0", phase="Succeeded")
    api_server.objects["/api/v1/namespaces/shop/pods"] = {"items": [item, ended]}
    found = reader.pods("shop", "web")
    assert "labelSelector=croft.dev/application%3Dweb" in api_server.asked[-1][1]
    assert [pod.name for pod in found] == ["web-0", "web-1"], "what has ended still has logs"
    web, side, late = found[1].containers
    assert (web.name, web.running, web.restarts, web.last_exit) == ("web", False, 4, "ended with exit code 3")
    assert web.state == "keeps ending with exit code 3"
    assert (side.state, side.running, side.image, side.last_exit) == ("runs", True, "side:2", "")
    assert side.started_at is not None
    assert (late.state, late.ready) == ("is starting", False)


def event(kind: str, name: str, last: str = CREATED, **more: Any) -> dict[str, Any]:
    """Return an event about an object of the namespace shop."""
    return {
        "metadata": {"name": f"{name}.17a", "namespace": "shop", "creationTimestamp": CREATED},
        "involvedObject": {"kind": kind, "name": name},
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off\n restarting",
        "lastTimestamp": last,
        "firstTimestamp": CREATED,
        **more,
    }


def test_events_of_a_project_and_of_one_application(reader: KubernetesReader, api_server: ApiServer) -> None:
    api_server.objects["/api/v1/namespaces/shop/pods"] = {"items": [make_pod("from-a-chart")]}
    modern = {"lastTimestamp": None, "firstTimestamp": None, "eventTime": "2026-01-31T12:00:04.123456Z"}
    mine = [
        event("Deployment", "web", "2026-01-31T12:00:01Z", count=7),
        event("ReplicaSet", "web-5c9d7b6f4", "2026-01-31T12:00:02Z"),
        event("Pod", "web-5c9d7b6f4-x2k9p", "2026-01-31T12:00:03Z"),
        event("Pod", "from-a-chart", type="Normal", **modern),
        event("PersistentVolumeClaim", "web", "2026-01-31T12:00:05Z"),
    ]
    others = [
        event("Deployment", "web-bcd"),
        event("ReplicaSet", "web-bcd-5c9d7b6f4"),
        event("Pod", "web-bcd-5c9d7b6f4-x2k9p"),
        event("Pod", "website-5c9d7b6f4-x2k9p"),
    ]
    api_server.objects["/api/v1/namespaces/shop/events"] = {"items": [*others, *mine]}
    found = reader.events("shop", "web")
    assert [(item.kind, item.name) for item in found] == [
        ("PersistentVolumeClaim", "web"),
        ("Pod", "from-a-chart"),
        ("Pod", "web-5c9d7b6f4-x2k9p"),
        ("ReplicaSet", "web-5c9d7b6f4"),
        ("Deployment", "web"),
    ]
    assert (found[-1].count, found[-1].message, found[-1].warning) == (7, "Back-off restarting", True)
    assert (found[1].warning, found[1].count) == (False, 1)
    assert len(reader.events("shop")) == 9


def test_volumes(reader: KubernetesReader, api_server: ApiServer) -> None:
    labels = {"croft.dev/application": "web"}
    spec = {"resources": {"requests": {"storage": "2Gi"}}, "storageClassName": "local"}
    bound = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    api_server.objects["/api/v1/namespaces/shop/persistentvolumeclaims"] = {
        "items": [
            {"metadata": {"name": "web", "labels": labels}, "spec": spec, "status": bound},
            {"metadata": {"name": "own"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}},
        ]
    }
    own, web = reader.volumes("shop")
    assert (own.name, own.application, own.phase, own.capacity, own.wanted) == (
        "own",
        None,
        "Pending",
        "",
        "5Gi",
    )
    assert (web.application, web.phase, web.capacity, web.wanted) == ("web", "Bound", "1Gi", "2Gi")
    assert web.storage_class == "local"
