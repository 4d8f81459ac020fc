"""What is counted and measured while the portal works; one registry for the whole process.

Labels take few values: an endpoint is Flask's name for it, never the path, which holds what users type.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

# When a counter began is of no use to Prometheus, and would double the number of series.
disable_created_metrics()

REGISTRY = CollectorRegistry()

HTTP_REQUESTS = Counter(
    "croft_http_requests", "Requests that were answered", ("method", "endpoint", "status"), registry=REGISTRY
)
HTTP_DURATION = Histogram(
    "croft_http_request_duration_seconds",
    "Time until the answer's first byte; WebSockets do not count",
    ("method", "endpoint"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
SIGN_INS = Counter("croft_sign_ins", "Attempts to sign in", ("result",), registry=REGISTRY)
JOB_DURATION = Histogram(
    "croft_job_duration_seconds",
    "Time from the start of a job's last attempt to its end",
    ("kind", "result"),
    buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800),
    registry=REGISTRY,
)
JOB_WAIT = Histogram(
    "croft_job_wait_seconds",
    "Time that a job waited for a worker",
    ("kind",),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900),
    registry=REGISTRY,
)
NOTIFICATIONS = Counter(
    "croft_notifications",
    "Attempts to deliver a notification: delivered, retried (will be tried again) or failed for good",
    ("channel", "result"),
    registry=REGISTRY,
)

# From the start, so that the first of them is seen as a rise from zero.
for _result in ("succeeded", "failed", "throttled"):
    SIGN_INS.labels(_result)
