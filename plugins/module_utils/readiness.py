"""Waiting until an application is really ready, or until it is clear why it will not be."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plugins.module_utils import troubles
from plugins.module_utils.cluster import Cluster
from plugins.module_utils.troubles import Json, Trouble

_LOG_LINES = 10


class NotReady(Exception):
    """The application did not get ready; the text says why."""


@dataclass(frozen=True)
class Snapshot:
    """What the cluster says about one application at one moment."""

    deployment: Json
    pods: list[Json]  # of the current revision, the ones being deleted left out
    trouble: Trouble | None
    earlier_runs: bool  # pods of an earlier revision still answer
    ending: int = 0  # pods that are being deleted

    @property
    def wanted(self) -> int:
        """Number of pods wanted."""
        count: int = self.deployment["spec"]["replicas"]
        return count

    @property
    def ready(self) -> bool:
        """Whether every wanted pod, and no other, runs what is wanted; stopped means that no pod is left."""
        if self.wanted == 0 and self.ending:
            return False
        status = self.deployment.get("status", {})
        counts = (status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas"))
        return self.observed and all(count == self.wanted for count in counts)

    @property
    def observed(self) -> bool:
        """Whether Kubernetes has looked at the latest change; before, it speaks of an earlier one."""
        seen: int = self.deployment.get("status", {}).get("observedGeneration", 0)
        return seen >= self.deployment["metadata"]["generation"]

    @property
    def progress(self) -> str:
        """One line for who is waiting."""
        if self.wanted == 0:
            return f"{self.ending + len(self.pods)} pods still end"
        ready = [pod for pod in self.pods if _is_ready(pod)]
        line = f"{len(ready)} of {self.wanted} pods ready"
        waiting = next((pod for pod in self.pods if not _is_ready(pod)), None)
        if self.trouble:
            return f"{line}; {self.trouble.text}"
        return (
            f"{line}; {waiting['metadata']['name']} waits for {troubles.waits_for(waiting)}"
            if waiting
            else line
        )


def wait_until_ready(
    cluster: Cluster, project: str, application: str, seconds: float, tell: Callable[[str], None]
) -> Snapshot:
    """Watch until the application is ready, and return how it stands then.

    `tell` gets a line whenever something has changed. Raises NotReady with the reason as soon as one lasts,
    or after `seconds`.
    """
    start = time.monotonic()
    since: dict[str, float] = {}  # kind of trouble → when it was first seen without a break
    told = ""
    while True:
        snapshot = _look(cluster, project, application)
        if snapshot.ready:
            return snapshot
        if snapshot.progress != told:
            told = snapshot.progress
            tell(told)
        now = time.monotonic()
        trouble = snapshot.trouble
        since = {trouble.kind: since.get(trouble.kind, now)} if trouble else {}
        if trouble and now - since[trouble.kind] >= trouble.patience:
            raise NotReady(_failure(cluster, project, application, snapshot, ""))
        if now - start >= seconds:
            raise NotReady(_failure(cluster, project, application, snapshot, f" after {seconds:.0f} s"))
        time.sleep(0.2 if now - start < 5 else 0.5)


def _look(cluster: Cluster, project: str, application: str) -> Snapshot:
    base = f"/namespaces/{project}"
    deployment = cluster.get(f"/apis/apps/v1{base}/deployments/{application}")
    if deployment is None:
        raise NotReady(f"'{application}' was deleted by somebody else while it was being started")
    selector = {"labelSelector": f"croft.dev/application={application}"}
    pods = cluster.list(f"/api/v1{base}/pods", **selector)
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    sets = cluster.list(f"/apis/apps/v1{base}/replicasets", **selector)
    current = {
        item["metadata"]["labels"]["pod-template-hash"] for item in sets if _same_revision(item, deployment)
    }
    new = [pod for pod in alive if pod["metadata"]["labels"].get("pod-template-hash") in current]
    earlier = any(_is_ready(pod) for pod in alive if pod not in new)
    snapshot = Snapshot(deployment, new, None, earlier, len(pods) - len(alive))
    if snapshot.ready or not snapshot.observed:
        return snapshot
    events = cluster.list(f"/api/v1{base}/events", limit="500")
    claim = None
    if deployment["spec"]["template"]["spec"].get("volumes"):
        claim = cluster.get(f"/api/v1{base}/persistentvolumeclaims/{application}")
    volume = troubles.of_claim(claim, events)
    found = [troubles.of_deployment(deployment)]
    found += [troubles.of_pod(pod, events, volume) for pod in new if not _is_ready(pod)]
    found.append(volume)
    return Snapshot(deployment, new, next((item for item in found if item), None), earlier, snapshot.ending)


def _failure(cluster: Cluster, project: str, application: str, snapshot: Snapshot, after: str) -> str:
    trouble = snapshot.trouble
    reason = trouble.text if trouble else snapshot.progress
    parts = [f"'{application}' is not ready{after}: {reason}."]
    if trouble and trouble.crashed:
        parts.append(_output(cluster, project, *trouble.crashed))
    if snapshot.earlier_runs:
        parts.append("What ran before keeps running.")
    return " ".join(part for part in parts if part)


def _output(cluster: Cluster, project: str, pod: str, container: str) -> str:
    """Return the last lines that a container wrote before it ended."""
    path = f"/api/v1/namespaces/{project}/pods/{pod}/log"
    query: dict[str, Any] = {"container": container, "tailLines": str(_LOG_LINES), "limitBytes": "4000"}
    text = cluster.text(path, previous="true", **query) or cluster.text(path, **query)
    lines = text.strip().splitlines()[-_LOG_LINES:]
    return (
        "Its last lines:\n" + "\n".join(f"  {line[:300]}" for line in lines) if lines else "It wrote nothing."
    )


def _same_revision(replica_set: Json, deployment: Json) -> bool:
    key = "deployment.kubernetes.io/revision"
    revision = deployment["metadata"].get("annotations", {}).get(key)
    found: bool = replica_set["metadata"].get("annotations", {}).get(key) == revision
    return found


def _is_ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
