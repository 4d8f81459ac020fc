"""plugins/module_utils/manifest.py: an uninstalled release is gone when its objects are."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from plugins.module_utils import manifest
from plugins.module_utils.cluster import ClusterError
from tests.plugins.conftest import StatedCluster

MANIFEST = """
---
# Source: one
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
---
apiVersion: gone.example.org/v1
kind: Widget
metadata: {name: w1, namespace: other}
---
"""
KINDS = {
    "/api/v1": {
        "resources": [
            {"name": "namespaces", "kind": "Namespace", "namespaced": False},
            {"name": "namespaces/status", "kind": "Namespace", "namespaced": False},
        ]
    },
    "/apis/apps/v1": {"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}]},
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> StatedCluster:
    """A cluster that knows the kinds of the manifest, and holds nothing."""
    stated = StatedCluster(dict(KINDS))

    @contextmanager
    def connect(kubeconfig: str) -> Iterator[StatedCluster]:
        assert kubeconfig == "file"
        yield stated

    monkeypatch.setattr(manifest, "connect", connect)
    return stated


def test_wait_ends_when_nothing_is_there(cluster: StatedCluster) -> None:
    manifest.wait_until_gone("file", MANIFEST, "shop", 0)
    manifest.wait_until_gone("never opened", "", "shop", 0)


def test_what_is_still_there_is_named(cluster: StatedCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.objects["/apis/apps/v1/namespaces/shop/deployments/web"] = {}
    cluster.objects["/api/v1/namespaces/shop"] = {}
    with pytest.raises(ClusterError, match="Namespace shop, Deployment web still there after 0 s"):
        manifest.wait_until_gone("file", MANIFEST, "shop", 0)


def test_wait_goes_on_until_the_last_is_gone(cluster: StatedCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments/web"
    cluster.objects[path] = {}
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            del cluster.objects[path]

    monkeypatch.setattr("time.sleep", pause)
    manifest.wait_until_gone("file", MANIFEST, "shop", 600)
    assert len(pauses) == 3
