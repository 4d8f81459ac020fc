"""plugins/module_utils/belongings.py: a deletion is proven, or the user is told what is in the way."""

from typing import Any

import pytest

from plugins.module_utils import belongings
from tests.plugins.conftest import StatedCluster

Json = dict[str, Any]
OURS = {"app.kubernetes.io/part-of": "croft", "croft.dev/project": "shop"}


def namespace(conditions: dict[str, str] | None = None, **metadata: Any) -> Json:
    """The namespace of project shop."""
    return {
        "metadata": {"name": "shop", "labels": OURS, **metadata},
        "status": {
            "conditions": [
                {"type": key, "status": "True", "message": text} for key, text in (conditions or {}).items()
            ]
        },
    }


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time of waiting pass at once: every look at the clock is 5 s after the one before."""
    clock = iter(range(0, 100_000, 5))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_application_is_listed_with_release_and_volume() -> None:
    cluster = StatedCluster(
        {
            "/apis/apps/v1/namespaces/shop/deployments": [{"metadata": {"name": "web"}}],
            "/api/v1/namespaces/shop/secrets": [
                {"type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.web.v1"}}
            ],
            "/api/v1/persistentvolumes": [
                {"metadata": {"name": "pv-1"}, "spec": {"claimRef": {"namespace": "shop", "name": "web"}}},
                {"metadata": {"name": "pv-2"}, "spec": {"claimRef": {"namespace": "shop", "name": "other"}}},
                {"metadata": {"name": "pv-3"}, "spec": {}},
            ],
        }
    )
    found = [item.receipt for item in belongings.of_application(cluster, "shop", "web")]
    assert found == [
        {"kind": "Deployment", "name": "web"},
        {"kind": "Release", "name": "web"},
        {"kind": "PersistentVolume", "name": "pv-1"},
    ]


def test_namespace_of_somebody_else_does_not_belong_to_a_project() -> None:
    cluster = StatedCluster({"/api/v1/namespaces/shop": {"metadata": {"name": "shop", "labels": {}}}})
    assert belongings.of_project(cluster, "shop") == []
    belongings.wait_for_project_gone(cluster, "shop", 10, pytest.fail)
    assert cluster.deleted == []


def test_what_is_left_of_an_application_is_named_with_what_holds_it() -> None:
    pod = {"metadata": {"name": "web-1", "finalizers": ["example.org/hold"]}}
    cluster = StatedCluster({"/api/v1/namespaces/shop/pods": [pod]})
    with pytest.raises(
        belongings.NotGone, match=r"after 30 s: Pod web-1 \(held by example.org/hold\) is left"
    ):
        belongings.wait_for_application_gone(cluster, "shop", "web", 30)


def test_project_without_release_is_deleted_by_its_namespace() -> None:
    cluster = StatedCluster({"/api/v1/namespaces/shop": namespace()})
    with pytest.raises(belongings.NotGone, match="which Kubernetes has not finished in 10 s"):
        belongings.wait_for_project_gone(cluster, "shop", 10, pytest.fail)
    assert set(cluster.deleted) == {"/api/v1/namespaces/shop"}


def test_object_with_finalizer_blocks_and_is_named() -> None:
    deleting = namespace(
        {
            "NamespaceContentRemaining": "Some remain: widgets.example.org has 1 resource instances",
            "NamespaceFinalizersRemaining": "…: example.org/hold in 1 resource instances",
        },
        deletionTimestamp="2026-01-01T00:00:00Z",
    )
    widget = {"metadata": {"name": "w1", "finalizers": ["example.org/hold"]}}
    cluster = StatedCluster(
        {
            "/api/v1/namespaces/shop": deleting,
            "/apis/example.org": {"preferredVersion": {"groupVersion": "example.org/v1"}},
            "/apis/example.org/v1/namespaces/shop/widgets": [widget],
        }
    )
    told: list[str] = []
    with pytest.raises(belongings.NotGone) as failure:
        belongings.wait_for_project_gone(cluster, "shop", 600, told.append)
    assert str(failure.value) == (
        "project 'shop' is not gone; its deletion is blocked by widgets 'w1' (finalizer example.org/hold). "
        "Remove what holds it, then delete the project again"
    )
    assert told == ["project 'shop' waits for widgets 'w1' (finalizer example.org/hold)"]
    assert cluster.deleted == []


def test_unavailable_api_blocks_and_is_named() -> None:
    deleting = namespace({"NamespaceDeletionDiscoveryFailure": "Discovery failed"}, deletionTimestamp="x")
    services = [
        {
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "status": {"conditions": [{"type": "Available", "status": "False", "message": "no endpoints"}]},
        },
        {"metadata": {"name": "v1."}, "status": {"conditions": [{"type": "Available", "status": "True"}]}},
    ]
    cluster = StatedCluster(
        {
            "/api/v1/namespaces/shop": deleting,
            "/apis/apiregistration.k8s.io/v1/apiservices": services,
        }
    )
    expected = r"blocked by API service v1beta1.metrics.k8s.io, which is unavailable \(no endpoints\)"
    with pytest.raises(belongings.NotGone, match=expected):
        belongings.wait_for_project_gone(cluster, "shop", 600, lambda line: None)


def test_pods_may_take_their_time_to_end() -> None:
    remaining = "Some resources are remaining: pods. has 1 resource instances"
    deleting = namespace({"NamespaceContentRemaining": remaining}, deletionTimestamp="x")
    pods = [{"metadata": {"name": "web-1"}}]
    cluster = StatedCluster({"/api/v1/namespaces/shop": deleting, "/api/v1/namespaces/shop/pods": pods})
    looks: list[int] = []
    get = cluster.get

    def count(path: str, **query: str) -> Json | None:
        looks.append(1)
        if len(looks) > 20:
            cluster.objects.clear()
        return get(path, **query)

    cluster.get = count  # type: ignore[method-assign]
    belongings.wait_for_project_gone(cluster, "shop", 600, lambda line: None)
