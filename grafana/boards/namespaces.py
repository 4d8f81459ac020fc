"""Namespaces: workloads of one or several namespaces, for operators."""

from grafana import series as s
from grafana import variables
from grafana.board import Board, Row
from grafana.boards.cluster import PHASE_COLOURS, pods_by_class, pods_by_phase
from grafana.links import TO_DEPLOYMENT, TO_NAMESPACE, TO_PROJECT, TO_WORKLOAD
from grafana.panels import Column, Panel, Query, bars, lines, number_now, rows_of
from grafana.recordings import requests, workloads
from grafana.recordings.workloads import PREFIX, WORKLOAD

NS = 'namespace=~"$namespace"'
# "All" is a pattern that a missing label fits as well: alerts about nodes have no namespace.
ALERTS_NS = f'namespace!="", {NS}'
NAME = "{{namespace}}/{{workload}}"
PHASE = f"max by (namespace, pod) ({s.series('k8s_pod_phase', 'kube-state', NS)})"
VOLUME = "namespace, persistentvolumeclaim"
USED = f"max by ({VOLUME}) ({s.series('croft_volume_used_bytes', 'storage', NS)})"
SIZE = f"max by ({VOLUME}) ({s.series('croft_volume_capacity_bytes', 'storage', NS)})"


def _state(metric: str, by: str) -> str:
    return f"max by ({by}) ({s.series(f'k8s_{metric}', 'kube-state', NS)})"


def _count(kinds: str, label: str, metric: str) -> Query:
    return Query(f"count({_state(metric, f'namespace, {label}')}) or vector(0)", kinds)


def _record(name: str) -> str:
    return s.recorded(f"{PREFIX}:{name}", NS)


def _mean(record: str) -> str:
    return s.recorded_mean(f"{PREFIX}:{record}", NS)


def _rate(record: str, rounds: str = workloads.ROUNDS) -> str:
    return s.recorded_rate(f"{PREFIX}:{record}:rate5m", NS, rounds)


def _added(record: str, window: str = s.STEP) -> str:
    return s.recorded_sum(f"{PREFIX}:{record}:increase30s", NS, window)


NOW = Row(
    "Now",
    (
        number_now(
            "CPU share",
            "CPU in use by the chosen namespaces, of all CPU of the cluster.",
            "percentunit",
            Query(f"sum(namespace:cpu_usage_of_cluster:ratio_rate5m{{{NS}}})", "of the cluster"),
            decimals=2,
        ),
        number_now(
            "Memory share",
            "Memory in use by the chosen namespaces, of all memory of the cluster.",
            "percentunit",
            Query(f"sum(namespace:memory_usage_of_cluster:ratio{{{NS}}})", "of the cluster"),
            decimals=2,
        ),
        number_now(
            "Pods running",
            "Pods whose phase is running.",
            "short",
            Query(f"sum({PHASE} == bool 2)", "running"),
            decimals=0,
        ),
        number_now(
            "Pods not running",
            "Pods that are pending, failed or of unknown state.",
            "short",
            Query(f"sum({PHASE} == bool 1) + sum({PHASE} >= bool 4)", "pods"),
            limits=(1, 5),
            decimals=0,
        ),
        number_now(
            "Restarts of containers",
            "How often containers were started again, over the chosen time.",
            "short",
            Query(f"sum({_added('container_restarts', s.RANGE)})", "restarts"),
            limits=(1, 10),
            decimals=0,
        ),
        number_now(
            "Alerts firing",
            "Alerts about the chosen namespaces that are firing.",
            "short",
            Query(f"{s.alerts(ALERTS_NS, '')} or vector(0)", "firing"),
            limits=(1, 10),
            decimals=0,
        ),
        bars(
            "CPU: used, requests, limits",
            "Cores in use by the chosen namespaces, requested and allowed.",
            "short",
            Query(s.cpu(NS, ""), "used"),
            Query(s.reserved("cpu_request", NS, ""), "requested"),
            Query(s.reserved("cpu_limit", NS, ""), "limits"),
            width=8,
            height=6,
        ),
        bars(
            "Memory: used, requests, limits",
            "Memory in use by the chosen namespaces, requested and allowed.",
            "bytes",
            Query(s.memory(NS, ""), "used"),
            Query(s.reserved("memory_request_bytes", NS, ""), "requested"),
            Query(s.reserved("memory_limit_bytes", NS, ""), "limits"),
            width=8,
            height=6,
        ),
        bars(
            "Objects",
            "Number of objects of each kind that runs pods, and of autoscalers and quotas.",
            "short",
            _count("deployments", "deployment", "deployment_desired"),
            _count("stateful sets", "statefulset", "statefulset_desired_pods"),
            _count("daemon sets", "daemonset", "daemonset_desired_scheduled_nodes"),
            _count("jobs", "job_name", "job_active_pods"),
            _count("autoscalers", "hpa", "hpa_current_replicas"),
            _count("quotas", "resourcequota", "resource_quota_used"),
            width=8,
            height=6,
        ),
    ),
)

