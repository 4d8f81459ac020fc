"""A stand-in for the Kubernetes API that serves load: a process that answers lists with generated objects.

It knows nothing but the projects that tests.bench.portal_data makes: each has five applications with two pods
each. It costs about as little as an answer over HTTP can, so the benchmark measures the portal. Run it with
`python -m tests.bench.apiserver`: it prints its port and serves 127.0.0.1 until it is ended.
"""

import json
import re
import time
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECTS, APPLICATIONS, PODS = 1_000, 5, 2
# What all pods of an application write together while somebody follows.
LOG_LINES, QUIET_S = 100_000, 60
NAMESPACED = re.compile(r"/apis?/[a-z0-9./]+?/namespaces/(?P<project>[a-z0-9-]+)(?:/(?P<kind>[a-z]+))?")
BORN = "2026-01-31T12:00:00Z"


def project_name(number: int) -> str:
    """Return the name of a project, from 0 on."""
    return f"team-{number:04d}"


def application_name(number: int) -> str:
    """Return the name of an application within its project, from 0 on."""
    return ("web", "api", "worker", "search", "mail")[number]


def _metadata(project: str, name: str, application: str | None = None) -> dict[str, Any]:
    labels = {"croft.dev/project": project}
    labels |= {"croft.dev/application": application} if application else {}
    return {"name": name, "namespace": project, "labels": labels, "creationTimestamp": BORN}


def _quota(project: str) -> dict[str, Any]:
    hard = {"requests.cpu": "2", "requests.memory": "2Gi", "requests.storage": "5Gi", "pods": "20"}
    used = {"requests.cpu": "1", "requests.memory": "1280Mi", "requests.storage": "1Gi", "pods": "10"}
    return {"metadata": _metadata(project, "project"), "status": {"hard": hard, "used": used}}


def _pod(project: str, application: str, number: int) -> dict[str, Any]:
    resources = {"requests": {"cpu": "100m", "memory": "128Mi"}}
    image = "registry.example.org/team/web:1.2"
    status = {"name": "app", "ready": True, "restartCount": 0, "image": image}
    return {
        "metadata": _metadata(project, f"{application}-5c9d7b6f4-x2k9{'pqrst'[number]}", application),
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "app", "image": image, "resources": resources}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{**status, "state": {"running": {"startedAt": BORN}}}],
        },
    }


def _event(project: str, application: str, number: int) -> dict[str, Any]:
    name = f"{application}-5c9d7b6f4-x2k9{'pqrst'[number]}"
    return {
        "metadata": _metadata(project, f"{name}.17a{number}"),
        "involvedObject": {"kind": "Pod", "name": name},
        "type": "Normal",
        "reason": "Started",
        "message": "Started container app",
        "firstTimestamp": BORN,
        "lastTimestamp": BORN,
        "count": 1,
    }


def _of_project(project: str, kind: str) -> list[dict[str, Any]]:
    names = [application_name(number) for number in range(APPLICATIONS)]
    if kind == "resourcequotas":
        return [_quota(project)]
    if kind == "pods":
        return [_pod(project, name, number) for name in names for number in range(PODS)]
    if kind == "deployments":
        return [{"metadata": _metadata(project, name, name), "spec": {"replicas": PODS}} for name in names]
    if kind == "events":
        return [_event(project, name, number) for name in names for number in range(PODS)]
    if kind == "persistentvolumeclaims":
        claim = {"resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "local"}
        status = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
        return [{"metadata": _metadata(project, "web", "web"), "spec": claim, "status": status}]
    return []


def _selected(items: list[dict[str, Any]], selector: str) -> list[dict[str, Any]]:
    label, _, value = selector.partition("=")
    wanted = [item for item in items if label in item["metadata"]["labels"]]
    return [item for item in wanted if not value or item["metadata"]["labels"][label] == value]


@lru_cache(maxsize=4096)
def answer(path: str, selector: str) -> bytes | None:
    """Return what is at the path as JSON, or None."""
    if path == "/api/v1/nodes":
        amounts = {"cpu": "64", "memory": "256Gi", "pods": "1100"}
        items = [{"metadata": {"name": "node-1"}, "spec": {}, "status": {"allocatable": amounts}}]
    elif path == "/api/v1/resourcequotas":
        items = [_quota(name) for name in re.findall(r"[a-z]+-\d{4}", selector)]
    elif found := NAMESPACED.fullmatch(path):
        if found["kind"] is None:
            metadata = {**_metadata(found["project"], found["project"]), "namespace": ""}
            return json.dumps({"metadata": metadata, "status": {"phase": "Active"}}).encode()
        items = _of_project(found["project"], found["kind"])
        items = _selected(items, selector) if selector else items
    else:
        items = []
    return json.dumps({"metadata": {"resourceVersion": "1"}, "items": items}).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers GET; a watch stays open and tells of nothing."""

    protocol_version = "HTTP/1.1"
    # The two packets of an answer must not wait for each other.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a list, an object, or a watch."""
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        if query.get("watch") == "true":
            self._watch(float(query.get("timeoutSeconds", "20")))
            return
        if address.path.endswith("/log"):
            self._log(LOG_LINES // PODS if query.get("follow") else 300)
            return
        body = answer(address.path, query.get("labelSelector", ""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def _watch(self, seconds: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        time.sleep(seconds)
        self.close_connection = True

    def _log(self, lines: int) -> None:
        """Write lines as fast as they are read, each a millisecond after the one before; then stay silent."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        # As the API server does: without it a client waits for a whole buffer before it hands on anything.
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for first in range(0, lines, 500):
            text = "".join(
                f"2026-01-31T12:{n // 60_000 % 60:02d}:{n // 1000 % 60:02d}.{n % 1000:03d}000000Z"
                f" GET /products?page={n} 200 served in 12 ms\n"
                for n in range(first, min(first + 500, lines))
            )
            self._chunk(text.encode())
        if lines > 300:
            time.sleep(QUIET_S)
        self._chunk(b"")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def kubeconfig(port: int) -> str:
    """Return a kubeconfig that points at the stand-in."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "stand-in",
            "clusters": [{"name": "stand-in", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "nobody"}}],
            "users": [{"name": "nobody", "user": {}}],
        }
    )


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()
