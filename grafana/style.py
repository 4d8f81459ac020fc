"""What a query has to keep to beside being PromQL. Each check gives sentences, none when all is well."""

from __future__ import annotations

import re

from grafana.promql import Selector, selectors
from grafana.series import RANGE, STEP, WINDOW

RATES = frozenset({"rate", "irate", "increase"})
_RANGES = (WINDOW, RANGE)
DIFFERENCES = frozenset({"delta", "deriv", "predict_linear"})
_COUNTER = re.compile(r"_(total|count|sum|bucket)$")
# Counters whose names do not say so.
_COUNTERS = frozenset(
    {
        "envoy_cluster_upstream_rq",
        "envoy_cluster_upstream_rq_xx",
        "envoy_cluster_upstream_rq_retry",
        "envoy_cluster_upstream_rq_timeout",
        "envoy_cluster_upstream_rq_pending_overflow",
        "envoy_cluster_upstream_cx_connect_fail",
        "envoy_http_downstream_rq_xx",
        "envoy_listener_ssl_connection_error",
        "kubelet_certificate_manager_client_expiration_renew_errors",
        "kubelet_server_expiration_renew_errors",
        "node_netstat_Tcp_OutSegs",
        "node_netstat_Tcp_RetransSegs",
        "node_vmstat_oom_kill",
        "node_vmstat_pgmajfault",
    }
)
# Prometheus writes these itself; a recorded series (with a colon) has pinned its job in its rule.
_WITHOUT_JOB = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def is_counter(metric: str) -> bool:
    return metric in _COUNTERS or bool(_COUNTER.search(metric))


def query_faults(expression: str, *, dashboard: bool, tenant: bool = False) -> list[str]:
    """Faults of one expression; a dashboard's holds no fixed range, a tenant's names the namespace."""
    faults = []
    for selector in selectors(expression):
        if (
            selector.metric not in _WITHOUT_JOB
            and ":" not in selector.metric
            and "job" not in selector.matchers
        ):
            faults.append(f"{selector.metric} does not say which job= it is scraped by")
        if tenant and selector.matchers.get("namespace") != "$namespace":
            faults.append(
                f'{selector.metric} does not say namespace="$namespace", which members\' queries have to'
            )
        faults += _range_faults(selector, dashboard)
    return faults


def _range_faults(selector: Selector, dashboard: bool) -> list[str]:
    faults = []
    if selector.function in RATES and not is_counter(selector.metric):
        faults.append(f"{selector.function}() over {selector.metric}, which is a gauge")
    if selector.function in DIFFERENCES and is_counter(selector.metric):
        faults.append(f"{selector.function}() over {selector.metric}, which is a counter")
    # What a rule has counted is added up over each step alone; rates need more than that.
    fit = (*_RANGES, STEP) if ":" in selector.metric else _RANGES
    if dashboard and selector.range and not selector.range.startswith(fit):
        faults.append(f"{selector.metric}[{selector.range}] has a fixed range; use $__rate_interval")
    return faults
