"""Application: requests, errors, latency, and usage beside what was asked for. Members read it."""

from grafana import series as s
from grafana import variables
from grafana.board import Annotation, Board, Row
from grafana.links import TO_POD
from grafana.panels import STATUS_COLOURS, Column, Query, bars, dial, lines, number_now, rows_of
from grafana.series import RANGE

APP = 'namespace="$namespace", workload="$application"'
NAMED = 'namespace="$namespace", {kind}="$application"'


def _workload(deployment: str, statefulset: str, daemonset: str) -> str:
    """A number of whichever kind of workload the application is."""
    kinds = (("deployment", deployment), ("statefulset", statefulset), ("daemonset", daemonset))
    return " or ".join(
        f"max({s.series(f'k8s_{kind}_{metric}', 'kube-state', NAMED.format(kind=kind))})"
        for kind, metric in kinds
    )


DESIRED = _workload("desired", "desired_pods", "desired_scheduled_nodes")
READY = _workload("available", "ready_pods", "ready_nodes")

NOW = Row(
    "Now",
    (
        number_now(
            "Ready replicas",
            "Replicas that can take requests, beside the number that was asked for.",
            "short",
            Query(READY, "ready"),
            Query(DESIRED, "desired"),
            decimals=0,
        ),
        number_now(
            "Availability",
            "The average share of the wanted replicas that were ready, over the chosen time. "
            "Each start counts, the first one too.",
            "percentunit",
            Query(
                f"avg_over_time(namespace_workload:replicas_available:ratio{{{APP}}}[{RANGE}])", "available"
            ),
            decimals=2,
            limits=(0.99, 0.95),
            empty="no replicas",
        ),
        number_now(
            "Requests now",
            "Requests per second that reach the application through the ingress.",
            "reqps",
            Query(s.requests(APP, ""), "requests"),
            empty="no requests",
        ),
        number_now(
            "Errors now",
            "The share of requests that were answered with a status of 500 or above.",
            "percentunit",
            Query(s.error_ratio(APP, ""), "errors"),
            limits=(0.01, 0.05),
            decimals=2,
            empty="no requests",
        ),
        number_now(
            "Restarts in this time",
            "How often containers of the application were started again, over the chosen time.",
            "short",
            Query(s.restarts(APP, "", RANGE), "restarts"),
            limits=(1, 5),
            decimals=0,
        ),
        number_now(
            "Alerts now",
            "Alerts about this application that are firing.",
            "short",
            Query(f"{s.alerts(APP, '')} or vector(0)", "alerts"),
            limits=(1, 1),
            decimals=0,
        ),
        dial(
            "CPU of its requests",
            "CPU in use as a share of the CPU that the application has reserved. Above 100 % it lives on "
            "what others leave.",
            Query(f"{s.cpu(APP, '')} / ({s.reserved('cpu_request', APP, '')} > 0)", "of requests"),
            limits=(0.9, 1),
            empty="no request",
        ),
        dial(
            "CPU of its limits",
            "CPU in use as a share of the limit. At 100 % the kernel holds the application back.",
            Query(f"{s.cpu(APP, '')} / ({s.reserved('cpu_limit', APP, '')} > 0)", "of limits"),
            empty="no limit",
        ),
        dial(
            "Memory of its requests",
            "Memory in use as a share of what the application has reserved.",
            Query(
                f"{s.memory(APP, '')} / ({s.reserved('memory_request_bytes', APP, '')} > 0)", "of requests"
            ),
            limits=(0.9, 1),
            empty="no request",
        ),
        dial(
            "Memory of its limits",
            "Memory in use as a share of the limit. At 100 % a container is ended (OOM).",
            Query(f"{s.memory(APP, '')} / ({s.reserved('memory_limit_bytes', APP, '')} > 0)", "of limits"),
            empty="no limit",
        ),
        number_now(
            "Out of memory in this time",
            "How often a container was ended because it ran out of memory, over the chosen time.",
            "short",
            Query(f"{s.oom_kills(APP, '', RANGE)} or vector(0)", "ended"),
            limits=(1, 1),
            decimals=0,
        ),
        number_now(
            "Latency p95 now",
            "95 of 100 requests are answered within this time.",
            "ms",
            Query(s.latency(0.95, APP, ""), "p95"),
            empty="no requests",
        ),
    ),
)

