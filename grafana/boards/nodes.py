"""Nodes: CPU, memory, disk and network of machines, and the pods on them."""

from grafana import series as s
from grafana import variables
from grafana.board import Board, Row
from grafana.links import TO_ANY_POD, TO_NODE
from grafana.panels import Column, Query, bars, dial, lines, number_now, rows_of

NODE = 'node=~"$node"'
DISKS = f'{NODE}, fstype!~"tmpfs|ramfs|overlay|squashfs|nsfs|fuse.*"'
CARDS = f'{NODE}, device!~"lo|veth.*|lxc.*|cilium.*|cni.*|docker.*|podman.*"'
DRIVES = f'{NODE}, device!~"loop.*|ram.*|sr.*"'


def _now(metric: str, where: str = NODE, by: str = "node") -> str:
    return f"max by ({by}) ({s.series(f'node_{metric}', 'node', where)})"


def _rate(metric: str, where: str = NODE, by: str = "node") -> str:
    return f"max by ({by}) ({s.rate(f'node_{metric}', 'node', where)})"


def _state(metric: str) -> str:
    return f"max by (node) ({s.series(f'k8s_node_{metric}', 'kube-state', NODE)})"


POD = "namespace, pod"
LARGEST_CPU = s.largest(20, "rate", "container_cpu_usage_seconds_total", NODE, POD)
LARGEST_MEMORY = s.largest(20, "avg_over_time", "container_memory_working_set_bytes", NODE, POD)
SECONDS = s.series("node_cpu_seconds_total", "node", f'{NODE}, mode="idle"')
CORES = f"count by (node) (max by (node, cpu) ({SECONDS}))"
IDLE = _rate("cpu_seconds_total", f'{NODE}, mode="idle"', "node, cpu")
BUSY = f"1 - avg by (node) ({IDLE})"
MEMORY_USED = f"1 - {_now('memory_MemAvailable_bytes')} / {_now('memory_MemTotal_bytes')}"


def _taken(free: str, size: str) -> str:
    """The share of each disk that is taken; a disk is seen once for each place it is mounted at."""
    by = "node, device"
    return f"1 - {_now(f'filesystem_{free}', DISKS, by)} / ({_now(f'filesystem_{size}', DISKS, by)} > 0)"


DISK_USED = _taken("avail_bytes", "size_bytes")
INODES_USED = _taken("files_free", "files")
PHASE = s.series("k8s_pod_phase", "kube-state", NODE)
PODS = f"count by (node) (max by (namespace, pod, node) ({PHASE}) == 2)"
KERNEL = s.series("node_uname_info", "node", NODE)
IN_STEP = f"max by (node, release, machine) ({KERNEL} * on (node) group_left {_now('timex_sync_status')})"

NOW = Row(
    "Now",
    (
        dial(
            "CPU busy",
            "The share of the CPU that is busy, the busiest node.",
            Query(f"max({BUSY})", "busiest"),
        ),
        dial(
            "Memory used",
            "The share of the memory that is in use and cannot be freed, the fullest node.",
            Query(f"max({MEMORY_USED})", "fullest"),
        ),
        dial(
            "Disk used",
            "The share of the fullest disk that is in use.",
            Query(f"max({DISK_USED})", "fullest"),
        ),
        dial(
            "Pods of the most allowed",
            "Running pods as a share of what the node takes, the fullest node.",
            Query(f"max({PODS} / {_state('allocatable_pods')})", "fullest"),
        ),
        number_now(
            "Not ready",
            "Nodes that do not say they are ready.",
            "short",
            Query(f"sum({_state('condition_ready')} != bool 1)", "nodes"),
            limits=(1, 1),
            decimals=0,
        ),
        number_now(
            "Longest time since boot",
            "The time since the node that runs longest was started.",
            "s",
            Query(f"max(time() - {_now('boot_time_seconds')})", "uptime"),
        ),
        rows_of(
            "Nodes at a glance",
            "Each node with its state and how full it is. A click shows that node alone.",
            {"node": "Node"},
            Column(
                "Ready",
                _state("condition_ready"),
                "short",
                words={1: ("yes", "green"), 0: ("no", "red"), -1: ("unknown", "red")},
            ),
            Column("Cores", CORES, "short"),
            Column("CPU busy", BUSY, "percentunit", (0.8, 0.95)),
            Column("Load per core", f"{_now('load1')} / {CORES}", "short", (1.5, 3)),
            Column("Memory", _now("memory_MemTotal_bytes"), "bytes"),
            Column("Memory used", MEMORY_USED, "percentunit", (0.8, 0.95)),
            Column("Fullest disk", f"max by (node) ({DISK_USED})", "percentunit", (0.8, 0.9)),
            Column("Pods", PODS, "short"),
            Column("Up for", f"time() - {_now('boot_time_seconds')}", "s"),
            link=TO_NODE,
        ),
    ),
)

