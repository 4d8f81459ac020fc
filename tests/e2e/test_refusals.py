"""What playbooks refuse after a look at the real cluster, before they change anything."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Change, Kubectl
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]


@pytest.fixture(scope="module")
def project(new_project: Callable[..., str]) -> str:
    """A small project."""
    return new_project("ch-small", quota={"cpu": "300m", "memory": "256Mi", "storage": "1Gi", "pods": 2})


@pytest.fixture
def web(project: str, agnhost: str) -> Json:
    """The request of an application that would fit."""
    resources = {"requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
    return small_application(
        agnhost, project=project, name="web", runAsUser=1000, healthPath=None, resources=resources
    )


@pytest.fixture
def foreign_namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace that Croft did not make."""
    kubectl("create", "namespace", "ch-foreign")
    yield "ch-foreign"
    kubectl("delete", "namespace", "ch-foreign")


def test_foreign_namespace_is_neither_taken_over_nor_deleted(
    change: Change, kubectl: Kubectl, foreign_namespace: str, web: Json
) -> None:
    taken = change("project", {"name": foreign_namespace})
    assert "was not made by Croft; choose another name" in taken.message
    assert "was not made by Croft" in change("application", {**web, "project": foreign_namespace}).message
    deleted = change("project", {"name": foreign_namespace}, state="absent")
    assert (deleted.code, deleted.changed) == (0, 0), deleted.output
    assert "Active" in kubectl("get", "namespace", foreign_namespace)


def test_quota_beyond_the_nodes_is_refused(change: Change, kubectl: Kubectl) -> None:
    refused = change("project", {"name": "ch-huge", "quota": {"cpu": "5000"}})
    assert "Project 'ch-huge' asks for a quota of 5000 CPU" in refused.message
    assert refused.changed == 0
    assert "not found" in kubectl("get", "namespace", "ch-huge", check=False).lower()


def test_networks_of_the_cluster_stay_closed(change: Change) -> None:
    for network in ("169.254.169.254/32", "10.96.0.0/24", "127.0.0.1/32"):
        refused = change("project", {"name": "ch-spy", "egressCidrs": [network]})
        assert f"{network} lies in" in refused.message


def test_application_that_does_not_fit_its_quota_is_refused(
    change: Change, kubectl: Kubectl, web: Json
) -> None:
    more = {"requests": {"cpu": "200m", "memory": "16Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
    refused = change("application", {**web, "replicas": 2, "resources": more})
    assert "Project 'ch-small' has 300m CPU left; this application asks for 400m" in refused.message
    pods = change("application", {**web, "replicas": 3})
    assert "has 2 pods left; this application asks for 3" in pods.message
    volume = change("application", {**web, "volume": {"size": "2Gi"}})
    assert "has 1Gi storage left; this application asks for 2Gi" in volume.message
    limit = change("application", {**web, "resources": {**more, "limits": {"cpu": "1", "memory": "64Mi"}}})
    assert "limits.cpu: 1 is above project 'ch-small's quota of 300m" in limit.message
    assert kubectl("get", "all", "-n", "ch-small", "-o", "name") == ""


def test_host_of_another_application_is_refused(change: Change, kubectl: Kubectl, web: Json) -> None:
    assert change("application", {**web, "host": "one.example.org"}).code == 0
    other = {**web, "name": "other", "host": "one.example.org"}
    assert "'one.example.org' is held by another application" in change("application", other).message
    platform = change("application", {**other, "host": "web.ch-other.localhost"})
    assert "'web.ch-other.localhost' belongs to the platform" in platform.message
    assert "belongs to the platform" in change("application", {**other, "host": "croft.localhost"}).message
    assert "not found" in kubectl("get", "deployment", "other", "-n", "ch-small", check=False).lower()


def test_application_without_its_project_or_secret_is_refused(change: Change, web: Json) -> None:
    nowhere = change("application", {**web, "project": "ch-nowhere"})
    assert "project 'ch-nowhere' does not exist; create it first" in nowhere.message
    secret = change("application", {**web, "name": "keeper", "secrets": [{"name": "TOKEN"}]})
    assert "'TOKEN' has no value and none is stored" in secret.message
