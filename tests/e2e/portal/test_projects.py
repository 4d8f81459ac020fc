"""Projects through the portal on the real cluster: sleep, kubeconfig, more quota, deletion with a receipt."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.helm import helm_binary
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
Kubectl = Callable[..., str]
NAME = "e2e-sleepy"
PATH = f"/api/v1/projects/{NAME}"


@pytest.fixture(scope="module")
def project(portal: Portal) -> Iterator[str]:
    """A project of this module, removed at its end whatever happened."""
    made = portal.submit("POST", "/api/v1/projects", {"name": NAME, "preset": "small"})
    assert made.job["state"] == "succeeded", made.text()
    yield NAME
    if portal.request("GET", PATH).status_code == 200:
        gone = portal.submit("DELETE", PATH)
        assert gone.job["state"] == "succeeded", gone.text()


@pytest.fixture(scope="module")
def web(portal: Portal, project: str, agnhost: str) -> str:
    """An application of two pods with a secret and a volume of its own beside it."""
    resources = {
        "requests": {"cpu": "10m", "memory": "16Mi"},
        "limits": {"cpu": "200m", "memory": "64Mi"},
    }
    base = {
        "image": agnhost,
        "args": ["netexec", "--http-port=8080"],
        "ports": [{"targetPort": 8080}],
        "healthPath": "/healthz",
        "resources": resources,
    }
    scaling = {"minReplicas": 2, "maxReplicas": 3, "cpuPercent": 80}
    secrets = [{"name": "TOKEN", "value": "s3cret-value"}]
    for name, more in (
        ("web", {"autoscaling": scaling, "secrets": secrets}),
        ("disk", {"volume": {"size": "50Mi"}}),
    ):
        made = portal.submit("POST", f"{PATH}/applications", {"name": name, **base, **more})
        assert made.job["state"] == "succeeded", made.text()
    return "web"


@pytest.fixture(scope="module")
def kubeconfig_file(portal: Portal, project: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The owner's kubeconfig, as a program downloads it."""
    answer = portal.request("GET", f"{PATH}/kubeconfig?expiresInHours=1")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}.kubeconfig"'
    file = tmp_path_factory.mktemp("kubeconfig") / f"{NAME}.kubeconfig"
    file.write_text(answer.text)
    return file


