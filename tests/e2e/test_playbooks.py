"""Projects and applications by ansible-playbook alone, on the real cluster."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Change, Kubectl
from tests.playbook import ROOT
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]


@pytest.fixture(scope="module")
def project(new_project: Callable[..., str]) -> str:
    """A project that the module's applications share."""
    return new_project("ch-shop", quota={"cpu": "1", "memory": "1Gi", "storage": "2Gi", "pods": 10})


@pytest.fixture
def web(project: str, agnhost: str) -> Json:
    """The request of a small application that answers HTTP."""
    resources = {"requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}}
    return small_application(agnhost, project=project, name="web", runAsUser=1000, resources=resources)


@pytest.fixture(scope="session")
def root_image() -> str:
    """Name of an image of the bundle that runs as root and is on every node."""
    lock = yaml.safe_load((ROOT / "bundle/lock.yml").read_text())
    return f"registry.k8s.io/kube-proxy:v{lock['components']['kubernetes']['version'].removeprefix('v')}"


def objects(kubectl: Kubectl, namespace: str, kinds: str, selector: str = "") -> list[Json]:
    """The objects of some kinds in a namespace."""
    more = ("--selector", selector) if selector else ()
    found: list[Json] = json.loads(kubectl("get", kinds, "-n", namespace, "-o", "json", *more))["items"]
    return found


def running_pods(kubectl: Kubectl, namespace: str, application: str) -> list[Json]:
    """The application's pods that are not on their way out."""
    pods = objects(kubectl, namespace, "pods", f"croft.dev/application={application}")
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def test_project_is_made_changed_and_deleted_and_nothing_is_left(change: Change, kubectl: Kubectl) -> None:
    request: Json = {
        "name": "ch-life",
        "owner": "ada@example.org",
        "members": [{"user": "bob", "role": "viewer"}],
    }
    rehearsal = change("project", request, "--check")
    assert (rehearsal.code, rehearsal.changed) == (0, 1), rehearsal.output
    assert "not found" in kubectl("get", "namespace", "ch-life", check=False).lower()

    made = change("project", request)
    assert (made.code, made.changed) == (0, 1), made.output
    labels = json.loads(kubectl("get", "namespace", "ch-life", "-o", "json"))["metadata"]["labels"]
    assert labels["croft.dev/owner"] == "ada_example.org"
    assert labels["app.kubernetes.io/part-of"] == "croft"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    as_bob = ("--as", "croft:bob", "-n", "ch-life")
    assert kubectl("auth", "can-i", "list", "pods", *as_bob).strip() == "yes"
    for verb, kind in (("get", "secrets"), ("delete", "pods"), ("list", "pods.v1.")):
        where = as_bob if kind != "pods.v1." else (*as_bob[:2], "-n", "default")
        assert kubectl("auth", "can-i", verb, kind.split(".")[0], *where, check=False).startswith("no")

    again = change("project", request)
    assert (again.code, again.changed) == (0, 0), again.output

    larger = change("project", {**request, "quota": {"cpu": "1500m"}})
    assert (larger.code, larger.changed) == (0, 1), larger.output
    quota = json.loads(kubectl("get", "resourcequota", "project", "-n", "ch-life", "-o", "json"))
    assert quota["spec"]["hard"]["requests.cpu"] == "1500m"

    rehearsal = change("project", {"name": "ch-life"}, "--check", state="absent")
    assert (rehearsal.code, rehearsal.changed) == (0, 1), rehearsal.output
    assert kubectl("get", "namespace", "ch-life")

    gone = change("project", {"name": "ch-life"}, state="absent")
    assert gone.code == 0, gone.output
    assert {"kind": "Namespace", "name": "ch-life"} in gone.result["removed"]
    assert gone.result["left"] == []
    assert "not found" in kubectl("get", "namespace", "ch-life", check=False).lower()
    assert not objects(kubectl, "croft-projects", "secrets", "name=ch-life")

    absent = change("project", {"name": "ch-life"}, state="absent")
    assert (absent.code, absent.changed) == (0, 0), absent.output


def test_application_is_made_changed_and_deleted_and_nothing_is_left(
    change: Change, kubectl: Kubectl, web: Json
) -> None:
    web = {
        **web,
        "env": [{"name": "YES", "value": "on"}],
        "secrets": [{"name": "PASSWORD", "value": "first-one"}],
    }
    project = web["project"]
    made = change("application", web)
    assert (made.code, made.changed) == (0, 1), made.output
    assert made.result["ready"] == 1
    assert made.result["url"].startswith(f"http://web.{project}.localhost:")
    assert "first-one" not in made.output
    (pod,) = running_pods(kubectl, project, "web")
    (variables,) = objects(kubectl, project, "configmaps", "croft.dev/application=web")
    assert variables["data"] == {"YES": "on"}
    assert pod["spec"]["automountServiceAccountToken"] is False

    again = change("application", web)
    assert (again.code, again.changed) == (0, 0), again.output

    kept = {**web, "secrets": [{"name": "PASSWORD"}]}
    unchanged = change("application", kept)
    assert (unchanged.code, unchanged.changed) == (0, 0), unchanged.output

    replaced = change("application", {**web, "secrets": [{"name": "PASSWORD", "value": "second-one"}]})
    assert (replaced.code, replaced.changed) == (0, 1), replaced.output
    (new_pod,) = running_pods(kubectl, project, "web")
    assert new_pod["metadata"]["name"] != pod["metadata"]["name"]

    for count in (2, 0):
        scaled = change("application", {**web, "replicas": count})
        assert (scaled.code, scaled.result["ready"]) == (0, count), scaled.output

    growing = change("application", {**web, "autoscaling": {"minReplicas": 2, "maxReplicas": 3}})
    assert growing.code == 0, growing.output
    assert objects(kubectl, project, "horizontalpodautoscalers", "croft.dev/application=web")

    gone = change("application", {"project": project, "name": "web"}, state="absent")
    assert gone.code == 0, gone.output
    assert {"kind": "Deployment", "name": "web"} in gone.result["removed"]
    kinds = "deployments,replicasets,pods,services,ingresses,configmaps,secrets,serviceaccounts,pvc,hpa"
    assert not objects(kubectl, project, kinds, "croft.dev/application=web")
    assert not objects(kubectl, project, "secrets", "owner=helm")

    absent = change("application", {"project": project, "name": "web"}, state="absent")
    assert (absent.code, absent.changed) == (0, 0), absent.output


NOT_FOUND = "/echo?msg=nothing-here&code=404"
# what is wrong → (how the request differs, what the user reads, seconds that may take: no whole time limit)
FAILURES: dict[str, tuple[Json, str, float]] = {
    "image": (
        {"image": "registry.invalid/nobody/nothing:1"},
        "image 'registry.invalid/nobody/nothing:1' cannot",
        90,
    ),
    "root": (
        {"image": "ROOT", "runAsUser": None},
        "runs as root, which is not allowed here: set runAsUser",
        60,
    ),
    "crash": (
        {"args": ["connect", "127.0.0.1:1", "--timeout=1s"], "healthPath": None},
        "it ends with exit code 1 each time it starts. Its last lines:\n  REFUSED",
        90,
    ),
    "command": ({"command": ["/no-such-program"]}, "/no-such-program", 90),
    "health": ({"healthPath": NOT_FOUND}, "startup probe fails: the health path answers with status 404", 90),
    "port": ({"ports": [{"targetPort": 9090}]}, ":9090: connect: connection refused", 60),
}


@pytest.mark.parametrize("case", list(FAILURES))
def test_failure_is_told_with_its_reason_and_in_time(
    case: str, change: Change, web: Json, root_image: str
) -> None:
    difference, expected, seconds = FAILURES[case]
    request = {**web, "name": f"bad-{case}", **difference}
    request["image"] = root_image if request["image"] == "ROOT" else request["image"]
    failed = change("application", request, **({"application_timeout": 12} if case == "port" else {}))
    assert failed.code != 0, failed.output
    assert f"'bad-{case}' is not ready" in failed.message
    assert expected in failed.message
    assert failed.seconds < seconds
    assert failed.progress, "nobody was told how it goes"
    assert change("application", {**web, "name": f"bad-{case}", "replicas": 0}).code == 0


def test_failed_change_leaves_the_earlier_version_running_and_a_later_one_cures_it(
    change: Change, kubectl: Kubectl, web: Json
) -> None:
    web["name"] = "steady"
    first = change(
        "application", {**web, "image": "registry.invalid/nobody/nothing:1"}, application_timeout=8
    )
    assert "after 8 s: image" in first.message
    assert change("application", web).code == 0, "a failed first release must not stand in the way"
    failed = change("application", {**web, "healthPath": NOT_FOUND}, application_timeout=5)
    assert "What ran before keeps running." in failed.message
    ready = json.loads(kubectl("get", "deployment", "steady", "-n", web["project"], "-o", "json"))
    assert ready["status"]["availableReplicas"] == 1
    assert change("application", web).code == 0
    assert change("application", {"project": web["project"], "name": "steady"}, state="absent").code == 0
