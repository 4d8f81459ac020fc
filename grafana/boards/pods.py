"""Pods and containers, as cAdvisor and the cluster see them. Members read it."""

from grafana import series as s
from grafana import variables
from grafana.board import Board, Row
from grafana.panels import Column, Panel, Query, dial, lines, number_now, rows_of
from grafana.series import RANGE

POD = 'namespace="$namespace", workload=~"$application", pod=~"$pod"'
# Network series sit on the pod's sandbox and have no container.
CONTAINER = f'{POD}, container=~"$container"'
BY = "pod, container"
NAME = "{{pod}} {{container}}"

CPU_USED = s.cpu(CONTAINER, BY)
MEMORY_USED = s.memory(CONTAINER, BY)


def _of(usage: str, metric: str, by: str) -> str:
    return f"{usage} / ({s.reserved(metric, CONTAINER, by)} > 0)"


def _curve(title: str, description: str, unit: str, expr: str, **options: object) -> Panel:
    """Curves of containers."""
    return lines(title, description, unit, Query(expr, NAME), **options)  # type: ignore[arg-type]


NOW = Row(
    "Now",
    (
        dial(
            "CPU of requests",
            "CPU in use as a share of the requests.",
            Query(_of(s.cpu(CONTAINER, ""), "cpu_request", ""), "of requests"),
            limits=(0.9, 1),
            empty="no request",
        ),
        dial(
            "CPU of limits",
            "CPU in use as a share of the limits; at 100 % the kernel holds containers back.",
            Query(_of(s.cpu(CONTAINER, ""), "cpu_limit", ""), "of limits"),
            empty="no limit",
        ),
        dial(
            "Memory of requests",
            "Memory in use as a share of the requests.",
            Query(_of(s.memory(CONTAINER, ""), "memory_request_bytes", ""), "of requests"),
            limits=(0.9, 1),
            empty="no request",
        ),
        dial(
            "Memory of limits",
            "Memory in use as a share of the limits; at 100 % a container is ended (OOM).",
            Query(_of(s.memory(CONTAINER, ""), "memory_limit_bytes", ""), "of limits"),
            empty="no limit",
        ),
        number_now(
            "Restarts over the time",
            "How often the containers were started again, over the chosen time.",
            "short",
            Query(s.restarts(CONTAINER, "", RANGE), "restarts"),
            limits=(1, 5),
            decimals=0,
        ),
        number_now(
            "Out of memory over the time",
            "How often a container was ended because it reached its memory limit, over the chosen time.",
            "short",
            Query(f"{s.oom_kills(CONTAINER, '', RANGE)} or vector(0)", "ended"),
            limits=(1, 1),
            decimals=0,
        ),
    ),
)

PHASES = {
    1: ("pending", "orange"),
    2: ("running", "green"),
    3: ("succeeded", "green"),
    4: ("failed", "red"),
    5: ("unknown", "red"),
}

TABLES = Row(
    "Pods and their containers",
    (
        rows_of(
            "State of the pods",
            "Each pod: its workload, the node it runs on, its class of service and its phase.",
            {"pod": "Pod", "node": "Node", "k8s_pod_qos_class": "Class of service"},
            Column(
                "Phase",
                f"max by (pod, node, k8s_pod_qos_class) ({s.series('k8s_pod_phase', 'kube-state', POD)})",
                "short",
                words=PHASES,
            ),
            height=7,
        ),
        rows_of(
            "Containers",
            "Each container with what it takes of what it may take.",
            {"pod": "Pod", "container": "Container"},
            Column(
                "Ready",
                f"max by ({BY}) ({s.series('k8s_container_ready', 'kube-state', CONTAINER)})",
                "short",
                words={1: ("yes", "green"), 0: ("no", "red")},
            ),
            Column("CPU used", CPU_USED, "short"),
            Column("CPU requested", s.reserved("cpu_request", CONTAINER, BY), "short"),
            Column("CPU limit", s.reserved("cpu_limit", CONTAINER, BY), "short"),
            Column("Memory used", MEMORY_USED, "bytes"),
            Column("Memory requested", s.reserved("memory_request_bytes", CONTAINER, BY), "bytes"),
            Column("Memory limit", s.reserved("memory_limit_bytes", CONTAINER, BY), "bytes"),
            Column(
                "Restarts",
                f"max by ({BY}) ({s.series('k8s_container_restarts', 'kube-state', CONTAINER)})",
                "short",
                (1, 5),
            ),
            Column(
                "Runs for",
                f"time() - max by ({BY}) ({s.series('container_start_time_seconds', 'cadvisor', CONTAINER)})",
                "s",
            ),
        ),
        rows_of(
            "Containers that were started again",
            "Why each container ended the last time, and how often it was started again.",
            {
                "pod": "Pod",
                "container": "Container",
                "k8s_container_status_last_terminated_reason": "Ended because of",
            },
            Column(
                "Restarts",
                f"max by ({BY}, k8s_container_status_last_terminated_reason) "
                f"({s.series('k8s_container_restarts', 'kube-state', CONTAINER)}) > 0",
                "short",
            ),
            height=7,
        ),
    ),
)

