"""What the portal reads from the cluster, as plain values. Amounts are Decimals in cores, bytes or pieces."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

# The resources of a quota, as a project's settings name them.
RESOURCES = ("cpu", "memory", "storage", "pods")


class ClusterUnreachable(Exception):
    """The cluster did not answer, or refused; the text says what happened."""


@dataclass(frozen=True)
class Node:
    """A node that takes pods, and what it can give to them."""

    name: str
    cpu: Decimal
    memory: Decimal
    pods: Decimal


@dataclass(frozen=True)
class QuotaUse:
    """A project's quota as the cluster enforces it now: amounts by resource."""

    hard: dict[str, Decimal]
    used: dict[str, Decimal]


@dataclass(frozen=True)
class Pod:
    """One pod. `reason` says in words why it is not ready, and is empty when it is."""

    name: str
    node: str
    ready: bool
    restarts: int
    reason: str
    created_at: datetime
    requests: dict[str, Decimal]


@dataclass(frozen=True)
class Workload:
    """What really runs of an application. `trouble` is what keeps pods from being made at all."""

    desired: int
    pods: tuple[Pod, ...]
    trouble: str = ""

    @property
    def ready(self) -> int:
        """Number of pods that are ready."""
        return sum(pod.ready for pod in self.pods)

    @property
    def words(self) -> str:
        """The state in a sentence: "2 of 3 pods ready: web-5c… waits for image …"."""
        if self.desired == 0 and not self.pods:
            return "stopped: 0 replicas are wanted"
        sentence = f"{self.ready} of {self.desired} pods ready"
        reasons = [f"{pod.name} {pod.reason}" for pod in self.pods if pod.reason]
        if self.trouble:
            reasons.insert(0, self.trouble)
        return f"{sentence}: {reasons[0]}" if reasons else sentence


@dataclass(frozen=True)
class Namespace:
    """A namespace, and whether it belongs to a project."""

    name: str
    project: str | None
    ending: bool


class ClusterReader(Protocol):
    """Reads the cluster's present state. Every method raises ClusterUnreachable when it cannot."""

    def nodes(self) -> list[Node]:
        """Return the nodes that take pods."""

    def namespace(self, name: str) -> Namespace | None:
        """Return the namespace, or None when there is none."""

    def quota(self, project: str) -> QuotaUse | None:
        """Return the project's quota, or None when the cluster does not hold one yet."""

    def workloads(self, project: str) -> dict[str, Workload]:
        """Return what runs in the project, by the application's name."""

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Return who holds each host name: (namespace, application or object name)."""
