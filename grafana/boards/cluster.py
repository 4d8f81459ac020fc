"""Cluster: how all of it does, and which namespace or node to look at next."""

from grafana import series as s
from grafana.board import Board, Row
from grafana.links import TO_NAMESPACE, TO_NODE, TO_WORKLOAD, Link
from grafana.panels import Column, Panel, Query, bars, lines, number_now, rows_of
from grafana.recordings import requests, workloads
from grafana.recordings.workloads import CPU_CAPACITY, MEMORY_CAPACITY, PREFIX

PHASE = f"max by (namespace, pod) ({s.series('k8s_pod_phase', 'kube-state')})"
VOLUMES_USED = f"max by (namespace, persistentvolumeclaim) ({s.series('croft_volume_used_bytes', 'storage')})"
VOLUMES_SIZE = (
    f"max by (namespace, persistentvolumeclaim) ({s.series('croft_volume_capacity_bytes', 'storage')})"
)
TO_NAMESPACES = Link("Open all namespaces", "croft-namespaces")
_PHASES = ((1, "pending"), (2, "running"), (3, "succeeded"), (4, "failed"), (5, "unknown"))
# Of curves: unlike the words of croft-pods, each tells itself from the others.
PHASE_COLOURS = {
    "pending": "orange",
    "running": "green",
    "succeeded": "blue",
    "failed": "red",
    "unknown": "gray",
}


def pods_by_phase(where: str) -> tuple[Query, ...]:
    """The number of pods in each phase, 0 for a phase that no pod is in."""
    record = "namespace_phase:pods:count"
    every = f"sum({s.recorded(record, where)})"
    return tuple(
        Query(f"sum({s.recorded(record, s.also(where, _phase(number)))}) or 0 * {every}", phase)
        for number, phase in _PHASES
    )


def pods_by_class(where: str) -> Query:
    """The number of running pods in each quality of service."""
    running = s.recorded("namespace_qos_class:pods_running:count", where)
    return Query(f"sum by (k8s_pod_qos_class) ({running})", "{{k8s_pod_qos_class}}")


def _phase(number: int) -> str:
    return f'phase="{number}"'


def _of_capacity(usage: str, kind: str, capacity: str) -> tuple[Query, ...]:
    """Usage, requests and limits as shares of what the nodes can give."""
    return (
        Query(f"{usage} / {capacity}", "used"),
        Query(f"{s.reserved(kind.format('request'), '', '')} / {capacity}", "requested"),
        Query(f"{s.reserved(kind.format('limit'), '', '')} / {capacity}", "limits"),
    )


def _absolute(usage: str, kind: str, capacity: str) -> tuple[Query, ...]:
    return (
        Query(f"sum({usage})", "used"),
        Query(f"sum({PREFIX}:{kind.format('request')}:sum)", "requested"),
        Query(f"sum({PREFIX}:{kind.format('limit')}:sum)", "limits"),
        Query(capacity, "allocatable"),
    )


def _rate(record: str, rounds: str = workloads.ROUNDS) -> str:
    """What is recorded of workloads, by namespace."""
    return f"sum by (namespace) ({s.recorded_rate(f'{PREFIX}:{record}:rate5m', '', rounds)})"


_USED_CORES = s.recorded_rate(f"{PREFIX}:cpu_used_cores:rate5m", "", workloads.ROUNDS)


def _added(record: str, by: str = "namespace", window: str = s.STEP) -> str:
    return s.grouped("sum", by, s.recorded_sum(f"{PREFIX}:{record}:increase30s", window=window))


def _alerts(severity: str, limits: tuple[float, float]) -> Panel:
    where = f'severity="{severity}"'
    return number_now(
        f"Alerts: {severity}",
        f"Alerts of severity {severity} that are firing anywhere in the cluster.",
        "short",
        Query(f"{s.alerts(where, '')} or vector(0)", "firing"),
        limits=limits,
        decimals=0,
    )