REQUESTS = Row(
    "Requests, errors and latency",
    (
        lines(
            "Requests by status class",
            "Requests per second through the ingress, by the first digit of the answer's status.",
            "reqps",
            Query(s.requests(APP, "envoy_response_code_class"), "{{envoy_response_code_class}}xx"),
            stack=True,
            colours=STATUS_COLOURS,
        ),
        lines(
            "Error ratio",
            "The share of requests that were answered with a status of 500 or above.",
            "percentunit",
            Query(s.error_ratio(APP, ""), "errors"),
            limits=(0.01, 0.05),
        ),
        lines(
            "Latency",
            "The time within which 50, 95 and 99 of 100 requests are answered, measured by the ingress.",
            "ms",
            *(Query(s.latency(share, APP, ""), f"p{share * 100:.0f}") for share in (0.5, 0.95, 0.99)),
        ),
        lines(
            "Requests in flight",
            "Requests that the ingress has sent and that are not answered yet.",
            "short",
            Query(f"sum({s.series('envoy_cluster_upstream_rq_active', 'envoy', APP)})", "in flight"),
        ),
        lines(
            "Requests by status",
            "Requests per second by the exact status of the answer.",
            "reqps",
            Query(
                s.grouped("sum", "envoy_response_code", s.rate("envoy_cluster_upstream_rq", "envoy", APP)),
                "{{envoy_response_code}}",
            ),
            stack=True,
        ),
        lines(
            "Connection failures, timeouts and retries",
            "What goes wrong between the ingress and the application, per second.",
            "ops",
            *(
                Query(f"sum({s.rate(f'envoy_cluster_upstream_{metric}', 'envoy', APP)})", legend)
                for metric, legend in (
                    ("cx_connect_fail", "connection refused"),
                    ("rq_timeout", "timed out"),
                    ("rq_retry", "retried"),
                    ("rq_pending_overflow", "turned away"),
                )
            ),
        ),
    ),
)


def _beside(usage: str, kind: str) -> tuple[Query, ...]:
    """Usage beside requests and limits."""
    return (
        Query(usage, "used"),
        Query(s.reserved(kind.format("request"), APP, ""), "requests"),
        Query(s.reserved(kind.format("limit"), APP, ""), "limits"),
    )


RESOURCES = Row(
    "CPU and memory",
    (
        lines(
            "CPU beside requests and limits",
            "CPU in use in cores, beside what is reserved and what is allowed at most.",
            "short",
            *_beside(s.cpu(APP, ""), "cpu_{}"),
        ),
        lines(
            "Memory beside requests and limits",
            "Memory in use, beside what is reserved and what is allowed at most.",
            "bytes",
            *_beside(s.memory(APP, ""), "memory_{}_bytes"),
        ),
        lines(
            "CPU by pod",
            "CPU in use by each pod, in cores.",
            "short",
            Query(s.cpu(APP, "pod"), "{{pod}}"),
            stack=True,
            link=TO_POD,
        ),
        lines(
            "Memory by pod",
            "Memory in use by each pod.",
            "bytes",
            Query(s.memory(APP, "pod"), "{{pod}}"),
            stack=True,
            link=TO_POD,
        ),
        lines(
            "CPU throttling by pod",
            "The share of scheduling periods in which the CPU limit held the pod back. Empty without a "
            "CPU limit.",
            "percentunit",
            Query(s.throttling(APP, "pod"), "{{pod}}"),
            top=1,
            limits=(0.25, 0.5),
            link=TO_POD,
        ),
        lines(
            "Memory by kind",
            "What the memory is used for: the processes' own (rss), cached files, swap.",
            "bytes",
            *(
                Query(s.container_value(f"container_memory_{kind}", APP, ""), kind)
                for kind in ("rss", "cache", "swap")
            ),
        ),
    ),
)

HEALTH = Row(
    "Replicas, restarts and out of memory",
    (
        lines(
            "Ready of desired replicas",
            "Replicas that are ready beside those that were asked for.",
            "short",
            Query(READY, "ready"),
            Query(DESIRED, "desired"),
            decimals=0,
        ),
        lines(
            "Containers that do not run, by reason",
            "Why containers wait or have ended: image not found, crash loop, bad configuration, out of "
            "memory.",
            "short",
            Query(s.waiting(APP, "k8s_container_status_reason"), "{{k8s_container_status_reason}}"),
            stack=True,
            decimals=0,
        ),
        lines(
            "Restarts by pod",
            "Containers that were started again, within each step of the curve.",
            "short",
            Query(s.restarts(APP, "pod"), "{{pod}}"),
            decimals=0,
            link=TO_POD,
        ),
        lines(
            "Out of memory by pod",
            "Containers that were ended because they reached their memory limit, within each step of the "
            "curve.",
            "short",
            Query(s.oom_kills(APP, "pod"), "{{pod}}"),
            decimals=0,
            link=TO_POD,
        ),
    ),
)

