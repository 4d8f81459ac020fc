"""Project: its quota, and what each application costs of it. Members read it."""

from grafana import series as s
from grafana import variables
from grafana.board import Board, Row
from grafana.links import TO_APPLICATION
from grafana.panels import Column, Panel, Query, bars, dial, lines, number_now, rows_of
from grafana.recordings.workloads import PREFIX
from grafana.series import RANGE

NS = 'namespace="$namespace"'


def _quota(metric: str, resource: str) -> str:
    """A number of the project's quota; the receiver gives CPU in thousandths of a core."""
    matchers = f'{NS}, resource="{resource}"'
    value = f"max({s.series(f'k8s_resource_quota_{metric}', 'kube-state', matchers)})"
    return f"{value} / 1000" if resource.endswith(".cpu") else value


def _share(title: str, description: str, resource: str) -> Panel:
    matchers = f'{NS}, resource="{resource}"'
    return dial(
        title, description, Query(s.quota_ratio(matchers, "resource"), "of the quota"), empty="no quota"
    )


CPU_USED = s.cpu(NS, "workload")
CPU_RESERVED = s.reserved("cpu_request", NS, "workload")
CPU_QUOTA = _quota("hard_limit", "requests.cpu")
MEMORY_USED = s.memory(NS, "workload")
MEMORY_RESERVED = s.reserved("memory_request_bytes", NS, "workload")
MEMORY_QUOTA = _quota("hard_limit", "requests.memory")

QUOTA = Row(
    "Quota",
    (
        _share(
            "CPU quota",
            "CPU that the applications have reserved, of what the project may reserve.",
            "requests.cpu",
        ),
        _share(
            "Memory quota", "Memory that the applications have reserved, of the quota.", "requests.memory"
        ),
        _share("Storage quota", "Size of all volumes, of the quota.", "requests.storage"),
        _share("Pod quota", "Number of pods, of the quota.", "pods"),
        number_now(
            "Share of the cluster's CPU",
            "CPU that the project uses, of all CPU of the cluster.",
            "percentunit",
            Query(f"namespace:cpu_usage_of_cluster:ratio_rate5m{{{NS}}}", "of the cluster"),
            decimals=1,
        ),
        number_now(
            "Share of the cluster's memory",
            "Memory that the project uses, of all memory of the cluster.",
            "percentunit",
            Query(f"namespace:memory_usage_of_cluster:ratio{{{NS}}}", "of the cluster"),
            decimals=1,
        ),
        lines(
            "CPU: used, reserved and quota",
            "Cores in use, cores that the applications have reserved, and the most that they may reserve.",
            "short",
            Query(s.cpu(NS, ""), "used"),
            Query(_quota("used", "requests.cpu"), "reserved"),
            Query(CPU_QUOTA, "quota"),
        ),
        lines(
            "Memory: used, reserved and quota",
            "Memory in use, memory that the applications have reserved, and the most that they may reserve.",
            "bytes",
            Query(s.memory(NS, ""), "used"),
            Query(_quota("used", "requests.memory"), "reserved"),
            Query(MEMORY_QUOTA, "quota"),
        ),
    ),
)

COSTS = Row(
    "What each application costs",
    (
        rows_of(
            "Applications",
            "Each application with what it has reserved, what it uses, and its traffic. A click opens the "
            "application.",
            {"workload": "Application"},
            Column("Ready pods", s.ready_pods(NS, "workload"), "short"),
            Column("CPU reserved", CPU_RESERVED, "short"),
            Column("CPU used", CPU_USED, "short"),
            Column(
                "CPU used of reserved",
                f"{CPU_USED} / ({CPU_RESERVED} > 0)",
                "percentunit",
            ),
            Column("Memory reserved", MEMORY_RESERVED, "bytes"),
            Column("Memory used", MEMORY_USED, "bytes"),
            Column(
                "Memory used of reserved",
                f"{MEMORY_USED} / ({MEMORY_RESERVED} > 0)",
                "percentunit",
            ),
            Column("Restarts", s.restarts(NS, "workload", RANGE), "short", (1, 5)),
            Column("Requests per second", s.requests(NS, "workload"), "reqps"),
            Column("Errors", s.error_ratio(NS, "workload"), "percentunit", (0.01, 0.05)),
            link=TO_APPLICATION,
        ),
        bars(
            "CPU reserved of the quota, by application",
            "The share of the project's CPU quota that each application has reserved.",
            "percentunit",
            Query(
                f"{CPU_RESERVED} / scalar({CPU_QUOTA} > 0)",
                "{{workload}}",
            ),
            top=1,
            empty="no quota",
            link=TO_APPLICATION,
        ),
        bars(
            "Memory reserved of the quota, by application",
            "The share of the project's memory quota that each application has reserved.",
            "percentunit",
            Query(
                f"{MEMORY_RESERVED} / scalar({MEMORY_QUOTA} > 0)",
                "{{workload}}",
            ),
            top=1,
            empty="no quota",
            link=TO_APPLICATION,
        ),
        lines(
            "CPU used by application",
            "CPU in use by each application, in cores.",
            "short",
            Query(CPU_USED, "{{workload}}"),
            stack=True,
            link=TO_APPLICATION,
        ),
        lines(
            "Memory used by application",
            "Memory in use by each application.",
            "bytes",
            Query(MEMORY_USED, "{{workload}}"),
            stack=True,
            link=TO_APPLICATION,
        ),
        lines(
            "CPU reserved and not used, by application",
            "Cores that an application holds without using them: what a smaller request would free.",
            "short",
            Query(
                f"clamp_min({CPU_RESERVED} - {CPU_USED}, 0)",
                "{{workload}}",
            ),
            stack=True,
            link=TO_APPLICATION,
        ),
        lines(
            "Memory reserved and not used, by application",
            "Memory that an application holds without using it: what a smaller request would free.",
            "bytes",
            Query(
                f"clamp_min({MEMORY_RESERVED} - {MEMORY_USED}, 0)",
                "{{workload}}",
            ),
            stack=True,
            link=TO_APPLICATION,
        ),
    ),
)