NOW = Row(
    "Now",
    (
        number_now(
            "Nodes ready",
            "Nodes that say they are ready, beside all nodes.",
            "short",
            Query(
                f"sum(max by (node) ({s.series('k8s_node_condition_ready', 'kube-state')}) == bool 1)",
                "ready",
            ),
            Query(f"count(max by (node) ({s.series('k8s_node_condition_ready', 'kube-state')}))", "all"),
            decimals=0,
            link=Link("Open the nodes", "croft-nodes"),
        ),
        number_now(
            "Namespaces in the cluster",
            "Namespaces that are active.",
            "short",
            Query(
                f"sum(max by (namespace) ({s.series('k8s_namespace_phase', 'kube-state')}) == bool 1)",
                "active",
            ),
            decimals=0,
            link=TO_NAMESPACES,
        ),
        number_now(
            "Running pods",
            "Pods whose phase is running.",
            "short",
            Query(f"sum({PHASE} == bool 2)", "running"),
            decimals=0,
        ),
        number_now(
            "Pods that do not run",
            "Pods that are pending, failed or of unknown state.",
            "short",
            Query(f"sum({PHASE} == bool 1) + sum({PHASE} >= bool 4)", "pods"),
            limits=(1, 5),
            decimals=0,
        ),
        _alerts("critical", (1, 1)),
        _alerts("warning", (1, 10)),
        bars(
            "CPU of the cluster",
            "CPU in use, requested by pods and allowed to them, as shares of what the nodes can give.",
            "percentunit",
            *_of_capacity(s.cpu("", ""), "cpu_{}", CPU_CAPACITY),
            top=1,
            limits=(0.8, 0.95),
            height=6,
        ),
        bars(
            "Memory of the cluster",
            "Memory in use, requested by pods and allowed to them, as shares of what the nodes can give.",
            "percentunit",
            *_of_capacity(s.memory("", ""), "memory_{}_bytes", MEMORY_CAPACITY),
            top=1,
            limits=(0.8, 0.95),
            height=6,
        ),
        number_now(
            "CPU cores",
            "Cores that the nodes can give to pods.",
            "short",
            Query(CPU_CAPACITY, "cores"),
        ),
        number_now(
            "Memory",
            "Memory that the nodes can give to pods.",
            "bytes",
            Query(MEMORY_CAPACITY, "memory"),
        ),
        number_now(
            "Volumes used",
            "Bytes in use on all volumes, beside their size.",
            "bytes",
            Query(f"sum({VOLUMES_USED})", "used"),
            Query(f"sum({VOLUMES_SIZE})", "size"),
            empty="no volumes",
        ),
        number_now(
            "Requests at the ingress",
            "Requests per second that came through the ingress, the portal's among them.",
            "reqps",
            Query(s.requests("", ""), "requests"),
            empty="no requests",
        ),
        number_now(
            "Errors at the ingress",
            "The share of requests through the ingress that were answered with a status of 500 or above.",
            "percentunit",
            Query(s.error_ratio("", ""), "errors"),
            limits=(0.01, 0.05),
            decimals=2,
            empty="no requests",
        ),
        number_now(
            "Restarts, all containers",
            "How often containers were started again, over the chosen time.",
            "short",
            Query(_added("container_restarts", "", s.RANGE), "restarts"),
            decimals=0,
        ),
    ),
)

