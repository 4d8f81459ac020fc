"""Expressions over the cluster's series, shared by dashboards and rules.

`where` is label matchers in PromQL's own form, like `namespace="$namespace"`; `by` the labels of the result,
like `"pod"` (empty: one number). `window` is the range of rates: Grafana's macro in dashboards, a duration in
rules. Every series is counted once however many scrapers report it: `max` by its names comes before `sum`.
"""

from __future__ import annotations

WINDOW = "$__rate_interval"
RANGE = "$__range"

_CONTAINER = "namespace, workload, pod, container"
_OWN_LABELS = {"fs": f"{_CONTAINER}, device", "network": "namespace, workload, pod, interface"}

# A container that has done its work does not wait.
NOT_DONE = 'k8s_container_status_reason!="Completed"'

# Projects may not take these names (webapp/schemas.py), so alerts of their pods are the operator's.
PLATFORM = "default|croft|(kube|croft)-.+"


def grouped(operation: str, by: str, expression: str) -> str:
    """`operation by (by) (expression)`, without an empty `by`."""
    return f"{operation} by ({by}) ({expression})" if by else f"{operation}({expression})"


def also(where: str, matcher: str) -> str:
    """The matchers and one more."""
    return f"{where}, {matcher}" if where else matcher


def series(metric: str, job: str, where: str = "") -> str:
    """A selector that names the scrape job."""
    pinned = f'job="{job}"'
    return f"{metric}{{{also(pinned, where) if where else pinned}}}"


def rate(metric: str, job: str, where: str = "", window: str = WINDOW) -> str:
    return f"rate({series(metric, job, where)}[{window}])"


def recorded(record: str, where: str = "") -> str:
    """What a rule has recorded: its last value before each step."""
    return f"{record}{{{where}}}" if where else record


def recorded_mean(record: str, where: str = "", window: str = WINDOW) -> str:
    """The mean over each step of a rate that a rule has recorded, so that wide steps skip nothing."""
    return f"avg_over_time({recorded(record, where)}[{window}])"


def recorded_sum(record: str, where: str = "", window: str = WINDOW) -> str:
    """What was counted within the window, where a rule records how much was added in each of its rounds."""
    return f"sum_over_time({recorded(record, where)}[{window}])"


def _own(by: str, labels: str = _CONTAINER) -> str:
    """What names a container's series; its node as well where the result is to tell it."""
    return f"{labels}, node" if "node" in by.split(", ") else labels


def container_rate(metric: str, where: str, by: str, window: str = WINDOW) -> str:
    """A counter of cAdvisor per second."""
    own = _own(by, _OWN_LABELS.get(metric.split("_")[1], _CONTAINER))
    once = f"max by ({own}) ({rate(metric, 'cadvisor', where, window)})"
    return grouped("sum", by, once)


def container_value(metric: str, where: str, by: str) -> str:
    """A gauge of cAdvisor."""
    return grouped("sum", by, f"max by ({_own(by)}) ({series(metric, 'cadvisor', where)})")


def cpu(where: str, by: str, window: str = WINDOW) -> str:
    """CPU in use, in cores."""
    return container_rate("container_cpu_usage_seconds_total", where, by, window)


def memory(where: str, by: str) -> str:
    """The working set in bytes: what counts against the limit and cannot be dropped."""
    return container_value("container_memory_working_set_bytes", where, by)


def throttling(where: str, by: str, window: str = WINDOW) -> str:
    """The share of scheduling periods in which a CPU limit held containers back; nothing without a limit."""
    held = container_rate("container_cpu_cfs_throttled_periods_total", where, by, window)
    periods = container_rate("container_cpu_cfs_periods_total", where, by, window)
    return f"{held} / ({periods} > 0)"


def reserved(metric: str, where: str, by: str) -> str:
    """Requests or limits (`cpu_request`, `memory_limit_bytes`, ...) of pods that have not ended."""
    running = f"max by (namespace, pod) ({series('k8s_pod_phase', 'kube-state', _of_pods(where))}) <= 2"
    once = f"max by ({_own(by)}) ({series(f'k8s_container_{metric}', 'kube-state', where)})"
    return grouped("sum", by, f"{once} and on (namespace, pod) {running}")


def _of_pods(where: str) -> str:
    """The matchers that hold for pods as well as for containers."""
    return ", ".join(part for part in where.split(", ") if not part.startswith("container"))


