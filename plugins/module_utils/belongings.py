"""What belongs to an application or a project: listed before a deletion, and proven gone after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plugins.module_utils.blockers import blockers_of
from plugins.module_utils.cluster import Cluster
from plugins.module_utils.project_plan import is_ours

RELEASES = "croft-projects"  # namespace of the projects' Helm releases
_KINDS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
}
_MADE_BY_KUBERNETES = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


class NotGone(Exception):
    """Something is left of what was to be deleted; the text names it and what holds it."""


@dataclass(frozen=True)
class Belonging:
    """One object, and what holds it back when it is being deleted."""

    kind: str
    name: str
    finalizers: list[str] = field(default_factory=list)

    @property
    def receipt(self) -> dict[str, str]:
        """The object as a line of a receipt."""
        return {"kind": self.kind, "name": self.name}

    def __str__(self) -> str:
        held = f" (held by {', '.join(self.finalizers)})" if self.finalizers else ""
        return f"{self.kind} {self.name}{held}"


def of_application(cluster: Cluster, project: str, application: str) -> list[Belonging]:
    """List everything that carries the application's label, its Helm release and its volumes."""
    found = _labelled(cluster, project, f"croft.dev/application={application}")
    return found + _releases(cluster, project, application) + _volumes(cluster, project, application)


def of_project(cluster: Cluster, project: str) -> list[Belonging]:
    """List the project's namespace with everything in it that users know, its release and its volumes.

    A namespace of that name which Croft did not make is not the project's.
    """
    release = _releases(cluster, RELEASES, project)
    namespace = cluster.get(f"/api/v1/namespaces/{project}")
    if namespace is None or not is_ours(namespace, project):
        return release
    content = [
        item for item in _labelled(cluster, project, "") if (item.kind, item.name) not in _MADE_BY_KUBERNETES
    ]
    return [Belonging("Namespace", project), *content, *release, *_volumes(cluster, project, None)]


def application_releases(cluster: Cluster, project: str) -> list[str]:
    """Return the names of the Helm releases in the project's namespace."""
    secrets = cluster.list(f"/api/v1/namespaces/{project}/secrets", labelSelector="owner=helm")
    return sorted({item["metadata"]["labels"]["name"] for item in secrets})


def wait_for_application_gone(cluster: Cluster, project: str, application: str, seconds: float) -> None:
    """Return when nothing of the application is left. Raises NotGone that names what is, after `seconds`."""
    start = time.monotonic()
    while left := of_application(cluster, project, application):
        waited = time.monotonic() - start
        if waited > seconds:
            names = "; ".join(map(str, left))
            raise NotGone(f"application '{application}' is not gone after {seconds:.0f} s: {names} is left")
        time.sleep(_pause(waited))


def wait_for_project_gone(
    cluster: Cluster, project: str, seconds: float, tell: Callable[[str], None]
) -> None:
    """Return when the project's namespace and volumes are gone.

    Raises NotGone that names object and finalizer, or the unavailable API, as soon as one of them blocks for
    longer than it reasonably takes, or after `seconds`. Never takes a finalizer away.
    """
    start = time.monotonic()
    blocked: list[str] = []
    since = start
    while True:
        namespace = cluster.get(f"/api/v1/namespaces/{project}")
        if namespace is None or not is_ours(namespace, project):
            left = _volumes(cluster, project, None)
            if not left:
                return
            found, patience = [str(item) for item in left], seconds
        else:
            if "deletionTimestamp" not in namespace["metadata"]:
                cluster.delete(f"/api/v1/namespaces/{project}")
            found, patience = blockers_of(cluster, namespace)
        now = time.monotonic()
        if found != blocked:
            blocked, since = found, now
            if found:
                tell(f"project '{project}' waits for {'; '.join(found)}")
        if (blocked and now - since >= patience) or now - start >= seconds:
            what = (
                "; ".join(blocked) or f"its namespace, which Kubernetes has not finished in {seconds:.0f} s"
            )
            raise NotGone(
                f"project '{project}' is not gone; its deletion is blocked by {what}. "
                "Remove what holds it, then delete the project again"
            )
        time.sleep(_pause(now - start))


def _pause(waited: float) -> float:
    """Seconds to the next look: most deletions are over in a moment, the others take their time."""
    return 0.2 if waited < 5 else 1.0


def _labelled(cluster: Cluster, namespace: str, selector: str) -> list[Belonging]:
    query = {"labelSelector": selector} if selector else {}
    return [
        Belonging(kind, item["metadata"]["name"], item["metadata"].get("finalizers", []))
        for kind, path in _KINDS.items()
        for item in cluster.list(path.format(namespace), **query)
        if item.get("type") != "helm.sh/release.v1"
    ]


def _releases(cluster: Cluster, namespace: str, name: str) -> list[Belonging]:
    path = _KINDS["Secret"].format(namespace)
    found = cluster.list(path, labelSelector=f"owner=helm,name={name}", limit="1")
    return [Belonging("Release", name)] if found else []


def _volumes(cluster: Cluster, namespace: str, claim: str | None) -> list[Belonging]:
    """List the PersistentVolumes that belong to a claim, or to any claim of the namespace."""

    def belongs(volume: dict[str, Any]) -> bool:
        owner = volume["spec"].get("claimRef") or {}
        return owner.get("namespace") == namespace and claim in (None, owner.get("name"))

    return [
        Belonging("PersistentVolume", item["metadata"]["name"], item["metadata"].get("finalizers", []))
        for item in cluster.list("/api/v1/persistentvolumes")
        if belongs(item)
    ]