NAMESPACES = Row(
    "Namespaces",
    (
        rows_of(
            "Usage by namespace",
            "Each namespace with its pods and what it takes. A click opens the namespace.",
            {"namespace": "Namespace"},
            Column("Pods", f"count by (namespace) ({PHASE} == 2)", "short"),
            Column("CPU used", s.cpu("", "namespace"), "short"),
            Column("CPU requested", s.reserved("cpu_request", "", "namespace"), "short"),
            Column("CPU limits", s.reserved("cpu_limit", "", "namespace"), "short"),
            Column("Memory used", s.memory("", "namespace"), "bytes"),
            Column("Memory requested", s.reserved("memory_request_bytes", "", "namespace"), "bytes"),
            Column("Memory limits", s.reserved("memory_limit_bytes", "", "namespace"), "bytes"),
            Column(
                "Fullest quota",
                f"max by (namespace) ({s.quota_ratio('', 'namespace, resource')})",
                "percentunit",
                (0.8, 0.95),
            ),
            Column("Restarts", _added("container_restarts", window=s.RANGE), "short", (1, 10)),
            link=TO_NAMESPACE,
        ),
        rows_of(
            "Firing alerts",
            "Every alert that is firing. A click opens the application it is about.",
            {
                "alertname": "Alert",
                "severity": "Severity",
                "namespace": "Namespace",
                "workload": "Application",
                "node": "Node",
            },
            Column(
                "Firing",
                s.alerts('alertname!="Watchdog"', "alertname, severity, namespace, workload, node"),
                "short",
            ),
            link=TO_WORKLOAD,
        ),
    ),
)

RESOURCES = Row(
    "CPU and memory",
    (
        lines(
            "CPU: used, requested, limits",
            "Cores in use by pods, requested, allowed, and what the nodes can give.",
            "short",
            *_absolute(_USED_CORES, "cpu_{}_cores", CPU_CAPACITY),
        ),
        lines(
            "Memory: used, requested, limits",
            "Memory in use by pods, requested, allowed, and what the nodes can give.",
            "bytes",
            *_absolute(f"{PREFIX}:memory_used_bytes:sum", "memory_{}_bytes", MEMORY_CAPACITY),
        ),
        lines(
            "CPU by namespace",
            "Cores in use by the pods of each namespace.",
            "short",
            Query(_rate("cpu_used_cores"), "{{namespace}}"),
            stack=True,
            link=TO_NAMESPACE,
        ),
        lines(
            "Memory by namespace",
            "Memory in use by the pods of each namespace.",
            "bytes",
            Query("namespace:memory_used_bytes:sum", "{{namespace}}"),
            stack=True,
            link=TO_NAMESPACE,
        ),
        lines(
            "CPU busy by node",
            "The share of each node's CPU that is busy.",
            "percentunit",
            Query("node:cpu_used:ratio_rate5m", "{{node}}"),
            top=1,
            limits=(0.8, 0.95),
            link=TO_NODE,
        ),
        lines(
            "Memory used by node",
            "The share of each node's memory that is in use and cannot be freed.",
            "percentunit",
            Query("node:memory_used:ratio", "{{node}}"),
            top=1,
            limits=(0.8, 0.95),
            link=TO_NODE,
        ),
        lines(
            "CPU throttling by namespace",
            "The share of scheduling periods in which CPU limits held containers back.",
            "percentunit",
            Query(s.recorded_mean("namespace:cpu_throttled:ratio_rate5m"), "{{namespace}}"),
            top=1,
            link=TO_NAMESPACE,
        ),
        lines(
            "Objects by kind",
            "Objects that the API server stores, by kind; a count that only grows is a leak.",
            "short",
            Query(
                f"topk(15, max by (resource) ({s.series('apiserver_storage_objects', 'apiserver')}))",
                "{{resource}}",
            ),
            decimals=0,
        ),
    ),
)

