"""Requests through the ingress, by workload and by namespace."""

from grafana import series as s
from grafana.recordings.workloads import PREFIX, WORKLOAD
from grafana.rulebook import RATE_WINDOW, Group, Recording

ROUNDS = "cluster:request_rounds:sum"
_FAILED = s.requests("", WORKLOAD, "5", RATE_WINDOW)
_EVERY = f"{PREFIX}:requests:rate5m"
_ERRORS = f"{PREFIX}:request_errors:rate5m"


def _latency(by: str, name: str, share: float) -> Recording:
    # Nobody's requests have no latency (NaN); means are made of the others.
    expression = f"{s.latency(share, '', by, RATE_WINDOW)} >= 0"
    return Recording(f"{name}:request_latency_ms:p{share * 100:.0f}_rate5m", expression)


GROUP = Group(
    "requests",
    (
        Recording(ROUNDS, "vector(1)"),
        Recording(_EVERY, s.requests("", WORKLOAD, window=RATE_WINDOW)),
        Recording(_ERRORS, f"{_FAILED} or 0 * {_EVERY}"),
        Recording(f"{PREFIX}:request_errors:ratio_rate5m", f"{_ERRORS} / ({_EVERY} > 0)"),
        Recording(
            "namespace:request_errors:ratio_rate5m",
            f"sum by (namespace) ({_ERRORS}) / (sum by (namespace) ({_EVERY}) > 0)",
        ),
        *(_latency(WORKLOAD, PREFIX, share) for share in (0.5, 0.95, 0.99)),
        _latency("namespace", "namespace", 0.95),
    ),
    interval="1m",
)
