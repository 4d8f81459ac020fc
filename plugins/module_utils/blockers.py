"""What keeps a namespace from going away, in the words of Kubernetes' own conditions on it."""

import re
from typing import Any

from plugins.module_utils.cluster import Cluster, ClusterError

# Seconds that each kind of blocker may last before it counts as one. Pods have 30 s to end in good order, and
# their volumes wait for them.
_API_PATIENCE = 10.0
_CONTENT_PATIENCE = 20.0
_POD_PATIENCE = 75.0
_REMAINING = re.compile(r"(\S+) has \d+ resource instances")


def blockers_of(cluster: Cluster, namespace: dict[str, Any]) -> tuple[list[str], float]:
    """Return what blocks the deletion of a namespace, by name, and how many seconds that may last."""
    status = namespace.get("status", {})
    conditions = {
        item["type"]: item["message"] for item in status.get("conditions", []) if item["status"] == "True"
    }
    apis = _unavailable_apis(cluster, conditions)
    if apis:
        return apis, _API_PATIENCE
    found: list[str] = []
    patience = _CONTENT_PATIENCE
    for resource in _REMAINING.findall(conditions.get("NamespaceContentRemaining", "")):
        if resource in ("pods.", "persistentvolumeclaims."):
            patience = _POD_PATIENCE
        found += _objects(cluster, namespace["metadata"]["name"], resource)
    if not found and "NamespaceFinalizersRemaining" in conditions:
        found = [conditions["NamespaceFinalizersRemaining"]]
    if "NamespaceDeletionContentFailure" in conditions:
        found.append(conditions["NamespaceDeletionContentFailure"])
    return found, patience


def _unavailable_apis(cluster: Cluster, conditions: dict[str, str]) -> list[str]:
    """Name the APIs that do not answer: Kubernetes cannot know whether they hold objects of the namespace."""
    if "NamespaceDeletionDiscoveryFailure" not in conditions:
        return []
    found = []
    for service in cluster.list("/apis/apiregistration.k8s.io/v1/apiservices"):
        for condition in service.get("status", {}).get("conditions", []):
            if condition["type"] == "Available" and condition["status"] != "True":
                name = service["metadata"]["name"]
                found.append(f"API service {name}, which is unavailable ({condition.get('message', '')})")
    return found or [conditions["NamespaceDeletionDiscoveryFailure"]]


def _objects(cluster: Cluster, namespace: str, resource: str) -> list[str]:
    """Name what is left of a resource ("widgets.example.org", "pods."), with its finalizers."""
    plural, _, group = resource.partition(".")
    try:
        base = "/api/v1"
        if group:
            about = cluster.get(f"/apis/{group}") or {}
            base = f"/apis/{about['preferredVersion']['groupVersion']}"
        items = cluster.list(f"{base}/namespaces/{namespace}/{plural}")
    except (ClusterError, KeyError):
        return [resource.rstrip(".")]  # the account may not look at it; the kind is what can be named
    return [
        f"{plural} '{item['metadata']['name']}'"
        + (f" (finalizer {', '.join(held)})" if (held := item["metadata"].get("finalizers")) else "")
        for item in items
    ]
