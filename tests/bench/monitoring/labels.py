"""What a metric's name tells about its series: labels beside those of its job, bounds, how values grow."""

import re
from typing import TypeAlias

# (pattern of the metric, the values of each label): every combination is one series.
Table: TypeAlias = tuple[tuple[str, dict[str, tuple[str, ...]]], ...]

# Histograms' upper bounds: those of client libraries, and Envoy's own in milliseconds.
SECONDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "+Inf")
MILLISECONDS = (
    "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "30000",
    "60000", "300000", "600000", "1800000", "3600000", "+Inf",
)  # fmt: skip
COUNTER = re.compile(
    r"_(total|sum|count|bucket)$|^node_(netstat|vmstat)_.*[a-z]$|^container_cpu_cfs_.*periods"
    r"|^envoy_(?!.*(active|live|memory|uptime|state|membership|days))"
)
CONSTANT = re.compile(
    r"(_request|_limit|_request_bytes|_limit_bytes|_phase|_desired.*|_available|_ready|_info|_capacity_bytes"
    r"|_time_seconds|_size_bytes|MemTotal_bytes|condition.*|allocatable.*|_live|_replicas|restarts)$"
    r"|^(up|machine_.*|container_spec_.*)$"
)
ONE = re.compile(r"_ready$|_live$|_info$|^up$|_replicas$|_desired|_available$")
RUNNING = 2  # a pod's phase, as the OpenTelemetry collector counts them

VERBS = ("GET", "LIST", "WATCH", "POST", "PUT", "PATCH", "DELETE")
KINDS = ("pods", "nodes", "secrets", "configmaps", "services", "deployments", "leases", "events")
_SCOPES = ("resource", "namespace", "cluster")
ENDPOINTS = tuple(f"area{number % 12}.view{number}" for number in range(60))
MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
JOB_KINDS = tuple(
    f"{what}.{how}"
    for what in ("project", "application", "catalog", "archive")
    for how in ("create", "update", "delete")
)

REASONS = ("", "CrashLoopBackOff", "ImagePullBackOff", "OOMKilled", "Completed", "Error")

QOS_CLASSES = ("BestEffort", "Burstable", "Guaranteed")
QUOTA = (
    "requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods", "requests.storage",
    "persistentvolumeclaims",
)  # fmt: skip
NODE: Table = (
    ("^node_cpu_seconds", {"cpu": tuple("01234567"), "mode": MODES}),
    (
        "^node_filesystem",
        {"device": ("/dev/sda1",), "fstype": ("ext4",), "mountpoint": ("/", "/var/lib/containerd")},
    ),
    ("^node_network", {"device": ("eth0", "cilium_vxlan")}),
    ("^node_disk", {"device": ("sda",)}),
    ("^node_uname_info", {"release": ("6.12.1",), "machine": ("x86_64",), "sysname": ("Linux",)}),
)
CONTAINER: Table = (
    ("^container_network", {"interface": ("eth0",)}),
    ("^container_fs|^container_blkio", {"device": ("/dev/sda",)}),
    (
        "^container_memory_failures",
        {"failure_type": ("pgfault", "pgmajfault"), "scope": ("container", "hierarchy")},
    ),
)
STATE: Table = (("^k8s_container_status_reason", {"k8s_container_status_reason": REASONS}),)
ENVOY: Table = (
    ("_rq_xx$", {"envoy_response_code_class": ("2", "4", "5")}),
    ("_upstream_rq$", {"envoy_response_code": ("200", "404", "503")}),
)
# Of a process: of the control plane, of the platform, of monitoring.
PROCESS: Table = (
    (
        "^apiserver_request_total",
        {"verb": VERBS, "resource": KINDS, "scope": _SCOPES, "code": ("200", "404", "500")},
    ),
    ("^apiserver_request_", {"verb": VERBS, "resource": KINDS, "scope": _SCOPES}),
    ("^apiserver_current_inflight", {"request_kind": ("mutating", "readOnly")}),
    ("^apiserver_(storage_objects|resource_objects)", {"resource": KINDS}),
    ("^workqueue_", {"name": ("deployment", "replicaset", "namespace", "endpoint", "job", "node")}),
    ("^scheduler_(pending_pods|queue)", {"queue": ("active", "backoff", "gated", "unschedulable")}),
    ("^scheduler_(schedule|pod)", {"result": ("scheduled", "unschedulable", "error")}),
    ("^rest_client_requests", {"code": ("200", "201", "409"), "method": ("GET", "POST", "PUT")}),
    ("^coredns_dns_re", {"type": ("A", "AAAA", "other"), "rcode": ("NOERROR", "NXDOMAIN", "SERVFAIL")}),
    ("^coredns_cache", {"type": ("denial", "success")}),
    (
        "^kubelet_runtime_operations",
        {"operation_type": ("create_container", "start_container", "container_status", "pull_image")},
    ),
    ("^croft_jobs$", {"state": ("queued", "running", "succeeded", "failed", "cancelled", "blocked")}),
    ("^croft_job_oldest", {"state": ("queued", "running")}),
    ("^croft_job_(duration|wait)", {"kind": JOB_KINDS, "result": ("succeeded", "failed")}),
    ("^croft_sign_ins", {"result": ("succeeded", "refused", "throttled")}),
    (
        "^croft_http_requests",
        {"method": ("GET", "POST"), "endpoint": ENDPOINTS, "status": ("200", "404", "500")},
    ),
    ("^croft_http", {"method": ("GET", "POST"), "endpoint": ENDPOINTS}),
    ("^croft_notifications", {"channel": ("email", "webhook"), "result": ("sent", "failed")}),
    ("^prometheus_rule_", {"rule_group": ("containers", "nodes", "alerts")}),
    ("^prometheus_engine", {"slice": ("inner_eval", "queue_time"), "quantile": ("0.5", "0.9")}),
    ("^prometheus_target_", {"scrape_job": ("cadvisor", "node", "kube-state", "envoy")}),
    ("^alertmanager_notifications", {"integration": ("webhook", "email")}),
)


def kind(metric: str) -> str:
    """Return how a metric's values go on: counter, constant or gauge."""
    if COUNTER.search(metric):
        return "counter"
    return "constant" if CONSTANT.search(metric) else "gauge"