CPU = Row(
    "CPU",
    (
        lines(
            "CPU busy over time",
            "The share of each node's CPU that is busy.",
            "percentunit",
            Query(BUSY, "{{node}}"),
            top=1,
            limits=(0.8, 0.95),
            link=TO_NODE,
        ),
        lines(
            "CPU by mode",
            "What the CPU does, in cores. iowait is time spent waiting for disks, steal time that a "
            "hypervisor took.",
            "short",
            Query(f"sum by (mode) ({s.recorded_mean('node_mode:cpu_used_cores:rate5m', NODE)})", "{{mode}}"),
            stack=True,
        ),
        lines(
            "Load",
            "Processes that run or wait, averaged over 1, 5 and 15 minutes, beside the number of cores.",
            "short",
            *(Query(f"sum({_now(f'load{minutes}')})", f"{minutes} min") for minutes in (1, 5, 15)),
            Query(f"sum({CORES})", "cores"),
        ),
        lines(
            "CPU by pod on the nodes",
            "Cores in use by the pods that run on the chosen nodes; the 20 largest of the chosen time.",
            "short",
            Query(f"{s.cpu(NODE, POD)} and on ({POD}) {LARGEST_CPU}", "{{namespace}}/{{pod}}"),
            stack=True,
            link=TO_ANY_POD,
        ),
        lines(
            "Context switches and interrupts",
            "How often per second the CPUs change to another process or are interrupted.",
            "ops",
            Query(_rate("context_switches_total"), "{{node}} context switches"),
            Query(_rate("intr_total"), "{{node}} interrupts"),
            link=TO_NODE,
        ),
        lines(
            "Requested of allocatable CPU",
            "The share of the node's CPU that pods have requested: at 100 % the node takes no further pods.",
            "percentunit",
            Query(
                f"{s.recorded('node:cpu_request_cores:sum', NODE)} / {_state('allocatable_cpu')}", "{{node}}"
            ),
            link=TO_NODE,
        ),
    ),
)


def _memory(metric: str) -> str:
    return f"sum({_now(f'memory_{metric}_bytes')})"


MEMORY = Row(
    "Memory",
    (
        lines(
            "Memory used over time",
            "The share of each node's memory that is in use and cannot be freed.",
            "percentunit",
            Query(MEMORY_USED, "{{node}}"),
            top=1,
            limits=(0.8, 0.95),
            link=TO_NODE,
        ),
        lines(
            "Memory by use",
            "What the memory is used for, all chosen nodes together.",
            "bytes",
            Query(f"{_memory('MemTotal')} - {_memory('MemAvailable')}", "used"),
            Query(_memory("Buffers"), "buffers"),
            Query(_memory("Cached"), "cached"),
            Query(_memory("MemFree"), "free"),
            Query(f"{_memory('SwapTotal')} - {_memory('SwapFree')}", "swap used"),
        ),
        lines(
            "Memory by pod on the nodes",
            "Memory in use by the pods that run on the chosen nodes; the 20 largest of the chosen time.",
            "bytes",
            Query(f"{s.memory(NODE, POD)} and on ({POD}) {LARGEST_MEMORY}", "{{namespace}}/{{pod}}"),
            stack=True,
            link=TO_ANY_POD,
        ),
        lines(
            "Requested of allocatable memory",
            "The share of the node's memory that pods have requested: at 100 % the node takes no further "
            "pods.",
            "percentunit",
            Query(
                f"{s.recorded('node:memory_request_bytes:sum', NODE)} / {_state('allocatable_memory_bytes')}",
                "{{node}}",
            ),
            link=TO_NODE,
        ),
        lines(
            "Page faults that read a disk",
            "How often per second a process had to wait until memory was read from a disk.",
            "ops",
            Query(_rate("vmstat_pgmajfault"), "{{node}}"),
            link=TO_NODE,
        ),
        lines(
            "Processes ended for want of memory",
            "Processes per second that the kernel has ended because memory ran out.",
            "ops",
            Query(_rate("vmstat_oom_kill"), "{{node}}"),
            link=TO_NODE,
        ),
    ),
)