NETWORK_AND_DISK = Row(
    "Network, disk and volumes",
    (
        lines(
            "Network traffic",
            "Bytes per second that the pods receive and send.",
            "Bps",
            Query(s.container_rate("container_network_receive_bytes_total", APP, ""), "received"),
            Query(s.container_rate("container_network_transmit_bytes_total", APP, ""), "sent"),
        ),
        lines(
            "Network errors and drops",
            "Packets per second that were dropped or broken.",
            "pps",
            *(
                Query(s.container_rate(f"container_network_{way}_{what}_total", APP, ""), f"{way} {what}")
                for way in ("receive", "transmit")
                for what in ("errors", "packets_dropped")
            ),
        ),
        lines(
            "Disk traffic",
            "Bytes per second that the containers read from and write to disks.",
            "Bps",
            Query(s.container_rate("container_fs_reads_bytes_total", APP, ""), "read"),
            Query(s.container_rate("container_fs_writes_bytes_total", APP, ""), "written"),
        ),
        lines(
            "Disk operations",
            "Reads and writes per second.",
            "ops",
            Query(s.container_rate("container_fs_reads_total", APP, ""), "reads"),
            Query(s.container_rate("container_fs_writes_total", APP, ""), "writes"),
        ),
        bars(
            "Volumes: used of capacity",
            "How full each volume of the application is.",
            "percentunit",
            Query(
                f"max by (persistentvolumeclaim) ({s.series('croft_volume_used_bytes', 'storage', APP)}) / "
                f"max by (persistentvolumeclaim) ({s.series('croft_volume_capacity_bytes', 'storage', APP)})",
                "{{persistentvolumeclaim}}",
            ),
            top=1,
            limits=(0.8, 0.9),
            empty="no volumes",
        ),
        lines(
            "Volumes: used bytes",
            "Bytes in use on each volume of the application.",
            "bytes",
            Query(
                f"max by (persistentvolumeclaim) ({s.series('croft_volume_used_bytes', 'storage', APP)})",
                "{{persistentvolumeclaim}}",
            ),
        ),
    ),
)

PODS = Row(
    "Pods of the application",
    (
        rows_of(
            "Pods",
            "Each pod with its state and what it takes. A click opens the pod.",
            {"pod": "Pod"},
            Column("Ready", s.ready_pods(APP, "pod"), "short", words={1: ("yes", "green"), 0: ("no", "red")}),
            Column("Restarts", s.restarts(APP, "pod", RANGE), "short", (1, 5)),
            Column("CPU used", s.cpu(APP, "pod"), "short"),
            Column("CPU requested", s.reserved("cpu_request", APP, "pod"), "short"),
            Column("Memory used", s.memory(APP, "pod"), "bytes"),
            Column("Memory requested", s.reserved("memory_request_bytes", APP, "pod"), "bytes"),
            Column("Memory limit", s.reserved("memory_limit_bytes", APP, "pod"), "bytes"),
            link=TO_POD,
        ),
    ),
)

_REPLICASETS = s.series(
    "k8s_replicaset_desired", "kube-state", 'namespace="$namespace", replicaset=~"$application-[a-z0-9]+"'
)

BOARD = Board(
    uid="croft-application",
    description="How one application does: requests, errors, latency, resources against requests and limits.",
    variables=(variables.namespace(), variables.application()),
    # A replica set that is wanted now and was not a moment ago: a new revision's pods, or an old one's after
    # a rollback.
    annotations=(
        Annotation(
            "Revisions",
            f"max by (replicaset) ({_REPLICASETS}) > 0 "
            f"unless max by (replicaset) ({_REPLICASETS} offset $__rate_interval) > 0",
            "Revision",
            "{{replicaset}}",
        ),
    ),
    rows=(NOW, REQUESTS, RESOURCES, HEALTH, NETWORK_AND_DISK, PODS),
)
