"""What the reader of the cluster tells of projects: many quotas at once, contents, tokens."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.webapp.test_cluster import ApiServer, api_server, reader
from webapp.cluster import ClusterUnreachable
from webapp.cluster.kubernetes_reader import KubernetesReader

__all__ = ["api_server", "reader"]


def quota(namespace: str, used: str) -> dict[str, Any]:
    """A project's ResourceQuota."""
    status = {"hard": {"requests.cpu": "2", "pods": "20"}, "used": {"requests.cpu": used, "pods": "1"}}
    return {"metadata": {"namespace": namespace, "name": "project"}, "status": status}


def test_quotas_of_many_projects_are_one_request(reader: KubernetesReader, api_server: ApiServer) -> None:
    api_server.objects["/api/v1/resourcequotas"] = {"items": [quota("lab", "1"), quota("shop", "300m")]}
    found = reader.quotas_of(["shop", "lab", "new"])
    assert {name: use.used["cpu"] for name, use in found.items()} == {
        "lab": Decimal(1),
        "shop": Decimal("0.3"),
    }
    ((path, query),) = api_server.asked
    assert path == "/api/v1/resourcequotas"
    assert parse_qs(query) == {"labelSelector": ["croft.dev/project in (lab,new,shop)"]}
    assert reader.quotas_of([]) == {}
    assert len(api_server.asked) == 1


def test_contents_count_what_is_there_and_name_the_releases(
    reader: KubernetesReader, api_server: ApiServer
) -> None:
    assert reader.contents("shop") is None
    helm = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}
    mine = {"metadata": {"namespace": "shop", "name": "web", "annotations": helm}}
    by_hand = {"metadata": {"namespace": "shop", "name": "debug"}}
    of_project = {
        **helm,
        "meta.helm.sh/release-name": "shop",
        "meta.helm.sh/release-namespace": "croft-projects",
    }
    other = {"metadata": {"namespace": "shop", "name": "x", "annotations": of_project}}
    claim = {
        "metadata": {"namespace": "shop", "name": "data"},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }
    api_server.objects |= {
        "/api/v1/namespaces/shop": {"metadata": {"name": "shop"}},
        "/apis/apps/v1/namespaces/shop/deployments": {"items": [mine]},
        "/api/v1/namespaces/shop/pods": {"items": [by_hand, other]},
        "/api/v1/namespaces/shop/persistentvolumeclaims": {"items": [claim]},
    }
    found = reader.contents("shop")
    assert found is not None
    assert found.counts == {"Deployment": 1, "Pod": 2, "PersistentVolumeClaim": 1}
    assert found.releases == ("web",)
    assert [(volume.name, volume.capacity) for volume in found.volumes] == [("data", "1Gi")]


def test_a_token_is_asked_for(reader: KubernetesReader, api_server: ApiServer) -> None:
    path = "/api/v1/namespaces/shop/serviceaccounts/croft-viewer/token"
    with pytest.raises(LookupError, match="no service account 'croft-viewer'"):
        reader.request_token("shop", "croft-viewer", 3600)
    status = {"token": "abc", "expirationTimestamp": "2026-01-31T13:00:00Z"}
    api_server.objects[path] = {"kind": "TokenRequest", "status": status}
    token, expires_at = reader.request_token("shop", "croft-viewer", 3600)
    assert (token, expires_at) == ("abc", datetime(2026, 1, 31, 13, tzinfo=UTC))
    assert api_server.sent[-1]["spec"] == {"expirationSeconds": 3600}
    api_server.status = 403
    with pytest.raises(ClusterUnreachable, match="answered 403 to POST"):
        reader.request_token("shop", "croft-viewer", 3600)