DISK = Row(
    "Disks",
    (
        bars(
            "Disks: used of size",
            "How full each disk is.",
            "percentunit",
            Query(DISK_USED, "{{node}} {{device}}"),
            top=1,
            limits=(0.8, 0.9),
            link=TO_NODE,
        ),
        bars(
            "Disks: inodes used",
            "The share of inodes (files and folders) that are in use; without free ones no file can be made.",
            "percentunit",
            Query(INODES_USED, "{{node}} {{device}}"),
            top=1,
            limits=(0.8, 0.9),
            link=TO_NODE,
        ),
        lines(
            "Disk space used over time",
            "The share of each disk that is in use.",
            "percentunit",
            Query(DISK_USED, "{{node}} {{device}}"),
            top=1,
            limits=(0.8, 0.9),
            link=TO_NODE,
        ),
        lines(
            "Disk traffic by drive",
            "Bytes per second that are read and written.",
            "Bps",
            Query(_rate("disk_read_bytes_total", DRIVES, "node, device"), "{{node}} {{device}} read"),
            Query(_rate("disk_written_bytes_total", DRIVES, "node, device"), "{{node}} {{device}} written"),
            link=TO_NODE,
        ),
        lines(
            "Disk operations by drive",
            "Reads and writes per second that were completed.",
            "ops",
            Query(_rate("disk_reads_completed_total", DRIVES, "node, device"), "{{node}} {{device}} reads"),
            Query(_rate("disk_writes_completed_total", DRIVES, "node, device"), "{{node}} {{device}} writes"),
            link=TO_NODE,
        ),
        lines(
            "Time a drive is busy",
            "The share of time in which the drive had something to do.",
            "percentunit",
            Query(_rate("disk_io_time_seconds_total", DRIVES, "node, device"), "{{node}} {{device}}"),
            top=1,
            link=TO_NODE,
        ),
        lines(
            "Time of a read or write",
            "How long a read or a write takes on average.",
            "s",
            Query(
                f"{_rate('disk_read_time_seconds_total', DRIVES, 'node, device')} / "
                f"({_rate('disk_reads_completed_total', DRIVES, 'node, device')} > 0)",
                "{{node}} {{device}} read",
            ),
            Query(
                f"{_rate('disk_write_time_seconds_total', DRIVES, 'node, device')} / "
                f"({_rate('disk_writes_completed_total', DRIVES, 'node, device')} > 0)",
                "{{node}} {{device}} write",
            ),
            link=TO_NODE,
        ),
        lines(
            "Open files",
            "Files that are open, as a share of what the kernel allows.",
            "percentunit",
            Query(f"{_now('filefd_allocated')} / {_now('filefd_maximum')}", "{{node}}"),
            link=TO_NODE,
        ),
    ),
)

