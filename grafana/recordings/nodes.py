"""Nodes: how busy they are, and what is promised to pods; of it, what a member may know of a pod's node."""

from grafana import series as s
from grafana.rulebook import RATE_WINDOW, Group, Recording

# All but idle.
_MODES = "user|nice|system|iowait|irq|softirq|steal"
_IDLE = s.rate("node_cpu_seconds_total", "node", 'mode="idle"', RATE_WINDOW)
_MODE = s.rate("node_cpu_seconds_total", "node", f'mode=~"{_MODES}"', RATE_WINDOW)
_PHASE = s.series("k8s_pod_phase", "kube-state")


def _memory(metric: str) -> str:
    return f"max by (node) ({s.series(f'node_memory_{metric}_bytes', 'node')})"


def _on_its_node(ratio: str) -> str:
    """What a node does, for each pod on it: a member may know how busy the pod's node is."""
    pods = f"max by (namespace, workload, pod, node) ({_PHASE} == bool 2)"
    return f"({pods} == 1) * on (node) group_left () {ratio}"


GROUP = Group(
    "nodes",
    (
        Recording("node:cpu_used:ratio_rate5m", f"1 - avg by (node) (max by (node, cpu) ({_IDLE}))"),
        Recording(
            "node_mode:cpu_used_cores:rate5m", f"sum by (node, mode) (max by (node, cpu, mode) ({_MODE}))"
        ),
        Recording("node:memory_used:ratio", f"1 - {_memory('MemAvailable')} / {_memory('MemTotal')}"),
        Recording("node:cpu_request_cores:sum", s.reserved("cpu_request", "", "node")),
        Recording("node:memory_request_bytes:sum", s.reserved("memory_request_bytes", "", "node")),
        Recording(
            "node:pods_running:count", f"count by (node) (max by (namespace, pod, node) ({_PHASE}) == 2)"
        ),
        Recording("namespace_pod:node_cpu_used:ratio_rate5m", _on_its_node("node:cpu_used:ratio_rate5m")),
        Recording("namespace_pod:node_memory_used:ratio", _on_its_node("node:memory_used:ratio")),
    ),
)
