"""The cluster's monitoring, and a project that gives it something to see."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import faults
from tests.e2e.monitoring.forward import Forward
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.portal.live import create, project_of
from tests.e2e.waiting import eventually
from tests.portal import Portal
from tests.samples import small_application

Json = dict[str, Any]
BUSY = "mon-busy"
# The project of someone who wants to see the metrics of the other one.
CURIOUS = "mon-curious"


def values_of_variables(project: str, application: str = "web") -> dict[str, str]:
    """What the dashboards' variables stand for for one application, and all of the rest."""
    return {"namespace": project, "application": application, "pod": ".*", "container": ".*", "node": ".*"}


@contextmanager
def asked(host: str, port: int) -> Iterator[list[int]]:
    """Ask a server.py through the ingress ten times a second meanwhile; each tenth answer is an error.

    Yields the statuses of the answers, a list that grows.
    """
    over = threading.Event()
    statuses: list[int] = []

    def ask() -> None:
        base, headers = f"http://127.0.0.1:{port}", {"Host": f"{host}:{port}"}
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
            due = time.monotonic()
            while not over.wait(max(0.0, due - time.monotonic())):
                # By the clock, however long an answer takes; only a silence of seconds is not caught up with.
                due = max(due + 0.1, time.monotonic() - 3)
                path = "/fail" if len(statuses) % 10 == 9 else "/"
                # Other tests may be busy with the ingress; the questions go on afterwards.
                with suppress(httpx.TransportError):
                    statuses.append(client.get(path).status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="session")
def prometheus(kubeconfig: str) -> Iterator[Prometheus]:
    """The cluster's Prometheus, asked without any proxy that would hide something."""
    forward = Forward(kubeconfig, "service/prometheus", 9090)
    yield Prometheus(forward.request)
    forward.close()


@pytest.fixture(scope="session")
def alertmanager(kubeconfig: str) -> Iterator[Forward]:
    """The cluster's Alertmanager."""
    forward = Forward(kubeconfig, "service/alertmanager", 9093)
    yield forward
    forward.close()


@pytest.fixture(scope="session")
def python_image(kubectl: Kubectl) -> str:
    """The portal's image: every node that runs it has it, with Python and a shell in it."""
    pods = json.loads(
        kubectl("get", "pods", "-n", "croft", "-l", "app.kubernetes.io/name=portal", "-o", "json")
    )
    image: str = pods["items"][0]["spec"]["containers"][0]["image"]
    return image


def running(image: str, script: str, **more: Any) -> Json:
    """Settings of an application that runs one of the scripts beside this file, in the portal's image."""
    return {
        "image": image,
        "command": ["python3", "-c"],
        "args": [(Path(__file__).parent / script).read_text()],
        "ports": [{"targetPort": 8080}],
        "runAsUser": 10001,
        "resources": {
            "requests": {"cpu": "20m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        **more,
    }


@pytest.fixture(scope="session")
def busy(portal: Portal, kubectl: Kubectl, python_image: str, settings: Json) -> Iterator[str]:
    """A project with an application, `web`, that has all that one can have, and is asked all the time."""
    more = {
        "autoscaling": {"minReplicas": 1, "maxReplicas": 2, "cpuPercent": 90},
        "metrics": {"port": 8080},
        "volume": {"size": "64Mi"},
    }
    with project_of(portal, BUSY) as name:
        create(portal, name, "web", running(python_image, "server.py", **more))
        with asked(f"web.{name}.localhost", settings["http_port"]):
            yield name


@pytest.fixture(scope="session")
def member(
    portal: Portal, portal_url: str, busy: str, prometheus: Prometheus, agnhost: str
) -> Iterator[Portal]:
    """Someone who owns a project of their own and knows the busy one's name; both have series."""
    name, password = "mon-mallory", secrets.token_urlsafe(24)
    portal.call("POST", "/api/v1/users", {"name": name, "password": password, "isAdmin": False})
    with project_of(portal, CURIOUS) as project:
        create(portal, project, "spy", small_application(agnhost, runAsUser=1000))
        added = portal.submit("PUT", f"/api/v1/projects/{project}/members/{name}", {"role": "owner"})
        assert added.job["state"] == "succeeded", added.text()
        client = Portal(portal_url)
        client.sign_in(name, password)
        for namespace in (project, busy):
            series = f'container_memory_working_set_bytes{{namespace="{namespace}"}}'
            eventually(partial(prometheus.query, series), 90, f"no series of {namespace}")
        yield client
    portal.call("DELETE", f"/api/v1/users/{name}")


@dataclass(frozen=True)
class Provoked:
    """The project in which everything goes wrong, and the path of what its channel has been told."""

    project: str
    deliveries: str


@pytest.fixture(scope="session")
def provoked(portal: Portal, kubectl: Kubectl, python_image: str) -> Iterator[Provoked]:
    """A project in which everything goes wrong. Loops and alerts take their time, which other tests use."""
    with project_of(portal, faults.PROJECT, quota=faults.QUOTA) as name:
        # The address leads nowhere: what counts here is what is handed to it.
        channel = {"kind": "webhook", "target": "https://hook.invalid/", "events": ["alert.firing"]}
        made = portal.call("POST", f"/api/v1/projects/{name}/channels", channel)
        items = {"apiVersion": "v1", "kind": "List", "items": faults.all_of(python_image)}
        kubectl("apply", "-n", name, "-f", "-", stdin=json.dumps(items))
        yield Provoked(name, made["links"]["deliveries"])
