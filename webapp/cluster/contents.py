"""Quotas and contents of projects, from the API's JSON."""

from collections.abc import Iterable
from typing import Any

from webapp.cluster.state import QuotaUse
from webapp.quantities import parse_quantity

# What a ResourceQuota calls the resources of a project's quota; the first name that it limits counts.
_QUOTA_KEYS = {
    "cpu": ("requests.cpu", "cpu"),
    "memory": ("requests.memory", "memory"),
    "storage": ("requests.storage",),
    "pods": ("pods", "count/pods"),
}
# What users know of in a namespace and the portal may read: Secrets it may not.
CONTENT_KINDS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
}


def quotas_from(items: Iterable[dict[str, Any]]) -> dict[str, QuotaUse]:
    """Return what ResourceQuotas limit and count, by their namespaces."""
    found: dict[str, QuotaUse] = {}
    for item in items:
        status = item.get("status", {})
        quota = found.setdefault(item["metadata"]["namespace"], QuotaUse({}, {}))
        for resource, keys in _QUOTA_KEYS.items():
            key = next((key for key in keys if key in status.get("hard", {})), None)
            if key is not None:
                quota.hard[resource] = parse_quantity(status["hard"][key])
                quota.used[resource] = parse_quantity(status.get("used", {}).get(key, "0"))
    return {name: quota for name, quota in found.items() if quota.hard}


def releases_of(items: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names of the Helm releases in their own namespace that the objects belong to."""
    found = set()
    for item in items:
        metadata = item["metadata"]
        notes: dict[str, str] = metadata.get("annotations", {})
        if notes.get("meta.helm.sh/release-namespace") == metadata.get("namespace"):
            found.add(notes.get("meta.helm.sh/release-name", ""))
    return tuple(sorted(found - {""}))
