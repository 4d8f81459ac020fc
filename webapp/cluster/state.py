"""What the portal reads from the cluster, as plain values. Amounts are Decimals in cores, bytes or pieces."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from webapp.cluster.logs import Log, LogQuery
from webapp.cluster.watch import Change

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
class Container:
    """One container of a pod. `state` and `last_exit` are words; the latter is empty if it never ended."""

    name: str
    image: str
    ready: bool
    running: bool
    restarts: int
    state: str
    last_exit: str = ""
    started_at: datetime | None = None


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
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True)
class ClusterEvent:
    """What Kubernetes notes of an object: `kind` and `name` are the object's, `warning` is its type."""

    kind: str
    name: str
    warning: bool
    reason: str
    message: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class ClusterVolume:
    """A claim for a volume. `capacity` and `wanted` are quantities; `capacity` is empty until it is bound."""

    name: str
    application: str | None
    phase: str
    capacity: str
    wanted: str
    storage_class: str


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


@dataclass(frozen=True)
class Contents:
    """What is in a project's namespace: numbers of objects by kind, Helm releases, and volumes."""

    counts: dict[str, int]
    releases: tuple[str, ...]
    volumes: tuple[ClusterVolume, ...]


class ClusterReader(Protocol):
    """Reads the cluster's present state. Every method raises ClusterUnreachable when it cannot."""

    def nodes(self) -> list[Node]:
        """Return the nodes that take pods."""

    def namespace(self, name: str) -> Namespace | None:
        """Return the namespace, or None when there is none."""

    def quota(self, project: str) -> QuotaUse | None:
        """Return the project's quota, or None when the cluster does not hold one yet."""

    def quotas_of(self, projects: Collection[str]) -> dict[str, QuotaUse]:
        """Return the quotas of these projects by name, by one request; some may have none yet."""

    def contents(self, project: str) -> Contents | None:
        """Return what is in the project's namespace, or None when there is no such namespace."""

    def request_token(self, project: str, account: str, seconds: int) -> tuple[str, datetime]:
        """Return a token of a service account in the project, and when it expires.

        Raises LookupError when there is no such account.
        """

    def access(self) -> tuple[str, str]:
        """Return the API server's address as the portal reaches it, and the certificates (PEM) it trusts."""

    def workloads(self, project: str) -> dict[str, Workload]:
        """Return what runs in the project, by the application's name."""

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Return who holds each host name: (namespace, application or object name)."""

    def pods(self, project: str, application: str) -> list[Pod]:
        """Return the application's pods by name, also those that have ended, with their containers."""

    def events(self, project: str, application: str | None = None) -> list[ClusterEvent]:
        """Return what Kubernetes noted in the project, or of one application, newest first."""

    def volumes(self, project: str, application: str | None = None) -> list[ClusterVolume]:
        """Return the claims for volumes of the project, or of one application, by name."""

    def addresses(self, project: str, application: str) -> list[str]:
        """Return where the application answers inside the project: service and port, like "db:5432"."""

    def log(self, project: str, pod: str, query: LogQuery) -> Log:
        """Open a container's log. Raises LogMissing or PodGone (webapp.cluster.logs) when there is none."""

    def changes(self, kind: str) -> Iterator[Change | None]:
        """Yield what changes, by a kind of webapp.cluster.watch.WATCHED; None from time to time."""
