"""Deletions that something holds up, and releases that a killed Helm left behind, on the real cluster."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Change, Kubectl
from tests.helm import helm_binary
from tests.playbook import ROOT
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
BROKEN_API = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1.ch-broken.example.org"},
    "spec": {
        "group": "ch-broken.example.org",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 10,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": "default", "name": "nobody-is-there"},
    },
}


@pytest.fixture(scope="module")
def project(new_project: Callable[..., str]) -> str:
    """A project that the module's applications share."""
    return new_project("ch-cure")


@pytest.fixture
def web(project: str, agnhost: str) -> Json:
    """The request of a small application."""
    resources = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    return small_application(
        agnhost, project=project, name="web", runAsUser=1000, healthPath=None, resources=resources
    )


@pytest.fixture
def broken_api(kubectl: Kubectl) -> Iterator[None]:
    """An API service that nobody serves: as long as it is there, Kubernetes finishes no namespace."""
    kubectl("apply", "-f", "-", stdin=json.dumps(BROKEN_API))
    kubectl("wait", "--for=condition=Available=False", "apiservice/v1.ch-broken.example.org", "--timeout=60s")
    yield
    kubectl("delete", "apiservice", "v1.ch-broken.example.org")


def test_volume_is_gone_with_its_application(change: Change, kubectl: Kubectl, web: Json) -> None:
    web |= {"name": "disk", "volume": {"size": "50Mi"}}
    made = change("application", web)
    assert made.code == 0, made.output
    claim = json.loads(kubectl("get", "pvc", "disk", "-n", web["project"], "-o", "json"))
    volume = claim["spec"]["volumeName"]
    changed = change("application", {**web, "env": [{"name": "A", "value": "1"}]})
    assert changed.code == 0, changed.output
    kept = json.loads(kubectl("get", "pvc", "disk", "-n", web["project"], "-o", "json"))
    assert kept["metadata"]["uid"] == claim["metadata"]["uid"]
    smaller = change("application", {**web, "volume": {"size": "40Mi"}})
    assert "the volume of 'disk' has 50Mi" in smaller.message

    gone = change("application", {"project": web["project"], "name": "disk"}, state="absent")
    assert gone.code == 0, gone.output
    assert {"kind": "PersistentVolume", "name": volume} in gone.result["removed"]
    assert "not found" in kubectl("get", "pv", volume, check=False).lower()


def test_object_that_holds_a_project_back_is_named_and_left_alone(change: Change, kubectl: Kubectl) -> None:
    assert change("project", {"name": "ch-held"}).code == 0
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "stubborn", "namespace": "ch-held", "finalizers": ["ch.example.org/hold"]},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(held))
    blocked = change("project", {"name": "ch-held"}, state="absent")
    assert blocked.code != 0
    assert "configmaps 'stubborn' (finalizer ch.example.org/hold)" in blocked.message
    assert blocked.seconds < 60
    assert "ch.example.org/hold" in kubectl("get", "configmap", "stubborn", "-n", "ch-held", "-o", "yaml")
    assert "still being deleted" in change("project", {"name": "ch-held"}).message

    patch = json.dumps([{"op": "remove", "path": "/metadata/finalizers"}])
    kubectl("patch", "configmap", "stubborn", "-n", "ch-held", "--type=json", "-p", patch)
    again = change("project", {"name": "ch-held"}, state="absent")
    assert again.code == 0, again.output
    assert "not found" in kubectl("get", "namespace", "ch-held", check=False).lower()


def test_api_that_holds_a_project_back_is_named(change: Change, request: pytest.FixtureRequest) -> None:
    assert change("project", {"name": "ch-blind"}).code == 0
    request.getfixturevalue("broken_api")
    blocked = change("project", {"name": "ch-blind"}, state="absent")
    assert "blocked by API service v1.ch-broken.example.org, which is unavailable" in blocked.message
    assert blocked.seconds < 60


def test_project_is_gone_once_its_api_is_back(change: Change, kubectl: Kubectl) -> None:
    again = change("project", {"name": "ch-blind"}, state="absent")
    assert again.code == 0, again.output
    assert "not found" in kubectl("get", "namespace", "ch-blind", check=False).lower()


def killed_helm(kubeconfig: str, kubectl: Kubectl, web: Json, values: Json, status: str) -> None:
    """Release an application whose pods never get ready, and kill helm while it waits for them."""
    selector = f"owner=helm,name={web['name']},status={status}"
    where = ("--namespace", web["project"], "--kubeconfig", kubeconfig)
    chart = str(ROOT / "charts/application")
    helm = subprocess.Popen(
        [helm_binary(), "upgrade", "--install", web["name"], chart, "--values", "-", "--wait", *where],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert helm.stdin
    helm.stdin.write(json.dumps(values).encode())
    helm.stdin.close()
    end = time.monotonic() + 30
    while not kubectl("get", "secrets", "-n", web["project"], "-l", selector, "-o", "name"):
        assert time.monotonic() < end, f"helm never reached {status}"
    helm.kill()
    helm.wait()


def test_release_of_a_killed_helm_is_cured(
    change: Change, kubectl: Kubectl, kubeconfig: str, web: Json
) -> None:
    values = {"image": "registry.invalid/nobody/nothing:1", "ports": [{"name": "http", "targetPort": 8080}]}
    killed_helm(kubeconfig, kubectl, web, values, "pending-install")
    cured = change("application", web)
    assert (cured.code, cured.changed) == (0, 1), cured.output
    killed_helm(kubeconfig, kubectl, web, values, "pending-upgrade")
    cured = change("application", web)
    assert (cured.code, cured.changed) == (0, 1), cured.output
    killed_helm(kubeconfig, kubectl, web, values, "pending-upgrade")
    gone = change("application", {"project": web["project"], "name": "web"}, state="absent")
    assert gone.code == 0, gone.output