HEALTH = Row(
    "Health of pods",
    (
        lines(
            "Pods by phase",
            "Number of pods in each phase.",
            "short",
            *pods_by_phase(""),
            stack=True,
            colours=PHASE_COLOURS,
            decimals=0,
        ),
        lines(
            "Pods by class of service",
            "Pods by quality of service: BestEffort is evicted first, Guaranteed last.",
            "short",
            pods_by_class(""),
            stack=True,
            decimals=0,
        ),
        lines(
            "Containers that do not run, by reason (cluster)",
            "Why containers wait or have ended: image not found, crash loop, bad configuration, out of "
            "memory.",
            "short",
            Query(
                f"sum by (k8s_container_status_reason) ({PREFIX}_reason:containers_not_running:sum)",
                "{{k8s_container_status_reason}}",
            ),
            stack=True,
            decimals=0,
        ),
        lines(
            "Evicted pods by namespace",
            "Pods that a node has evicted, because it ran out of memory or disk.",
            "short",
            Query("namespace:pods_evicted:count", "{{namespace}}"),
            decimals=0,
            link=TO_NAMESPACE,
        ),
        lines(
            "Restarts by namespace",
            "Containers that were started again, within each step of the curve.",
            "short",
            Query(_added("container_restarts"), "{{namespace}}"),
            decimals=0,
            link=TO_NAMESPACE,
        ),
        lines(
            "Out of memory by namespace",
            "Containers that were ended because they reached their memory limit, within each step of the "
            "curve.",
            "short",
            Query(_added("container_oom_kills"), "{{namespace}}"),
            decimals=0,
            link=TO_NAMESPACE,
        ),
    ),
)

TRAFFIC = Row(
    "Requests and network",
    (
        lines(
            "Requests by namespace",
            "Requests per second that came through the ingress, the portal's among them.",
            "reqps",
            Query(_rate("requests", requests.ROUNDS), "{{namespace}}"),
            stack=True,
            link=TO_NAMESPACE,
        ),
        lines(
            "Error ratio by namespace",
            "The share of requests through the ingress that were answered with a status of 500 or above.",
            "percentunit",
            Query(s.recorded_mean("namespace:request_errors:ratio_rate5m"), "{{namespace}}"),
            limits=(0.01, 0.05),
            link=TO_NAMESPACE,
        ),
        lines(
            "Latency p95 by namespace",
            "95 of 100 requests are answered within this time.",
            "ms",
            Query(s.recorded_mean("namespace:request_latency_ms:p95_rate5m"), "{{namespace}}"),
            link=TO_NAMESPACE,
        ),
        lines(
            "Network received by namespace",
            "Bytes per second that pods receive.",
            "Bps",
            Query(_rate("network_receive_bytes"), "{{namespace}}"),
            stack=True,
            link=TO_NAMESPACE,
        ),
        lines(
            "Network sent by namespace",
            "Bytes per second that pods send.",
            "Bps",
            Query(_rate("network_transmit_bytes"), "{{namespace}}"),
            stack=True,
            link=TO_NAMESPACE,
        ),
        lines(
            "Packets dropped by namespace",
            "Packets per second that were dropped on their way to or from pods.",
            "pps",
            *(
                Query(_rate(f"network_{way}_packets_dropped"), f"{{{{namespace}}}} {way}")
                for way in ("receive", "transmit")
            ),
            link=TO_NAMESPACE,
        ),
    ),
)

STORAGE = Row(
    "Storage",
    (
        bars(
            "Volumes of all projects: used of capacity",
            "How full each volume is.",
            "percentunit",
            Query(f"{VOLUMES_USED} / {VOLUMES_SIZE}", "{{namespace}}/{{persistentvolumeclaim}}"),
            top=1,
            limits=(0.8, 0.9),
            empty="no volumes",
            link=TO_NAMESPACE,
        ),
        lines(
            "Disk traffic by namespace",
            "Bytes per second that containers read and write.",
            "Bps",
            Query(_rate("fs_reads_bytes"), "{{namespace}} read"),
            Query(_rate("fs_writes_bytes"), "{{namespace}} written"),
            link=TO_NAMESPACE,
        ),
    ),
)

BOARD = Board(
    uid="croft-cluster",
    description="How the whole cluster does, and which namespace or node to look at next.",
    rows=(NOW, NAMESPACES, RESOURCES, HEALTH, TRAFFIC, STORAGE),
)
