"""Machines: gone, full, short of memory, with a wrong clock."""

from grafana import series as s
from grafana.rulebook import Alert, Group

DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|nsfs|fuse.*"'
CARDS = 'device!~"lo|veth.*|lxc.*|cilium.*|cni.*|docker.*|podman.*"'


def _now(metric: str, where: str = "", by: str = "node") -> str:
    return f"max by ({by}) ({s.series(f'node_{metric}', 'node', where)})"


def _share(free: str, size: str) -> str:
    by = "node, device"
    return f"({_now(f'filesystem_{free}', DISKS, by)} / ({_now(f'filesystem_{size}', DISKS, by)} > 0))"


def _condition(name: str, what: str) -> str:
    short = f"max by (node) ({s.series(f'k8s_node_condition_{name}', 'kube-state')}) == 1"
    return f'label_replace({short}, "what", "{what}", "", "")'


def _packets(way: str, what: str) -> str:
    return f"sum by (node, device) ({s.rate(f'node_network_{way}_{what}_total', 'node', CARDS, '5m')})"


FREE = _share("avail_bytes", "size_bytes")
_FREE_BYTES = s.series("node_filesystem_avail_bytes", "node", DISKS)
IN_A_DAY = f"max by (node, device) (predict_linear({_FREE_BYTES}[6h], 86400))"
_SYNCED = s.series("node_timex_sync_status", "node")
_RUNNING = f"count by (node) (max by (namespace, pod, node) ({s.series('k8s_pod_phase', 'kube-state')}) == 2)"
_ALLOWED = f"max by (node) ({s.series('k8s_node_allocatable_pods', 'kube-state')})"

GROUP = Group(
    "node-alerts",
    (
        Alert(
            "NodeDown",
            f"max by (node) ({s.series('up', 'node')}) == 0",
            "5m",
            "critical",
            "Node {{ $labels.node }} does not answer",
            "Prometheus has not reached the node exporter of {{ $labels.node }} for 5 minutes.",
        ),
        Alert(
            "NodeNotReady",
            f"max by (node) ({s.series('k8s_node_condition_ready', 'kube-state')}) != 1",
            "5m",
            "critical",
            "Node {{ $labels.node }} is not ready",
            "The kubelet of {{ $labels.node }} has not said for 5 minutes that it is ready. Its pods are "
            "moved "
            "to other nodes.",
        ),
        Alert(
            "NodeUnderPressure",
            "\nor ".join(
                (
                    _condition("memory_pressure", "memory"),
                    _condition("disk_pressure", "disk space"),
                    _condition("pid_pressure", "process numbers"),
                )
            ),
            "5m",
            "warning",
            "Node {{ $labels.node }} is short of {{ $labels.what }}",
            "The kubelet of {{ $labels.node }} evicts pods because {{ $labels.what }} runs out.",
        ),
        Alert(
            "NodeDiskFilling",
            f"{IN_A_DAY} < 0 and on (node, device) {FREE} < 0.4",
            "1h",
            "warning",
            "Disk {{ $labels.device }} of {{ $labels.node }} will be full within a day",
            "At the pace of the last 6 hours, {{ $labels.device }} of {{ $labels.node }} is full in less "
            "than a day.",
        ),
        Alert(
            "NodeDiskNearlyFull",
            f"{FREE} < 0.1",
            "15m",
            "warning",
            "Disk {{ $labels.device }} of {{ $labels.node }} has {{ $value | humanizePercentage }} left",
            "Less than 10 % of {{ $labels.device }} of {{ $labels.node }} is free. At 15 % of the images' "
            "disk "
            "the kubelet deletes images, and evicts pods soon after.",
        ),
        Alert(
            "NodeDiskFull",
            f"{FREE} < 0.03",
            "5m",
            "critical",
            "Disk {{ $labels.device }} of {{ $labels.node }} is full",
            "Only {{ $value | humanizePercentage }} of {{ $labels.device }} of {{ $labels.node }} is free. "
            "Programs that write there fail.",
        ),
        Alert(
            "NodeInodesLow",
            f"{_share('files_free', 'files')} < 0.05",
            "15m",
            "warning",
            "Disk {{ $labels.device }} of {{ $labels.node }} has few inodes left",
            "{{ $value | humanizePercentage }} of the inodes of {{ $labels.device }} of {{ $labels.node "
            "}} are "
            "free. Without any, no file can be made, however much space is left.",
        ),
        Alert(
            "NodeMemoryLow",
            "node:memory_used:ratio > 0.95",
            "10m",
            "warning",
            "Node {{ $labels.node }} has little memory left",
            "{{ $value | humanizePercentage }} of the memory of {{ $labels.node }} has been in use for 10 "
            "minutes.",
        ),
        Alert(
            "NodeCpuBusy",
            "node:cpu_used:ratio_rate5m > 0.95",
            "30m",
            "info",
            "The CPU of {{ $labels.node }} is busy",
            "{{ $value | humanizePercentage }} of the CPU of {{ $labels.node }} has been in use for 30 "
            "minutes.",
        ),
        Alert(
            "NodeClockWrong",
            f"max by (node) (abs({s.series('node_timex_offset_seconds', 'node')})) > 0.05",
            "10m",
            "warning",
            "The clock of {{ $labels.node }} is off by {{ $value | humanizeDuration }}",
            "etcd, certificates and tokens need clocks that agree; that of {{ $labels.node }} is off by "
            "{{ $value | humanizeDuration }}.",
        ),
        Alert(
            "NodeClockNotSynchronised",
            f"max by (node) (max_over_time({_SYNCED}[5m])) == 0",
            "30m",
            "info",
            "The clock of {{ $labels.node }} is not synchronised",
            "No time service has set the clock of {{ $labels.node }} for 30 minutes; it may drift.",
        ),
        Alert(
            "NodeNetworkErrors",
            f"({_packets('receive', 'errs')} + {_packets('transmit', 'errs')}) / "
            f"({_packets('receive', 'packets')} + {_packets('transmit', 'packets')} > 0) > 0.01",
            "30m",
            "warning",
            "Interface {{ $labels.device }} of {{ $labels.node }} has errors",
            "{{ $value | humanizePercentage }} of the packets of {{ $labels.device }} of {{ $labels.node "
            "}} are broken.",
        ),
        Alert(
            "NodeConnectionsNearlyFull",
            f"{_now('nf_conntrack_entries')} / ({_now('nf_conntrack_entries_limit')} > 0) > 0.9",
            "10m",
            "warning",
            "The connection table of {{ $labels.node }} is nearly full",
            "{{ $value | humanizePercentage }} of the connection tracking table of {{ $labels.node }} is "
            "taken. "
            "When it is full, new connections are dropped.",
        ),
        Alert(
            "NodeOpenFilesNearlyAll",
            f"{_now('filefd_allocated')} / ({_now('filefd_maximum')} > 0) > 0.9",
            "15m",
            "warning",
            "Node {{ $labels.node }} has nearly as many open files as it allows",
            "{{ $value | humanizePercentage }} of the open files that the kernel of {{ $labels.node }} "
            "allows are open.",
        ),
        Alert(
            "NodePodsNearlyAll",
            f"{_RUNNING} / ({_ALLOWED} > 0) > 0.95",
            "15m",
            "warning",
            "Node {{ $labels.node }} runs nearly as many pods as it takes",
            "{{ $value | humanizePercentage }} of the pods that {{ $labels.node }} takes run on it. No "
            "more will fit.",
        ),
    ),
)
