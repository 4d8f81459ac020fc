"""Series that are computed beforehand: what members may see of nodes and the cluster, and what alerts ask."""

from grafana import series as s
from grafana.rulebook import Group, Recording

WINDOW = "5m"
WORKLOAD = "namespace, workload"
CPU_CAPACITY = f"sum(max by (node) ({s.series('k8s_node_allocatable_cpu', 'kube-state')}))"
MEMORY_CAPACITY = f"sum(max by (node) ({s.series('k8s_node_allocatable_memory_bytes', 'kube-state')}))"
_IDLE = s.rate("node_cpu_seconds_total", "node", 'mode="idle"', WINDOW)
_VERBS = 'verb!~"WATCH|CONNECT|PROXY"'


def _memory(metric: str) -> str:
    return f"max by (node) ({s.series(f'node_memory_{metric}_bytes', 'node')})"


def _available(kind: str, ready: str, wanted: str) -> str:
    """Ready of wanted replicas, called by its workload."""
    by = f"namespace, {kind}"
    have = f"max by ({by}) ({s.series(f'k8s_{kind}_{ready}', 'kube-state')})"
    want = f"max by ({by}) ({s.series(f'k8s_{kind}_{wanted}', 'kube-state')})"
    share = f"clamp_max({have} / ({want} > 0), 1)"
    return f'max by ({WORKLOAD}) (label_replace({share}, "workload", "$1", "{kind}", "(.+)"))'


def _on_its_node(ratio: str) -> str:
    """What a node does, for each pod on it: a member may know how busy the pod's node is."""
    pods = f"max by (namespace, workload, pod, node) ({s.series('k8s_pod_phase', 'kube-state')} == bool 2)"
    return f"({pods} == 1) * on (node) group_left () {ratio}"


def _api(where: str) -> str:
    return f"sum({s.rate('apiserver_request_total', 'apiserver', where, WINDOW)})"


NODES = Group(
    "nodes",
    (
        Recording("node:cpu_used:ratio_rate5m", f"1 - avg by (node) (max by (node, cpu) ({_IDLE}))"),
        Recording("node:memory_used:ratio", f"1 - {_memory('MemAvailable')} / {_memory('MemTotal')}"),
        Recording("namespace_pod:node_cpu_used:ratio_rate5m", _on_its_node("node:cpu_used:ratio_rate5m")),
        Recording("namespace_pod:node_memory_used:ratio", _on_its_node("node:memory_used:ratio")),
    ),
)

WORKLOADS = Group(
    "workloads",
    (
        Recording("namespace_workload:cpu_used_cores:rate5m", s.cpu("", WORKLOAD, WINDOW)),
        Recording("namespace_workload:memory_used_bytes:sum", s.memory("", WORKLOAD)),
        Recording("namespace_workload:cpu_request_cores:sum", s.reserved("cpu_request", "", WORKLOAD)),
        Recording("namespace_workload:cpu_limit_cores:sum", s.reserved("cpu_limit", "", WORKLOAD)),
        Recording(
            "namespace_workload:memory_request_bytes:sum", s.reserved("memory_request_bytes", "", WORKLOAD)
        ),
        Recording(
            "namespace_workload:memory_limit_bytes:sum", s.reserved("memory_limit_bytes", "", WORKLOAD)
        ),
        Recording("namespace_workload:cpu_throttled:ratio_rate5m", s.throttling("", WORKLOAD, WINDOW)),
        Recording(
            "namespace_workload:replicas_available:ratio",
            "\nor ".join(
                (
                    _available("deployment", "available", "desired"),
                    _available("statefulset", "ready_pods", "desired_pods"),
                    _available("daemonset", "ready_nodes", "desired_scheduled_nodes"),
                )
            ),
        ),
    ),
)

NAMESPACES = Group(
    "namespaces",
    (
        Recording(
            "namespace:cpu_used_cores:rate5m",
            "sum by (namespace) (namespace_workload:cpu_used_cores:rate5m)",
        ),
        Recording(
            "namespace:memory_used_bytes:sum",
            "sum by (namespace) (namespace_workload:memory_used_bytes:sum)",
        ),
        Recording(
            "namespace:cpu_usage_of_cluster:ratio_rate5m",
            f"namespace:cpu_used_cores:rate5m / on () group_left () {CPU_CAPACITY}",
        ),
        Recording(
            "namespace:memory_usage_of_cluster:ratio",
            f"namespace:memory_used_bytes:sum / on () group_left () {MEMORY_CAPACITY}",
        ),
        Recording("namespace_resource:quota_used:ratio", s.quota_ratio("", "namespace, resource")),
    ),
)

REQUESTS = Group(
    "requests",
    (
        Recording("namespace_workload:requests:rate5m", s.requests("", WORKLOAD, window=WINDOW)),
        Recording("namespace_workload:request_errors:ratio_rate5m", s.error_ratio("", WORKLOAD, WINDOW)),
        Recording("namespace_workload:request_latency_ms:p50_rate5m", s.latency(0.5, "", WORKLOAD, WINDOW)),
        Recording("namespace_workload:request_latency_ms:p95_rate5m", s.latency(0.95, "", WORKLOAD, WINDOW)),
        Recording("namespace_workload:request_latency_ms:p99_rate5m", s.latency(0.99, "", WORKLOAD, WINDOW)),
    ),
)

CONTROL_PLANE = Group(
    "control-plane",
    (
        Recording(
            "cluster:apiserver_request_errors:ratio_rate5m",
            "({errors} or 0 * {every}) / ({every} > 0)".format(errors=_api('code=~"5.."'), every=_api("")),
        ),
        Recording(
            "verb:apiserver_request_latency_seconds:p99_rate5m",
            "histogram_quantile(0.99, sum by (le, verb) ("
            + s.rate("apiserver_request_duration_seconds_bucket", "apiserver", _VERBS, WINDOW)
            + "))",
        ),
        Recording(
            "node:etcd_fsync_seconds:p99_rate5m",
            "histogram_quantile(0.99, sum by (le, node) ("
            + s.rate("etcd_disk_wal_fsync_duration_seconds_bucket", "etcd", "", WINDOW)
            + "))",
        ),
    ),
)

GROUPS = (NODES, WORKLOADS, NAMESPACES, REQUESTS, CONTROL_PLANE)
