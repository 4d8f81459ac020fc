"""Workloads, and namespaces and the cluster made of them."""

from grafana import series as s
from grafana.rulebook import RATE_WINDOW, Group, Recording

WORKLOAD = "namespace, workload"
PREFIX = "namespace_workload"
ROUNDS = "cluster:usage_rounds:sum"
CPU_CAPACITY = f"sum(max by (node) ({s.series('k8s_node_allocatable_cpu', 'kube-state')}))"
MEMORY_CAPACITY = f"sum(max by (node) ({s.series('k8s_node_allocatable_memory_bytes', 'kube-state')}))"
NETWORK = tuple(
    f"network_{way}_{what}"
    for way in ("receive", "transmit")
    for what in ("bytes", "packets", "packets_dropped", "errors")
)
DISK = ("fs_reads", "fs_writes", "fs_reads_bytes", "fs_writes_bytes")
_PHASE = f"max by (namespace, pod) ({s.series('k8s_pod_phase', 'kube-state')})"
_CLASSES = f"max by (namespace, pod, k8s_pod_qos_class) ({s.series('k8s_pod_phase', 'kube-state')})"


def _rate(record: str, metric: str) -> Recording:
    expression = s.container_rate(f"container_{metric}_total", "", WORKLOAD, RATE_WINDOW)
    return Recording(f"{PREFIX}:{record}:rate5m", expression)


def _reserved(record: str, metric: str) -> Recording:
    return Recording(f"{PREFIX}:{record}:sum", s.reserved(metric, "", WORKLOAD))


def _replicas(kind: str, ready: str, wanted: str) -> tuple[str, str]:
    """Replicas that are ready, and those that are wanted, of one kind of workload."""
    have, want = (
        f"max by (namespace, {kind}) ({s.series(f'k8s_{kind}_{metric}', 'kube-state')})"
        for metric in (ready, wanted)
    )
    return have, want


def _by_workload(kind: str, expression: str) -> str:
    """What is known of one kind of workload, called by its workload."""
    return f'max by ({WORKLOAD}) (label_replace({expression}, "workload", "$1", "{kind}", "(.+)"))'


_KINDS = {
    "deployment": _replicas("deployment", "available", "desired"),
    "statefulset": _replicas("statefulset", "ready_pods", "desired_pods"),
    "daemonset": _replicas("daemonset", "ready_nodes", "desired_scheduled_nodes"),
}

# A minute apart: each is a mean over RATE_WINDOW or changes slowly, and a day of hundreds of workloads is
# read in half the time.
USAGE = Group(
    "workload-usage",
    (
        Recording(ROUNDS, "vector(1)"),
        _rate("cpu_used_cores", "cpu_usage_seconds"),
        Recording(f"{PREFIX}:memory_used_bytes:sum", s.memory("", WORKLOAD)),
        _reserved("cpu_request_cores", "cpu_request"),
        _reserved("cpu_limit_cores", "cpu_limit"),
        _reserved("memory_request_bytes", "memory_request_bytes"),
        _reserved("memory_limit_bytes", "memory_limit_bytes"),
        Recording(
            f"{PREFIX}:cpu_used_of_requests:ratio_rate5m",
            f"{PREFIX}:cpu_used_cores:rate5m / ({PREFIX}:cpu_request_cores:sum > 0)",
        ),
        # Each container has a limit of its own: the one that is nearest to it counts.
        Recording(
            f"{PREFIX}:memory_used_of_limits:ratio",
            f"max by ({WORKLOAD}) ({s.memory('', s.CONTAINER)} / "
            f"({s.reserved('memory_limit_bytes', '', s.CONTAINER)} > 0))",
        ),
        _rate("cpu_throttled_periods", "cpu_cfs_throttled_periods"),
        _rate("cpu_periods", "cpu_cfs_periods"),
        Recording(
            f"{PREFIX}:cpu_throttled:ratio_rate5m",
            f"{PREFIX}:cpu_throttled_periods:rate5m / ({PREFIX}:cpu_periods:rate5m > 0)",
        ),
        *(_rate(metric, metric) for metric in (*NETWORK, *DISK)),
    ),
    interval="1m",
)

STATES = Group(
    "workload-states",
    (
        Recording(s.RESTARTS, s.new_restarts()),
        Recording(s.OOM_KILLS, s.new_restarts(killed=True)),
        Recording(f"{PREFIX}:container_restarts:increase30s", f"sum by ({WORKLOAD}) ({s.RESTARTS})"),
        Recording(f"{PREFIX}:container_oom_kills:increase30s", f"sum by ({WORKLOAD}) ({s.OOM_KILLS})"),
        Recording(
            f"{PREFIX}_reason:containers_not_running:sum",
            s.waiting("", f"{WORKLOAD}, k8s_container_status_reason"),
        ),
        Recording(
            f"{PREFIX}:replicas_available:ratio",
            "\nor ".join(
                _by_workload(kind, f"clamp_max({have} / ({want} > 0), 1)")
                for kind, (have, want) in _KINDS.items()
            ),
        ),
        Recording(
            f"{PREFIX}:replicas_missing:sum",
            "\nor ".join(
                _by_workload(kind, f"clamp_min({want} - {have}, 0)") for kind, (have, want) in _KINDS.items()
            ),
        ),
    ),
)

NAMESPACES = Group(
    "namespaces",
    (
        Recording("namespace:cpu_used_cores:rate5m", f"sum by (namespace) ({PREFIX}:cpu_used_cores:rate5m)"),
        Recording("namespace:memory_used_bytes:sum", f"sum by (namespace) ({PREFIX}:memory_used_bytes:sum)"),
        Recording(
            "namespace:cpu_throttled:ratio_rate5m",
            f"sum by (namespace) ({PREFIX}:cpu_throttled_periods:rate5m) / "
            f"(sum by (namespace) ({PREFIX}:cpu_periods:rate5m) > 0)",
        ),
        Recording(
            "namespace:cpu_usage_of_cluster:ratio_rate5m",
            f"namespace:cpu_used_cores:rate5m / on () group_left () {CPU_CAPACITY}",
        ),
        Recording(
            "namespace:memory_usage_of_cluster:ratio",
            f"namespace:memory_used_bytes:sum / on () group_left () {MEMORY_CAPACITY}",
        ),
        Recording(
            "namespace_qos_class:pods_running:count",
            f"count by (namespace, k8s_pod_qos_class) ({_CLASSES} == 2)",
        ),
        Recording("namespace_phase:pods:count", f'count_values by (namespace) ("phase", {_PHASE})'),
        Recording(
            "namespace:pods_evicted:count",
            "count by (namespace) (max by (namespace, pod) "
            f"({s.series('k8s_pod_status_reason', 'kube-state')}) == 1)",
        ),
        Recording("namespace_resource:quota_used:ratio", s.quota_ratio("", "namespace, resource")),
    ),
)