TRAFFIC = Row(
    "Requests, errors and latency",
    (
        lines(
            "Requests by application",
            "Requests per second through the ingress.",
            "reqps",
            Query(s.requests(NS, "workload"), "{{workload}}"),
            stack=True,
            link=TO_APPLICATION,
        ),
        lines(
            "Error ratio by application",
            "The share of requests that were answered with a status of 500 or above.",
            "percentunit",
            Query(s.recorded_mean(f"{PREFIX}:request_errors:ratio_rate5m", NS), "{{workload}}"),
            limits=(0.01, 0.05),
            link=TO_APPLICATION,
        ),
        lines(
            "Latency p95 by application",
            "95 of 100 requests are answered within this time.",
            "ms",
            Query(s.recorded_mean(f"{PREFIX}:request_latency_ms:p95_rate5m", NS), "{{workload}}"),
            link=TO_APPLICATION,
        ),
        lines(
            "Network traffic by application",
            "Bytes per second that the pods of each application receive and send.",
            "Bps",
            Query(
                s.container_rate("container_network_receive_bytes_total", NS, "workload"),
                "{{workload}} received",
            ),
            Query(
                s.container_rate("container_network_transmit_bytes_total", NS, "workload"),
                "{{workload}} sent",
            ),
            link=TO_APPLICATION,
        ),
    ),
)

HEALTH = Row(
    "Health of the applications",
    (
        lines(
            "Replicas ready of wanted, by application",
            "The share of the wanted replicas that are ready.",
            "percentunit",
            Query(f"namespace_workload:replicas_available:ratio{{{NS}}}", "{{workload}}"),
            top=1,
            link=TO_APPLICATION,
        ),
        lines(
            "Containers that do not run, by application and reason",
            "Why containers wait or have ended: image not found, crash loop, bad configuration, out of "
            "memory.",
            "short",
            Query(
                s.recorded(f"{PREFIX}_reason:containers_not_running:sum", NS),
                "{{workload}}: {{k8s_container_status_reason}}",
            ),
            stack=True,
            decimals=0,
            link=TO_APPLICATION,
        ),
        lines(
            "Restarts by application",
            "Containers that were started again, within each step of the curve.",
            "short",
            Query(s.restarts(NS, "workload"), "{{workload}}"),
            decimals=0,
            link=TO_APPLICATION,
        ),
        lines(
            "Out of memory by application",
            "Containers that were ended because they reached their memory limit, within each step of the "
            "curve.",
            "short",
            Query(s.oom_kills(NS, "workload"), "{{workload}}"),
            decimals=0,
            link=TO_APPLICATION,
        ),
        lines(
            "CPU throttling by application",
            "The share of scheduling periods in which a CPU limit held the application back. Empty "
            "without CPU limits.",
            "percentunit",
            Query(s.throttling(NS, "workload"), "{{workload}}"),
            top=1,
            limits=(0.25, 0.5),
            link=TO_APPLICATION,
        ),
        rows_of(
            "Alerts",
            "Alerts of the project that are firing.",
            {"alertname": "Alert", "severity": "Severity", "workload": "Application", "pod": "Pod"},
            Column("Firing", s.alerts(NS, "alertname, severity, workload, pod"), "short"),
            width=12,
            height=8,
            link=TO_APPLICATION,
        ),
    ),
)

_VOLUME = "persistentvolumeclaim, workload"
VOLUMES = Row(
    "Volumes and disk",
    (
        bars(
            "Volumes of the project: used of capacity",
            "How full each volume is.",
            "percentunit",
            Query(
                f"max by ({_VOLUME}) ({s.series('croft_volume_used_bytes', 'storage', NS)}) / "
                f"max by ({_VOLUME}) ({s.series('croft_volume_capacity_bytes', 'storage', NS)})",
                "{{persistentvolumeclaim}}",
            ),
            top=1,
            limits=(0.8, 0.9),
            empty="no volumes",
            link=TO_APPLICATION,
        ),
        lines(
            "Disk traffic by application",
            "Bytes per second that the containers of each application read and write.",
            "Bps",
            Query(s.container_rate("container_fs_reads_bytes_total", NS, "workload"), "{{workload}} read"),
            Query(
                s.container_rate("container_fs_writes_bytes_total", NS, "workload"), "{{workload}} written"
            ),
            link=TO_APPLICATION,
        ),
    ),
)

BOARD = Board(
    uid="croft-project",
    description="The quota of a project, and what each application costs of it: reserved, used, unused.",
    variables=(variables.project(),),
    rows=(QUOTA, COSTS, TRAFFIC, HEALTH, VOLUMES),
)