WORKLOADS = Row(
    "Workloads",
    (
        rows_of(
            "Usage by workload",
            "Each workload with its pods and what it takes. A click opens it.",
            {"namespace": "Namespace", "workload": "Workload"},
            Column("Ready pods", s.ready_pods(NS, WORKLOAD), "short"),
            Column("CPU used", s.cpu(NS, WORKLOAD), "short"),
            Column("CPU requested", s.reserved("cpu_request", NS, WORKLOAD), "short"),
            Column("CPU limits", s.reserved("cpu_limit", NS, WORKLOAD), "short"),
            Column("Memory used", s.memory(NS, WORKLOAD), "bytes"),
            Column("Memory requested", s.reserved("memory_request_bytes", NS, WORKLOAD), "bytes"),
            Column("Memory limits", s.reserved("memory_limit_bytes", NS, WORKLOAD), "bytes"),
            Column("Restarts", _added("container_restarts", s.RANGE), "short", (1, 5)),
            Column("Requests per second", s.requests(NS, WORKLOAD), "reqps"),
            link=TO_WORKLOAD,
        ),
        bars(
            "Quotas: used of hard",
            "How much of each resource of the quota is taken.",
            "percentunit",
            Query(s.quota_ratio(NS, "namespace, resource"), "{{namespace}} {{resource}}"),
            top=1,
            limits=(0.8, 0.95),
            empty="no quota",
            link=TO_PROJECT,
        ),
        rows_of(
            "Alerts of the namespaces",
            "Alerts that are firing. A click opens the workload it is about.",
            {"alertname": "Alert", "severity": "Severity", "namespace": "Namespace", "workload": "Workload"},
            Column("Firing", s.alerts(ALERTS_NS, "alertname, severity, namespace, workload"), "short"),
            width=12,
            height=8,
            link=TO_WORKLOAD,
        ),
    ),
)

RESOURCES = Row(
    "CPU and memory by workload",
    (
        lines(
            "CPU by workload",
            "Cores in use by the pods of each workload.",
            "short",
            Query(_rate("cpu_used_cores"), NAME),
            stack=True,
            link=TO_WORKLOAD,
        ),
        lines(
            "Memory by workload",
            "Memory in use by the pods of each workload.",
            "bytes",
            Query(_record("memory_used_bytes:sum"), NAME),
            stack=True,
            link=TO_WORKLOAD,
        ),
        lines(
            "CPU used of requests",
            "CPU in use as a share of the requests; above 100 % a workload lives on what others leave.",
            "percentunit",
            Query(_mean("cpu_used_of_requests:ratio_rate5m"), NAME),
            link=TO_WORKLOAD,
        ),
        lines(
            "Memory used of limits",
            "Memory in use as a share of the limit, of the container that is nearest to its own; at 100 % it "
            "is ended.",
            "percentunit",
            Query(_record("memory_used_of_limits:ratio"), NAME),
            limits=(0.8, 0.95),
            link=TO_WORKLOAD,
        ),
        lines(
            "CPU throttling by workload",
            "The share of scheduling periods in which CPU limits held containers back.",
            "percentunit",
            Query(_mean("cpu_throttled:ratio_rate5m"), NAME),
            top=1,
            limits=(0.25, 0.5),
            link=TO_WORKLOAD,
        ),
        lines(
            "CPU by namespace, used",
            "Cores in use by each of the chosen namespaces.",
            "short",
            Query(f"sum by (namespace) ({_rate('cpu_used_cores')})", "{{namespace}}"),
            stack=True,
            link=TO_NAMESPACE,
        ),
    ),
)