def with_it(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl with a member's kubeconfig."""
    command = [str(Path(helm_binary()).with_name("kubectl")), "--kubeconfig", str(file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def pods(kubectl: Kubectl) -> list[str]:
    """Names of the pods in the project."""
    return kubectl("get", "pods", "-n", NAME, "-o", "name").split()


def answers(portal: Portal) -> int:
    """Status with which the application answers at its address."""
    host = portal.url.partition("://")[2].rsplit(":", 1)[0].split(".", 1)[-1]
    url = portal.call("GET", f"{PATH}/applications/web")["url"].partition("://")[2]
    assert url.startswith(f"web.{NAME}."), host
    port = url.rsplit(":", 1)[1]
    return httpx.get(f"http://127.0.0.1:{port}/hostname", headers={"Host": url}, trust_env=False).status_code


def test_archiving_leaves_no_pod_and_waking_brings_all_back(
    portal: Portal, web: str, kubectl: Kubectl
) -> None:
    assert answers(portal) == 200
    before = json.loads(kubectl("get", "secret", "web", "-n", NAME, "-o", "json"))["data"]
    assert "horizontalpodautoscaler" in kubectl("get", "hpa", "-n", NAME, "-o", "name")

    slept = portal.submit("POST", f"{PATH}/archive")
    assert slept.job["state"] == "succeeded", slept.text()
    assert slept.job["message"] == f"Project '{NAME}' is archived: nothing of it runs until it is woken."
    assert sorted(slept.job["result"]["asleep"]) == ["disk", "web"]
    assert pods(kubectl) == []
    assert kubectl("get", "hpa", "-n", NAME, "-o", "name") == ""
    assert "persistentvolumeclaim/disk" in kubectl("get", "pvc", "-n", NAME, "-o", "name")
    shown = portal.call("GET", PATH)
    assert (shown["archived"], shown["state"]) == (True, "ready")
    refused = portal.request("PATCH", f"{PATH}/applications/web", {"replicas": 2})
    assert refused.status_code == 409
    assert refused.json()["detail"] == f"Project '{NAME}' is archived; wake it first."

    # A change of the settings does not wake it.
    changed = portal.submit("PATCH", PATH, {"description": "Sleeps well"})
    assert changed.job["state"] == "succeeded", changed.text()
    assert pods(kubectl) == []

    woke = portal.submit("POST", f"{PATH}/wake")
    assert woke.job["state"] == "succeeded", woke.text()
    assert sorted(woke.job["result"]["awake"]) == ["disk", "web"]
    end = time.monotonic() + 60
    while len(pods(kubectl)) < 3:
        assert time.monotonic() < end, "the autoscaler has not come to its least number"
        time.sleep(1)
    assert answers(portal) == 200
    assert json.loads(kubectl("get", "secret", "web", "-n", NAME, "-o", "json"))["data"] == before
    assert "horizontalpodautoscaler" in kubectl("get", "hpa", "-n", NAME, "-o", "name")


def test_a_half_done_archiving_is_completed(portal: Portal, web: str, kubectl: Kubectl) -> None:
    # A pod that no release makes keeps the first run from its end.
    stray = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stray", "namespace": NAME, "finalizers": ["e2e.example.org/hold"]},
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "pause",
                    "image": "registry.invalid/nothing:1",
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(stray))
    try:
        accepted = portal.call("POST", f"{PATH}/archive")
        end = time.monotonic() + 60
        while pods(kubectl) != ["pod/stray"]:
            assert time.monotonic() < end
            time.sleep(1)
        portal.call("POST", f"{accepted['links']['job']}/cancel")
        assert portal.follow(accepted["links"]["job"]).job["state"] == "cancelled"
    finally:
        kubectl("patch", "pod", "stray", "-n", NAME, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        kubectl("delete", "pod", "stray", "-n", NAME, "--grace-period=0", "--force", check=False)
    # The project is archived as far as its settings go; any further change completes it.
    again = portal.submit("PATCH", PATH, {"description": "Sleeps"})
    assert again.job["state"] == "succeeded", again.text()
    assert pods(kubectl) == []
    woke = portal.submit("POST", f"{PATH}/wake")
    assert woke.job["state"] == "succeeded", woke.text()


def test_kubeconfig_is_good_for_its_project_alone(kubeconfig_file: Path, web: str) -> None:
    seen = with_it(kubeconfig_file, "get", "pods", "-o", "name")
    assert seen.returncode == 0, seen.stderr
    assert "pod/web-" in seen.stdout
    for command in (
        ("get", "pods", "-n", "kube-system"),
        ("get", "pods", "--all-namespaces"),
        ("get", "nodes"),
        ("get", "secrets"),
        ("get", "secret", "web"),
        ("create", "configmap", "x"),
        ("create", "token", "croft-owner"),
        ("delete", "deployment", "web"),
        ("create", "rolebinding", "x", "--role=croft-owner", "--user=x"),
    ):
        refused = with_it(kubeconfig_file, *command)
        assert refused.returncode != 0, command
        assert "forbidden" in refused.stderr.lower(), (command, refused.stderr)
    pod = seen.stdout.split()[0]
    # Owners and developers may run commands in pods: agnhost has no shell, but itself.
    ran = with_it(kubeconfig_file, "exec", pod, "--", "/agnhost", "help")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("role", "verb", "resource", "may"),
    [
        ("viewer", "get", "pods/log", True),
        ("viewer", "create", "pods/exec", False),
        ("viewer", "delete", "pods", False),
        ("developer", "create", "pods/exec", True),
        ("developer", "delete", "pods", True),
        ("developer", "get", "roles", False),
        ("owner", "get", "roles", True),
        ("owner", "get", "secrets", False),
        ("owner", "create", "serviceaccounts/token", False),
    ],
)
def test_each_role_has_its_account(
    kubectl: Kubectl, project: str, role: str, verb: str, resource: str, may: bool
) -> None:
    who = f"--as=system:serviceaccount:{NAME}:croft-{role}"
    resource, _, part = resource.partition("/")
    more = [f"--subresource={part}"] if part else []
    said = kubectl("auth", "can-i", verb, resource, *more, "-n", NAME, who, check=False)
    assert said.startswith("yes" if may else "no")


def test_more_quota_is_asked_for_and_granted(portal: Portal, project: str, kubectl: Kubectl) -> None:
    wish = {
        "quota": {"cpu": "1500m", "memory": "1Gi", "storage": "2Gi", "pods": 12},
        "reason": "A second server",
    }
    asked = portal.request("POST", f"{PATH}/quota-requests", wish)
    assert asked.status_code == 201, asked.text
    waiting = portal.call("GET", "/api/v1/quota-requests?state=open")["items"]
    assert asked.json()["id"] in [item["id"] for item in waiting]
    granted = portal.submit("POST", f"{asked.json()['links']['self']}/grant", {"answer": "Until May"})
    assert granted.job["state"] == "succeeded", granted.text()
    hard = json.loads(kubectl("get", "resourcequota", "project", "-n", NAME, "-o", "json"))["spec"]["hard"]
    assert (hard["requests.cpu"], hard["pods"]) == ("1500m", "12")
    assert portal.call("GET", asked.json()["links"]["self"])["state"] == "granted"


def test_a_project_that_expires_falls_asleep_by_itself(portal: Portal, web: str, kubectl: Kubectl) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=5)
    assert portal.submit("PATCH", PATH, {"expiresAt": soon.isoformat()}).job["state"] == "succeeded"
    end = time.monotonic() + 120
    while not portal.call("GET", PATH)["archived"]:
        assert time.monotonic() < end, "the worker looks once a minute"
        time.sleep(2)
    job = portal.call("GET", f"/api/v1/jobs?project={NAME}")["items"][0]
    assert (job["kind"], job["user"]) == ("project.archive", "portal")
    assert portal.follow(f"/api/v1/jobs/{job['id']}").job["state"] == "succeeded"
    assert pods(kubectl) == []
    woke = portal.submit("POST", f"{PATH}/wake")
    assert woke.job["state"] == "succeeded", woke.text()
    assert portal.call("GET", PATH)["expiresAt"] is None


def test_a_blocked_deletion_names_what_holds_it_and_then_leaves_a_receipt(
    portal: Portal, web: str, kubectl: Kubectl
) -> None:
    before = portal.call("GET", f"{PATH}/belongings")
    assert before["applications"] == ["disk", "web"]
    assert before["releases"] == ["disk", "web"]
    assert before["volumes"] == [{"name": "disk", "size": "50Mi"}]
    assert {"kind": "Deployment", "count": 2} in before["objects"]

    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "stubborn", "namespace": NAME, "finalizers": ["e2e.example.org/hold"]},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(held))
    blocked = portal.submit("DELETE", PATH)
    assert blocked.job["state"] == "failed", blocked.text()
    shown = portal.call("GET", PATH)
    assert shown["state"] == "blocked"
    assert "configmaps 'stubborn' (finalizer e2e.example.org/hold)" in shown["blockedBy"]

    patch = json.dumps([{"op": "remove", "path": "/metadata/finalizers"}])
    kubectl("patch", "configmap", "stubborn", "-n", NAME, "--type=json", "-p", patch)
    gone = portal.submit("DELETE", PATH)
    assert gone.job["state"] == "succeeded", gone.text()
    assert gone.job["result"]["left"] == []
    assert "not found" in kubectl("get", "namespace", NAME, check=False).lower()
    assert portal.request("GET", PATH).status_code == 404
    # What was done stays readable when the project is gone.
    assert portal.call("GET", f"/api/v1/jobs?project={NAME}")["items"][0]["kind"] == "project.delete"