NETWORK = Row(
    "Network",
    (
        lines(
            "Traffic by interface",
            "Bytes per second, without the interfaces of pods.",
            "Bps",
            Query(
                _rate("network_receive_bytes_total", CARDS, "node, device"), "{{node}} {{device}} received"
            ),
            Query(_rate("network_transmit_bytes_total", CARDS, "node, device"), "{{node}} {{device}} sent"),
            link=TO_NODE,
        ),
        lines(
            "Errors by interface",
            "Broken packets per second.",
            "pps",
            Query(_rate("network_receive_errs_total", CARDS, "node, device"), "{{node}} {{device}} received"),
            Query(_rate("network_transmit_errs_total", CARDS, "node, device"), "{{node}} {{device}} sent"),
            link=TO_NODE,
        ),
        lines(
            "Dropped packets by interface",
            "Packets per second that were dropped.",
            "pps",
            Query(_rate("network_receive_drop_total", CARDS, "node, device"), "{{node}} {{device}} received"),
            Query(_rate("network_transmit_drop_total", CARDS, "node, device"), "{{node}} {{device}} sent"),
            link=TO_NODE,
        ),
        lines(
            "TCP connections",
            "Connections that are established, and sockets that wait for their end.",
            "short",
            Query(_now("netstat_Tcp_CurrEstab"), "{{node}} established"),
            Query(_now("sockstat_TCP_tw"), "{{node}} time-wait"),
            link=TO_NODE,
        ),
        lines(
            "TCP segments sent again",
            "The share of segments that had to be sent again: packets are lost on the way.",
            "percentunit",
            Query(f"{_rate('netstat_Tcp_RetransSegs')} / ({_rate('netstat_Tcp_OutSegs')} > 0)", "{{node}}"),
            link=TO_NODE,
        ),
        lines(
            "Connection tracking table",
            "Entries as a share of the table's size; when it is full, new connections are dropped.",
            "percentunit",
            Query(f"{_now('nf_conntrack_entries')} / {_now('nf_conntrack_entries_limit')}", "{{node}}"),
            top=1,
            limits=(0.75, 0.9),
            link=TO_NODE,
        ),
    ),
)

CONDITIONS = Row(
    "Pods, conditions and time",
    (
        rows_of(
            "Pods on the nodes",
            "Each pod that runs on the chosen nodes with what it takes. A click opens the pod.",
            {"node": "Node", "namespace": "Namespace", "pod": "Pod"},
            Column("CPU used", s.cpu(NODE, "node, namespace, pod"), "short"),
            Column("CPU requested", s.reserved("cpu_request", NODE, "node, namespace, pod"), "short"),
            Column("Memory used", s.memory(NODE, "node, namespace, pod"), "bytes"),
            Column(
                "Memory requested", s.reserved("memory_request_bytes", NODE, "node, namespace, pod"), "bytes"
            ),
            link=TO_ANY_POD,
        ),
        lines(
            "Pods by node",
            "Pods that run on each node, beside the most it takes.",
            "short",
            Query(s.recorded("node:pods_running:count", NODE), "{{node}} running"),
            Query(_state("allocatable_pods"), "{{node}} most"),
            decimals=0,
            link=TO_NODE,
        ),
        lines(
            "Node conditions",
            "1 where the node is ready, or is short of memory, disk or process numbers.",
            "short",
            Query(_state("condition_ready"), "{{node}} ready"),
            Query(_state("condition_memory_pressure"), "{{node}} short of memory"),
            Query(_state("condition_disk_pressure"), "{{node}} short of disk"),
            Query(_state("condition_pid_pressure"), "{{node}} short of process numbers"),
            decimals=0,
            link=TO_NODE,
        ),
        lines(
            "Clock offset",
            "How far the node's clock is off, as its time service knows. Certificates and etcd need the "
            "right time.",
            "s",
            Query(f"abs({_now('timex_offset_seconds')})", "{{node}} offset"),
            Query(_now("timex_maxerror_seconds"), "{{node}} error at most"),
            link=TO_NODE,
        ),
        rows_of(
            "Kernels",
            "The kernel that each node runs.",
            {"node": "Node", "release": "Kernel", "machine": "Machine"},
            Column(
                "Clock in step",
                IN_STEP,
                "short",
                words={1: ("yes", "green"), 0: ("no", "orange")},
            ),
            width=12,
            height=8,
            link=TO_NODE,
        ),
    ),
)

BOARD = Board(
    uid="croft-nodes",
    description="The machines: CPU, memory, disks, network, and the pods that run on them.",
    variables=(variables.node(),),
    rows=(NOW, CPU, MEMORY, DISK, NETWORK, CONDITIONS),
)