HEALTH = Row(
    "Health of the workloads",
    (
        lines(
            "Phases of pods",
            "Number of pods in each phase.",
            "short",
            *pods_by_phase(NS),
            stack=True,
            colours=PHASE_COLOURS,
            decimals=0,
        ),
        lines(
            "Classes of service",
            "Pods by quality of service: BestEffort is evicted first, Guaranteed last.",
            "short",
            pods_by_class(NS),
            stack=True,
            decimals=0,
        ),
        lines(
            "Containers that do not run, by workload and reason",
            "Why containers wait or have ended: image not found, crash loop, bad configuration, out of "
            "memory.",
            "short",
            Query(
                s.recorded(f"{PREFIX}_reason:containers_not_running:sum", NS),
                f"{NAME}: {{{{k8s_container_status_reason}}}}",
            ),
            stack=True,
            decimals=0,
            link=TO_WORKLOAD,
        ),
        lines(
            "Replicas missing",
            "Replicas that were asked for and are not available, by workload.",
            "short",
            Query(_record("replicas_missing:sum"), NAME),
            decimals=0,
            link=TO_WORKLOAD,
        ),
        lines(
            "Replicas available",
            "Replicas of each Deployment that are available.",
            "short",
            Query(_state("deployment_available", "namespace, deployment"), "{{namespace}}/{{deployment}}"),
            decimals=0,
            link=TO_DEPLOYMENT,
        ),
        lines(
            "Restarts by workload",
            "Containers that were started again, within each step of the curve.",
            "short",
            Query(_added("container_restarts"), NAME),
            decimals=0,
            link=TO_WORKLOAD,
        ),
        lines(
            "Out of memory by workload",
            "Containers that were ended because they reached their memory limit, within each step of the "
            "curve.",
            "short",
            Query(_added("container_oom_kills"), NAME),
            decimals=0,
            link=TO_WORKLOAD,
        ),
        lines(
            "Autoscalers: replicas of the most allowed",
            "Replicas as a share of the autoscaler's maximum; at 100 % it cannot react to more load.",
            "percentunit",
            Query(
                f"{_state('hpa_current_replicas', 'namespace, hpa')} / "
                f"({_state('hpa_max_replicas', 'namespace, hpa')} > 0)",
                "{{namespace}}/{{hpa}}",
            ),
            top=1,
            link=TO_NAMESPACE,
        ),
    ),
)

TRAFFIC = Row(
    "Requests of the workloads",
    (
        lines(
            "Requests by workload",
            "Requests per second through the ingress.",
            "reqps",
            Query(_rate("requests", requests.ROUNDS), NAME),
            stack=True,
            link=TO_WORKLOAD,
        ),
        lines(
            "Error ratio by workload",
            "The share of requests that were answered with a status of 500 or above.",
            "percentunit",
            Query(_mean("request_errors:ratio_rate5m"), NAME),
            limits=(0.01, 0.05),
            link=TO_WORKLOAD,
        ),
        lines(
            "Latency p95 by workload",
            "95 of 100 requests are answered within this time.",
            "ms",
            Query(_mean("request_latency_ms:p95_rate5m"), NAME),
            link=TO_WORKLOAD,
        ),
    ),
)


def _network(title: str, description: str, metric: str, unit: str) -> Panel:
    return lines(
        title,
        description,
        unit,
        Query(_rate(f"network_receive_{metric}"), f"{NAME} received"),
        Query(_rate(f"network_transmit_{metric}"), f"{NAME} sent"),
        link=TO_WORKLOAD,
    )


NETWORK = Row(
    "Network of the workloads",
    (
        _network(
            "Network traffic by workload", "Bytes per second that pods receive and send.", "bytes", "Bps"
        ),
        _network("Packets by workload", "Packets per second that pods receive and send.", "packets", "pps"),
        _network(
            "Dropped packets by workload", "Packets per second that were dropped.", "packets_dropped", "pps"
        ),
        _network("Network errors by workload", "Broken packets per second.", "errors", "pps"),
    ),
    collapsed=True,
)

STORAGE = Row(
    "Volumes and disk",
    (
        bars(
            "Volumes: used share",
            "How full each volume is.",
            "percentunit",
            Query(f"{USED} / {SIZE}", "{{namespace}}/{{persistentvolumeclaim}}"),
            top=1,
            limits=(0.8, 0.9),
            empty="no volumes",
            link=TO_PROJECT,
        ),
        lines(
            "Volumes: used bytes over time",
            "Bytes in use on each volume.",
            "bytes",
            Query(USED, "{{namespace}}/{{persistentvolumeclaim}}"),
            link=TO_PROJECT,
        ),
        lines(
            "Disk traffic by workload",
            "Bytes per second that containers read and write.",
            "Bps",
            Query(_rate("fs_reads_bytes"), f"{NAME} read"),
            Query(_rate("fs_writes_bytes"), f"{NAME} written"),
            link=TO_WORKLOAD,
        ),
        lines(
            "Disk operations by workload",
            "Reads and writes per second.",
            "ops",
            Query(_rate("fs_reads"), f"{NAME} reads"),
            Query(_rate("fs_writes"), f"{NAME} writes"),
            link=TO_WORKLOAD,
        ),
    ),
)

BOARD = Board(
    uid="croft-namespaces",
    description="The workloads of one or several namespaces, platform and projects alike.",
    variables=(variables.namespace(multi=True),),
    rows=(NOW, WORKLOADS, RESOURCES, HEALTH, TRAFFIC, NETWORK, STORAGE),
)
