"""Expressions over the cluster's series, shared by dashboards and rules.

`where` is label matchers in PromQL's own form, like `namespace="$namespace"`; `by` the labels of the result,
like `"pod"` (empty: one number). `window` is the range of rates: Grafana's macro in dashboards, a duration in
rules. Every series is counted once however many scrapers report it: `max` by its names comes before `sum`.
"""

from __future__ import annotations

WINDOW = "$__rate_interval"
STEP = "$__interval"
RANGE = "$__range"

CONTAINER = "namespace, workload, pod, container"
_OWN_LABELS = {"fs": f"{CONTAINER}, device", "network": "namespace, workload, pod, interface"}
# Projects may not take these names (webapp/schemas.py), so alerts of their pods are the operator's.
PLATFORM = "default|croft|(kube|croft)-.+"
# Seconds between two rounds of a group of rules, and until a scrape has surely ended (its limit is 10).
ROUND_S = 30
_SETTLED_S = 15
# What new_restarts() records for each container.
RESTARTS = "namespace_pod_container:container_restarts:increase30s"
OOM_KILLS = "namespace_pod_container:container_oom_kills:increase30s"

# A container that has done its work does not wait.
NOT_DONE = 'k8s_container_status_reason!="Completed"'


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


def recorded_rate(record: str, where: str, rounds: str) -> str:
    """The mean over each step, where what was not there counts as nothing, so that it may be added up.

    `rounds` is 1 in each round of the rule: a Job of a minute is a sixtieth of an hour's step.
    """
    return f"sum_over_time({recorded(record, where)}[{WINDOW}]) / scalar(sum_over_time({rounds}[{WINDOW}]))"


def recorded_sum(record: str, where: str = "", window: str = STEP) -> str:
    """What was counted within the window, where a rule records how much was added in each of its rounds.

    Windows as long as the steps between them count each round once.
    """
    return f"sum_over_time({recorded(record, where)}[{window}])"


def _own(by: str, labels: str = CONTAINER) -> str:
    """What names a container's series; its node as well where the result is to tell it."""
    return f"{labels}, node" if "node" in by.split(", ") else labels


def container_rate(metric: str, where: str, by: str, window: str = WINDOW) -> str:
    """A counter of cAdvisor per second."""
    own = _own(by, _OWN_LABELS.get(metric.split("_")[1], CONTAINER))
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


def largest(count: int, over_range: str, metric: str, where: str, by: str) -> str:
    """The largest of cAdvisor's series over the whole time that is shown, the same ones at each step.

    `over_range`: rate for a counter, avg_over_time for a gauge.
    """
    once = f"max by ({_own('node')}) ({over_range}({series(metric, 'cadvisor', where)}[{RANGE}] @ end()))"
    return f"topk({count}, {grouped('sum', by, once)})"


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


def restarts(where: str, by: str, window: str = STEP) -> str:
    """Restarts within the window."""
    return grouped("sum", by, recorded_sum(RESTARTS, where, window))


def oom_kills(where: str, by: str, window: str = STEP) -> str:
    """Restarts within the window of containers that ended last because they ran out of memory."""
    return grouped("sum", by, recorded_sum(OOM_KILLS, where, window))


def new_restarts(killed: bool = False) -> str:
    """Restarts since the last round of rules, of all containers or of those out of memory (`killed`).

    The receiver gives them as a gauge that can fall, hence no rate(). Both moments lie so far back that the
    scrapes before them have been stored, else a scrape that is under way at each round would hide every
    restart. Each restart is in exactly one round, also when a scrape or Prometheus itself was missing for
    some minutes. A pod that takes another one's name brings none.
    """
    now = series("k8s_container_restarts", "kube-state") + f" offset {_SETTLED_S}s"
    then = f"offset {_SETTLED_S + ROUND_S}s"
    last = series("k8s_container_restarts", "kube-state")
    before = (
        f"(max by ({CONTAINER}) ({last} {then}) or max by ({CONTAINER}) (last_over_time({last}[5m] {then})))"
    )
    new = f"clamp_min(max by ({CONTAINER}) ({now}) - {before}, 0)"
    if not killed:
        return new
    reason = 'k8s_container_status_last_terminated_reason="OOMKilled"'
    of_killed = series("k8s_container_restarts", "kube-state", reason) + f" offset {_SETTLED_S}s"
    return f"{new} and on ({CONTAINER}) {of_killed}"


def waiting(where: str, by: str) -> str:
    """Containers that wait or have ended, with the reason in the label k8s_container_status_reason."""
    own = f"{CONTAINER}, k8s_container_status_reason"
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
