"""Reads the cluster through the official Kubernetes client.

Its typed classes are left out: they take 20 MB and most of the time. The client does connection, certificates
and tokens; what comes back is read as JSON. The client is imported at the first read, so that an idle portal
stays small.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from webapp.cluster import watch
from webapp.cluster.contents import CONTENT_KINDS, quotas_from, releases_of
from webapp.cluster.events import belongs, event_from
from webapp.cluster.logs import KubernetesLog, LogMissing, LogQuery, PodGone
from webapp.cluster.pods import counts, pod_from, shorten
from webapp.cluster.state import (
    ClusterEvent,
    ClusterUnreachable,
    ClusterVolume,
    Contents,
    Namespace,
    Node,
    Pod,
    QuotaUse,
    Workload,
)
from webapp.cluster.watch import Change
from webapp.quantities import parse_quantity

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 8
# A container may be silent for as long as anybody looks at its log.
FOLLOW_TIMEOUT_S = 600
PROJECT_LABEL = "croft.dev/project"
APPLICATION_LABEL = "croft.dev/application"


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
        return quotas_from(self._list(f"/api/v1/namespaces/{project}/resourcequotas")).get(project)

    def quotas_of(self, projects: Collection[str]) -> dict[str, QuotaUse]:
        """Return the quotas of these projects, by their names."""
        if not projects:
            return {}
        selector = f"{PROJECT_LABEL} in ({','.join(sorted(projects))})"
        return quotas_from(self._list("/api/v1/resourcequotas", labelSelector=selector))

    def contents(self, project: str) -> Contents | None:
        """Return what is in the project's namespace, or None when there is none."""
        if self.namespace(project) is None:
            return None
        found = {kind: self._list(path.format(project)) for kind, path in CONTENT_KINDS.items()}
        return Contents(
            counts={kind: len(items) for kind, items in found.items() if items},
            releases=releases_of(item for items in found.values() for item in items),
            volumes=tuple(self.volumes(project)),
        )

    def request_token(self, project: str, account: str, seconds: int) -> tuple[str, datetime]:
        """Return a new token of the account and when it expires. Raises LookupError for no such account."""
        path = f"/api/v1/namespaces/{project}/serviceaccounts/{account}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        answer = self._read(self._open(path, [], post=body), path, "POST")
        if answer is None:
            raise LookupError(f"project '{project}' has no service account '{account}'")
        status = answer["status"]
        return status["token"], datetime.fromisoformat(status["expirationTimestamp"])

    def access(self) -> tuple[str, str]:
        """Return the API server's address and the certificates that the portal trusts."""
        settings = self._connected().configuration
        try:
            return settings.host, Path(settings.ssl_ca_cert).read_text()
        except (OSError, TypeError) as error:
            raise ClusterUnreachable("the cluster's certificate authority cannot be read") from error

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

    def addresses(self, project: str, application: str) -> list[str]:
        """Return where the application answers inside the project: service and port, like "db:5432"."""
        query = {"labelSelector": f"{APPLICATION_LABEL}={application}"}
        return [
            f"{item['metadata']['name']}:{port['port']}"
            for item in self._list(f"/api/v1/namespaces/{project}/services", **query)
            for port in item.get("spec", {}).get("ports", [])
        ]

    def log(self, project: str, pod: str, query: LogQuery) -> KubernetesLog:
        """Open a container's log. Raises LogMissing or PodGone when there is none, and ClusterUnreachable."""
        timeout = (CONNECT_TIMEOUT_S, FOLLOW_TIMEOUT_S if query.follow else READ_TIMEOUT_S)
        path = f"/api/v1/namespaces/{project}/pods/{pod}/log"
        response = self._open(path, query.parameters(), timeout=timeout)
        if response.status == 200:
            return KubernetesLog(response)
        message = _status_message(response)
        if response.status == 404:
            raise PodGone(message)
        if response.status in (400, 500):
            raise LogMissing(message)
        raise ClusterUnreachable(f"the Kubernetes API answered {response.status} to GET {path}: {message}")

    def changes(self, kind: str) -> Iterator[Change | None]:
        """Yield what changes in the cluster from now on; None from time to time. See webapp.cluster.watch.

        It never ends on its own. Raises ClusterUnreachable, also in the middle; begin anew then.
        """
        import urllib3

        try:
            yield from watch.follow(kind, self._open)
        except watch.Expired as error:
            raise ClusterUnreachable(str(error)) from error
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _silent(error) from error

    def _list(self, path: str, **query: str) -> list[dict[str, Any]]:
        # A kind that the cluster does not know (no such CRD) has no objects.
        found = self._get(path, **query)
        return [] if found is None else found.get("items", [])

    def _get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return the object at `path`, or None for 404. Raises ClusterUnreachable for all else."""
        return self._read(self._open(path, list(query.items())), path)

    def _read(self, response: Any, path: str, method: str = "GET") -> dict[str, Any] | None:
        import urllib3

        try:
            data = response.data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _silent(error) from error
        if response.status == 404:
            return None
        if response.status not in (200, 201):
            raise ClusterUnreachable(f"the Kubernetes API answered {response.status} to {method} {path}")
        return json.loads(data)

    def _open(
        self,
        path: str,
        query: list[tuple[str, str]],
        *,
        accept: str = "application/json",
        timeout: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        post: Any = None,
    ) -> Any:
        """Return urllib3's answer with its body unread. Raises ClusterUnreachable when none comes."""
        import urllib3

        client = self._connected()
        request = client.param_serialize(
            "GET" if post is None else "POST",
            path,
            query_params=query,
            header_params={"Accept": accept, **({} if post is None else {"Content-Type": accept})},
            body=post,
            auth_settings=["BearerToken"],
        )
        try:
            return client.call_api(*request, _request_timeout=timeout).response
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _silent(error) from error

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


def _silent(error: Exception) -> ClusterUnreachable:
    return ClusterUnreachable(f"the Kubernetes API does not answer ({type(error).__name__})")


def _status_message(response: Any) -> str:
    """Return what the API says in the body of a refusal, as one short line."""
    try:
        return shorten(json.loads(response.data).get("message", ""))
    except (ValueError, AttributeError, OSError):
        return f"status {response.status}"


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