def ready_pods(where: str, by: str) -> str:
    """The number of pods whose containers are all ready."""
    ready = f"min by (namespace, workload, pod) ({series('k8s_container_ready', 'kube-state', where)})"
    return grouped("sum", by, ready)


def restarts(where: str, by: str, window: str = WINDOW) -> str:
    """Restarts within the window. The receiver gives them as a gauge that can fall, hence no rate()."""
    return grouped("sum", by, _restarts(where, window))


def _restarts(where: str, window: str) -> str:
    of = f"{series('k8s_container_restarts', 'kube-state', where)}[{window}]"
    highest = f"max by ({_CONTAINER}) (max_over_time({of}))"
    lowest = f"min by ({_CONTAINER}) (min_over_time({of}))"
    return f"{highest} - {lowest}"


def oom_kills(where: str, by: str, window: str = WINDOW) -> str:
    """Restarts within the window of containers that ended last because they ran out of memory."""
    return grouped("sum", by, _of_killed(f"({_restarts(where, window)})", where))


def new_restarts(by: str, since: str, killed: bool = False) -> str:
    """Restarts since a round of rules ago (`since`), of all containers or of those out of memory (`killed`).

    Rounds follow each other at that distance, so that each restart is in exactly one of them, also when a
    scrape or Prometheus itself was missing for some minutes. A pod that takes another one's name starts at 0.
    """
    now = f"max by ({_CONTAINER}) ({series('k8s_container_restarts', 'kube-state')})"
    before = f"last_over_time({series('k8s_container_restarts', 'kube-state')}[5m] offset {since})"
    new = f"clamp_min({now} - max by ({_CONTAINER}) ({before}), 0)"
    return grouped("sum", by, _of_killed(new, "") if killed else new)


def _of_killed(restarts: str, where: str) -> str:
    reason = 'k8s_container_status_last_terminated_reason="OOMKilled"'
    killed = series("k8s_container_restarts", "kube-state", also(where, reason))
    return f"{restarts} and on ({_CONTAINER}) {killed}"


def waiting(where: str, by: str) -> str:
    """Containers that wait or have ended, with the reason in the label k8s_container_status_reason."""
    own = f"{_CONTAINER}, k8s_container_status_reason"
    stopped = series("k8s_container_status_reason", "kube-state", also(where, NOT_DONE))
    return grouped("sum", by, f"max by ({own}) ({stopped}) > 0")


def requests(where: str, by: str, classes: str = "", window: str = WINDOW) -> str:
    """Requests per second that Envoy sent on; `classes` is a regular expression of status classes."""
    matchers = also(where, f'envoy_response_code_class=~"{classes}"') if classes else where
    return grouped("sum", by, rate("envoy_cluster_upstream_rq_xx", "envoy", matchers, window))


def error_ratio(where: str, by: str, window: str = WINDOW) -> str:
    """The share of requests answered with 5xx: 0 where there were none, nothing where nobody asked."""
    every = requests(where, by, window=window)
    return f"({requests(where, by, '5', window)} or 0 * {every}) / ({every} > 0)"


def latency(share: float, where: str, by: str, window: str = WINDOW) -> str:
    """The time in milliseconds within which this share of requests was answered."""
    return quantile(share, "envoy_cluster_upstream_rq_time", "envoy", by, where, window)


def quantile(
    share: float, buckets: str, job: str, by: str = "", where: str = "", window: str = WINDOW
) -> str:
    """The value that this share of a histogram's observations lies below; `buckets` without its `_bucket`."""
    names = f"le, {by}" if by else "le"
    counted = grouped("sum", names, rate(f"{buckets}_bucket", job, where, window))
    return f"histogram_quantile({share}, {counted})"


def quota_ratio(where: str, by: str) -> str:
    """Used of hard for each resource of quotas."""
    used = series("k8s_resource_quota_used", "kube-state", where)
    hard = series("k8s_resource_quota_hard_limit", "kube-state", where)
    return f"max by ({by}) ({used}) / (max by ({by}) ({hard}) > 0)"


def alerts(where: str, by: str) -> str:
    """Firing alerts. Prometheus writes this series itself, so it has no scrape job."""
    return grouped("sum", by, f'ALERTS{{alertstate="firing", {where}}}')
