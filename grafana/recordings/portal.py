"""The portal's answers and jobs."""

from grafana import series as s
from grafana.rulebook import RATE_WINDOW, Group, Recording


def _quantile(record: str, metric: str, share: float, by: str = "") -> Recording:
    # Nothing in this time has no quantile (NaN).
    expression = f"{s.quantile(share, f'croft_{metric}', 'portal', by, window=RATE_WINDOW)} >= 0"
    return Recording(f"{by or 'cluster'}:{record}:p{share * 100:.0f}_rate5m", expression)


GROUP = Group(
    "portal",
    (
        Recording(
            "endpoint_status:croft_http_requests:rate5m",
            f"sum by (endpoint, status) ({s.rate('croft_http_requests_total', 'portal', '', RATE_WINDOW)})",
        ),
        *(
            _quantile("croft_http_latency_seconds", "http_request_duration_seconds", share)
            for share in (0.5, 0.95, 0.99)
        ),
        _quantile("croft_http_latency_seconds", "http_request_duration_seconds", 0.95, "endpoint"),
        *(_quantile("croft_job_wait_seconds", "job_wait_seconds", share) for share in (0.5, 0.95)),
        *(
            _quantile("croft_job_duration_seconds", "job_duration_seconds", share, "kind")
            for share in (0.5, 0.95)
        ),
    ),
)
