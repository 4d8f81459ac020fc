"""No state that Helm left a release in keeps an application from being changed, rolled back or deleted."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from plugins.module_utils.release_objects import pack, unpack
from tests.e2e.conftest import Change, Kubectl
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
STATES = (
    "failed",
    "pending-install",
    "pending-upgrade",
    "pending-rollback",
    "uninstalling",
    "uninstalled",
    "superseded",
    "unknown",
)
ALONE = ("pending-upgrade", "pending-rollback", "failed", "superseded")
# Each application is one's own, and most of the time is spent waiting for the cluster.
AT_ONCE = 3
# Long enough ago that no Helm can still be at work on it.
LONG_AGO = "2026-01-01T00:00:00.123456789Z"


@pytest.fixture(scope="module")
def project(new_project: Callable[..., str]) -> str:
    """A project that the module's applications share."""
    return new_project("c-states", quota={"cpu": "2", "memory": "1Gi", "storage": "2Gi", "pods": 10})


def leave_in(kubectl: Kubectl, project: str, name: str, state: str, *, alone: bool = False) -> None:
    """Leave the release behind as a Helm does that was killed; `alone`: with no earlier revision either."""
    found = json.loads(
        kubectl("get", "secrets", "-n", project, "-l", f"owner=helm,name={name}", "-o", "json")
    )["items"]
    *earlier, secret = sorted(found, key=lambda item: int(item["metadata"]["labels"]["version"]))
    release = unpack(secret)
    release["info"] |= {"status": state, "last_deployed": LONG_AGO}
    change = {"metadata": {"labels": {"status": state}}, "data": {"release": pack(release)}}
    kubectl(
        "patch", "secret", secret["metadata"]["name"], "-n", project, "--type=merge", "-p", json.dumps(change)
    )
    if alone and earlier:
        kubectl("delete", "secret", "-n", project, *(item["metadata"]["name"] for item in earlier))


def level_of(kubectl: Kubectl, project: str, name: str) -> str:
    """Return the variable LEVEL that the application's pods see."""
    found: str = json.loads(kubectl("get", "configmap", name, "-n", project, "-o", "json"))["data"]["LEVEL"]
    return found


@pytest.fixture(scope="module")
def stories(
    project: str, change: Change, kubectl: Kubectl, agnhost: str
) -> Iterator[dict[str, Future[None]]]:
    """What happens to each application, some of them at once; result() raises what was wrong."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        given = (project, change, kubectl, agnhost)
        cured = {state: pool.submit(_cure, state, *given) for state in STATES}
        kept = {f"alone-{state}": pool.submit(_keep_volume, state, *given) for state in ALONE}
        yield {**cured, **kept}


@pytest.mark.parametrize("state", STATES)
def test_change_rollback_and_deletion_cure_every_state(state: str, stories: dict[str, Future[None]]) -> None:
    stories[state].result()


@pytest.mark.parametrize("state", ALONE)
def test_a_release_without_an_earlier_revision_keeps_its_volume(
    state: str, stories: dict[str, Future[None]]
) -> None:
    stories[f"alone-{state}"].result()


def _cure(state: str, project: str, change: Change, kubectl: Kubectl, agnhost: str) -> None:
    name = f"s-{state}"

    def settings(level: str) -> Json:
        env = [{"name": "LEVEL", "value": level}]
        return small_application(agnhost, project=project, name=name, runAsUser=1000, env=env)

    for level in ("first", "second"):
        run = change("application", settings(level))
        assert run.code == 0, run.output
    leave_in(kubectl, project, name, state)
    changed = change("application", settings("third"))
    assert (changed.code, changed.changed) == (0, 1), changed.output
    assert level_of(kubectl, project, name) == "third"

    leave_in(kubectl, project, name, state)
    # A rollback is a change to what was wanted before.
    back = change("application", settings("second"))
    assert back.code == 0, back.output
    assert level_of(kubectl, project, name) == "second"
    assert change("application", settings("second")).changed == 0, "cured, so there is nothing to do"

    leave_in(kubectl, project, name, state)
    gone = change("application", {"project": project, "name": name}, state="absent")
    assert gone.code == 0, gone.output
    kinds = "deployments,pods,services,ingresses,configmaps,secrets,serviceaccounts"
    label = f"croft.dev/application={name}"
    assert not json.loads(kubectl("get", kinds, "-n", project, "-l", label, "-o", "json"))["items"]
    helms = ("get", "secrets", "-n", project, "-l", f"owner=helm,name={name}", "-o", "name")
    assert not kubectl(*helms).strip()


def _keep_volume(state: str, project: str, change: Change, kubectl: Kubectl, agnhost: str) -> None:
    name = f"alone-{state}"
    settings = small_application(agnhost, project=project, name=name, runAsUser=1000, volume={"size": "64Mi"})
    for replicas in (1, 0):
        assert change("application", {**settings, "replicas": replicas}).code == 0
    claim = ("get", "pvc", name, "-n", project, "-o", "jsonpath={.metadata.uid}")
    before = kubectl(*claim)
    leave_in(kubectl, project, name, state, alone=True)
    planned = change("application", settings, "--check", "--diff")
    assert planned.code == 0, planned.output
    cured = change("application", settings)
    assert cured.code == 0, cured.output
    assert kubectl(*claim) == before
    assert change("application", {"project": project, "name": name}, state="absent").code == 0
