"""Reads the cluster through the official Kubernetes client.

Its typed classes are left out: they take 20 MB and most of the time. The client does connection, certificates
and tokens; what comes back is read as JSON. The client is imported at the first read, so that an idle portal
stays small.
"""

import json
from collections import defaultdict
from decimal import Decimal
from threading import Lock
from typing import Any

from webapp.cluster.events import belongs, event_from
from webapp.cluster.pods import counts, pod_from, shorten
from webapp.cluster.state import (
    ClusterEvent,
    ClusterUnreachable,
    ClusterVolume,
    Namespace,
    Node,
    Pod,
    QuotaUse,
    Workload,
)
from webapp.quantities import parse_quantity

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 8
PROJECT_LABEL = "croft.dev/project"
APPLICATION_LABEL = "croft.dev/application"
# What a ResourceQuota calls the resources of a project's quota; the first name that it limits counts.
_QUOTA_KEYS = {
    "cpu": ("requests.cpu", "cpu"),
    "memory": ("requests.memory", "memory"),
    "storage": ("requests.storage",),
    "pods": ("pods", "count/pods"),
}


class KubernetesReader:
    """ClusterReader on a real cluster. `kubeconfig`: a file's path; empty for the pod's service account."""

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig
        self._client: Any = None
        self._lock = Lock()

    def nodes(self) -> list[Node]:
        """Return the nodes that take pods."""
        return [
            Node(
                name=item["metadata"]["name"],
                **{
                    key: parse_quantity(item["status"]["allocatable"][key])
                    for key in ("cpu", "memory", "pods")
                },
            )
            for item in self._list("/api/v1/nodes")
            if _takes_pods(item.get("spec", {}))
        ]

    def namespace(self, name: str) -> Namespace | None:
        """Return the namespace, or None when there is none."""
        item = self._get(f"/api/v1/namespaces/{name}")
        if item is None:
            return None
        labels = item["metadata"].get("labels", {})
        return Namespace(
            name, labels.get(PROJECT_LABEL), item.get("status", {}).get("phase") == "Terminating"
        )

    def quota(self, project: str) -> QuotaUse | None:
        """Return the project's quota, or None when the cluster does not hold one yet."""
        hard: dict[str, Decimal] = {}
        used: dict[str, Decimal] = {}
        for item in self._list(f"/api/v1/namespaces/{project}/resourcequotas"):
            status = item.get("status", {})
            for resource, keys in _QUOTA_KEYS.items():
                key = next((key for key in keys if key in status.get("hard", {})), None)
                if key is not None:
                    hard[resource] = parse_quantity(status["hard"][key])
                    used[resource] = parse_quantity(status.get("used", {}).get(key, "0"))
        return QuotaUse(hard, used) if hard else None

    def workloads(self, project: str) -> dict[str, Workload]:
        """Return what runs in the project, by the application's name."""
        pods = defaultdict(list)
        for item in self._list(f"/api/v1/namespaces/{project}/pods", labelSelector=APPLICATION_LABEL):
            if counts(item):
                pods[item["metadata"]["labels"][APPLICATION_LABEL]].append(pod_from(item))
        path = f"/apis/apps/v1/namespaces/{project}/deployments"
        found = {}
        for item in self._list(path, labelSelector=APPLICATION_LABEL):
            name = item["metadata"]["labels"][APPLICATION_LABEL]
            found[name] = Workload(
                desired=item["spec"].get("replicas", 1),
                pods=tuple(sorted(pods[name], key=lambda pod: pod.name)),
                trouble=_trouble(item),
            )
        return found

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Return who holds each host name: (namespace, application or object name)."""
        holders = {}
        for item in self._list("/apis/networking.k8s.io/v1/ingresses"):
            for rule in item.get("spec", {}).get("rules", []):
                if "host" in rule:
                    holders[rule["host"]] = _owner(item)
        for item in self._list("/apis/projectcontour.io/v1/httpproxies"):
            if host := item.get("spec", {}).get("virtualhost", {}).get("fqdn"):
                holders[host] = _owner(item)
        return holders

    def pods(self, project: str, application: str) -> list[Pod]:
        """Return the application's pods by name, also those that have ended, with their containers."""
        selector = f"{APPLICATION_LABEL}={application}"
        items = self._list(f"/api/v1/namespaces/{project}/pods", labelSelector=selector)
        return sorted((pod_from(item) for item in items), key=lambda pod: pod.name)

    def events(self, project: str, application: str | None = None) -> list[ClusterEvent]:
        """Return what Kubernetes noted in the project, or of one application, newest first."""
        found = [event_from(item) for item in self._list(f"/api/v1/namespaces/{project}/events")]
        if application is not None:
            pods = frozenset(pod.name for pod in self.pods(project, application))
            found = [event for event in found if belongs(event, application, pods)]
        return sorted(found, key=lambda event: event.last_at, reverse=True)

    def volumes(self, project: str, application: str | None = None) -> list[ClusterVolume]:
        """Return the claims for volumes of the project, or of one application, by name."""
        query = {} if application is None else {"labelSelector": f"{APPLICATION_LABEL}={application}"}
        items = self._list(f"/api/v1/namespaces/{project}/persistentvolumeclaims", **query)
        return sorted((_volume(item) for item in items), key=lambda volume: volume.name)

    def _list(self, path: str, **query: str) -> list[dict[str, Any]]:
        # A kind that the cluster does not know (no such CRD) has no objects.
        found = self._get(path, **query)
        return [] if found is None else found.get("items", [])

    def _get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return the object at `path`, or None for 404. Raises ClusterUnreachable for all else."""
        import urllib3

        client = self._connected()
        request = client.param_serialize(
            "GET",
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        try:
            response = client.call_api(*request, _request_timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S))
            response.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachable(
                f"the Kubernetes API does not answer ({type(error).__name__})"
            ) from error
        if response.status == 404:
            return None
        if response.status != 200:
            raise ClusterUnreachable(f"the Kubernetes API answered {response.status} to GET {path}")
        return json.loads(response.data)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        from kubernetes import config
        from kubernetes.client import ApiClient, Configuration
        from kubernetes.config import ConfigException

        settings = Configuration()
        # A page that waits says nothing: one try, and the user is told.
        settings.retries = False
        try:
            if self._kubeconfig:
                config.load_kube_config(self._kubeconfig, client_configuration=settings, persist_config=False)
            else:
                config.load_incluster_config(client_configuration=settings)
        except (ConfigException, OSError) as error:
            where = f"the kubeconfig {self._kubeconfig}" if self._kubeconfig else "the pod's service account"
            raise ClusterUnreachable(f"{where} cannot be read: {error}") from error
        return ApiClient(settings)


def _takes_pods(spec: dict[str, Any]) -> bool:
    taints = spec.get("taints", [])
    return not spec.get("unschedulable") and not any(
        t["effect"] in ("NoSchedule", "NoExecute") for t in taints
    )


def _trouble(deployment: dict[str, Any]) -> str:
    for condition in deployment.get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return f"pods cannot be made: {shorten(condition.get('message', ''))}"
    return ""


def _volume(item: dict[str, Any]) -> ClusterVolume:
    spec, status = item.get("spec", {}), item.get("status", {})
    return ClusterVolume(
        name=item["metadata"]["name"],
        application=item["metadata"].get("labels", {}).get(APPLICATION_LABEL),
        phase=status.get("phase", "Pending"),
        capacity=status.get("capacity", {}).get("storage", ""),
        wanted=spec.get("resources", {}).get("requests", {}).get("storage", ""),
        storage_class=spec.get("storageClassName") or "",
    )


def _owner(item: dict[str, Any]) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata["namespace"], metadata.get("labels", {}).get(APPLICATION_LABEL, metadata["name"])