CPU = Row(
    "CPU",
    (
        _curve("CPU by container", "Cores in use by each container.", "short", CPU_USED, stack=True),
        _curve(
            "CPU by container, of requests",
            "CPU in use as a share of the request; above 100 % the container lives on what others leave.",
            "percentunit",
            _of(CPU_USED, "cpu_request", BY),
        ),
        _curve(
            "CPU by container, of limits",
            "CPU in use as a share of the limit.",
            "percentunit",
            _of(CPU_USED, "cpu_limit", BY),
            limits=(0.8, 0.95),
        ),
        _curve(
            "CPU throttling by container",
            "The share of scheduling periods in which the CPU limit held the container back. Empty "
            "without a limit.",
            "percentunit",
            s.throttling(CONTAINER, BY),
            top=1,
            limits=(0.25, 0.5),
        ),
        lines(
            "CPU in user and kernel mode",
            "Cores that the programs themselves use, and that the kernel uses for them.",
            "short",
            Query(s.container_rate("container_cpu_user_seconds_total", CONTAINER, ""), "user"),
            Query(s.container_rate("container_cpu_system_seconds_total", CONTAINER, ""), "kernel"),
            stack=True,
        ),
        lines(
            "How busy the pods' nodes are",
            "The share of CPU and memory in use on the node where each pod runs: other pods may be the "
            "reason.",
            "percentunit",
            Query(f"namespace_pod:node_cpu_used:ratio_rate5m{{{POD}}}", "{{pod}}: CPU of {{node}}"),
            Query(f"namespace_pod:node_memory_used:ratio{{{POD}}}", "{{pod}}: memory of {{node}}"),
            top=1,
        ),
    ),
)

MEMORY = Row(
    "Memory",
    (
        _curve(
            "Memory by container",
            "The working set: what counts against the limit.",
            "bytes",
            MEMORY_USED,
            stack=True,
        ),
        _curve(
            "Memory by container, of requests",
            "Memory in use as a share of the request.",
            "percentunit",
            _of(MEMORY_USED, "memory_request_bytes", BY),
        ),
        _curve(
            "Memory by container, of limits",
            "Memory in use as a share of the limit; at 100 % the container is ended.",
            "percentunit",
            _of(MEMORY_USED, "memory_limit_bytes", BY),
            limits=(0.8, 0.95),
        ),
        lines(
            "Kinds of memory",
            "What the memory is used for: the processes' own (rss), cached files, swap.",
            "bytes",
            *(
                Query(s.container_value(f"container_memory_{kind}", CONTAINER, ""), kind)
                for kind in ("rss", "cache", "swap")
            ),
        ),
        _curve(
            "Page faults that wait for a disk",
            "How often per second the container waited until memory was read from a disk.",
            "ops",
            s.container_rate(
                "container_memory_failures_total",
                f'{CONTAINER}, failure_type="pgmajfault", scope="container"',
                BY,
            ),
        ),
    ),
)

HEALTH = Row(
    "Health",
    (
        _curve(
            "Ready",
            "1 while the container passes its readiness probe.",
            "short",
            f"max by ({BY}) ({s.series('k8s_container_ready', 'kube-state', CONTAINER)})",
            decimals=0,
        ),
        lines(
            "Containers that do not run, with their reason",
            "Why containers wait or have ended: image not found, crash loop, bad configuration, out of "
            "memory.",
            "short",
            Query(
                s.waiting(CONTAINER, f"{BY}, k8s_container_status_reason"),
                f"{NAME}: {{{{k8s_container_status_reason}}}}",
            ),
            decimals=0,
        ),
        _curve(
            "Restarts by container",
            "Containers that were started again, within each step of the curve.",
            "short",
            s.restarts(CONTAINER, BY),
            decimals=0,
        ),
        _curve(
            "Out of memory by container",
            "Containers that were ended because they reached their memory limit, within each step of the "
            "curve.",
            "short",
            s.oom_kills(CONTAINER, BY),
            decimals=0,
        ),
    ),
)


def _network(title: str, description: str, metric: str, unit: str) -> Panel:
    received = s.container_rate(f"container_network_receive_{metric}_total", POD, "pod")
    sent = s.container_rate(f"container_network_transmit_{metric}_total", POD, "pod")
    return lines(title, description, unit, Query(received, "{{pod}} received"), Query(sent, "{{pod}} sent"))


NETWORK = Row(
    "Network",
    (
        _network(
            "Network traffic by pod", "Bytes per second that each pod receives and sends.", "bytes", "Bps"
        ),
        _network("Packets by pod", "Packets per second that each pod receives and sends.", "packets", "pps"),
        _network("Dropped packets by pod", "Packets per second that were dropped.", "packets_dropped", "pps"),
        _network("Network errors by pod", "Broken packets per second.", "errors", "pps"),
    ),
)

DISK = Row(
    "Disk",
    (
        lines(
            "Disk traffic by container",
            "Bytes per second that each container reads from and writes to disks.",
            "Bps",
            Query(s.container_rate("container_fs_reads_bytes_total", CONTAINER, BY), f"{NAME} read"),
            Query(s.container_rate("container_fs_writes_bytes_total", CONTAINER, BY), f"{NAME} written"),
        ),
        lines(
            "Disk operations by container",
            "Reads and writes per second.",
            "ops",
            Query(s.container_rate("container_fs_reads_total", CONTAINER, BY), f"{NAME} reads"),
            Query(s.container_rate("container_fs_writes_total", CONTAINER, BY), f"{NAME} writes"),
        ),
    ),
)

BOARD = Board(
    uid="croft-pods",
    description="Pods and containers of one namespace: what they use and why they do not run.",
    variables=(
        variables.namespace(),
        variables.application(multi=True),
        variables.pod(),
        variables.container(),
    ),
    rows=(NOW, TABLES, CPU, MEMORY, HEALTH, NETWORK, DISK),
)
