"""A cluster that tests set up as they need it, in place of the reader of a real one."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.webapp.cluster_live import StatedChanges, StatedLog, StatedLogs
from webapp.cluster.events import belongs
from webapp.cluster.logs import LogQuery
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
from webapp.db import utcnow
from webapp.quantities import parse_quantity


@dataclass
class StatedCluster:
    """Implements webapp.cluster.ClusterReader with what a test states."""

    node_list: list[Node] = field(
        default_factory=lambda: [Node("croft-1", Decimal(4), Decimal(8 * 1024**3), Decimal(110))]
    )
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    quotas: dict[str, QuotaUse] = field(default_factory=dict)
    running: dict[str, dict[str, Workload]] = field(default_factory=dict)
    host_holders: dict[str, tuple[str, str]] = field(default_factory=dict)
    noted: dict[str, list[ClusterEvent]] = field(default_factory=dict)
    claims: dict[str, list[ClusterVolume]] = field(default_factory=dict)
    contents_by_name: dict[str, Contents] = field(default_factory=dict)
    logs: StatedLogs = field(default_factory=StatedLogs)
    changed: StatedChanges = field(default_factory=StatedChanges)
    without_accounts: set[str] = field(default_factory=set)
    asked: int = 0
    down: bool = False

    def nodes(self) -> list[Node]:
        """Return the nodes."""
        self._answer()
        return self.node_list

    def namespace(self, name: str) -> Namespace | None:
        """Return the namespace."""
        self._answer()
        return self.namespaces.get(name)

    def quota(self, project: str) -> QuotaUse | None:
        """Return the project's quota."""
        self._answer()
        return self.quotas.get(project)

    def quotas_of(self, projects: Collection[str]) -> dict[str, QuotaUse]:
        """Return the quotas of these projects; `asked` counts the requests."""
        self._answer()
        self.asked += 1
        return {name: quota for name, quota in self.quotas.items() if name in projects}

    def contents(self, project: str) -> Contents | None:
        """Return what is in the namespace."""
        self._answer()
        return self.contents_by_name.get(project)

    def request_token(self, project: str, account: str, seconds: int) -> tuple[str, datetime]:
        """Return a token that says what it is of."""
        self._answer()
        if project in self.without_accounts:
            raise LookupError(f"project '{project}' has no service account '{account}'")
        return f"token-of-{project}-{account}", utcnow() + timedelta(seconds=seconds)

    def access(self) -> tuple[str, str]:
        """Return an address and a certificate."""
        self._answer()
        return "https://192.0.2.7:6443", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"

    def workloads(self, project: str) -> dict[str, Workload]:
        """Return what runs in the project."""
        self._answer()
        return self.running.get(project, {})

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Return who holds which host."""
        self._answer()
        return self.host_holders

    def pods(self, project: str, application: str) -> list[Pod]:
        """Return the application's pods."""
        workload = self.workloads(project).get(application)
        return list(workload.pods) if workload else []

    def events(self, project: str, application: str | None = None) -> list[ClusterEvent]:
        """Return what was noted, newest first."""
        self._answer()
        found = self.noted.get(project, [])
        found = [event for event in found if application is None or belongs(event, application)]
        return sorted(found, key=lambda event: event.last_at, reverse=True)

    def volumes(self, project: str, application: str | None = None) -> list[ClusterVolume]:
        """Return the claims."""
        self._answer()
        return [
            claim
            for claim in self.claims.get(project, [])
            if application is None or claim.application == application
        ]

    def addresses(self, project: str, application: str) -> list[str]:
        """Return port 80 of a service for what runs."""
        self._answer()
        return [f"{application}:80"] if application in self.running.get(project, {}) else []

    def log(self, project: str, pod: str, query: LogQuery) -> StatedLog:
        """Open a container's log."""
        self._answer()
        return self.logs.open(pod, query)

    def changes(self, kind: str) -> Iterator[Change | None]:
        """Yield what changes."""
        self._answer()
        yield from self.changed.follow(kind)

    def _answer(self) -> None:
        if self.down:
            raise ClusterUnreachable("the Kubernetes API does not answer (ConnectTimeoutError)")


def pod(name: str, *, ready: bool = True, reason: str = "", cpu: str = "0.1") -> Pod:
    """Return a pod that asks for `cpu` cores and 128Mi."""
    requests = {"cpu": Decimal(cpu), "memory": Decimal(128 * 1024**2), "pods": Decimal(1)}
    return Pod(name, "croft-1", ready, 0, reason, datetime(2026, 1, 31, 12, tzinfo=UTC), requests)


def quota_use(cpu: str = "2", used_cpu: str = "0", memory: str = "2Gi", used_memory: str = "0") -> QuotaUse:
    """Return a quota with these amounts, 20 pods and 5Gi of storage."""
    amounts = {
        "cpu": (cpu, used_cpu),
        "memory": (memory, used_memory),
        "storage": ("5Gi", "0"),
        "pods": ("20", "0"),
    }
    return QuotaUse(
        {name: parse_quantity(hard) for name, (hard, _) in amounts.items()},
        {name: parse_quantity(used) for name, (_, used) in amounts.items()},
    )
