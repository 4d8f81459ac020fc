"""`ONLY=cost`: what monitoring costs on a live cluster: memory, CPU, scrapes, series and disk."""

import statistics
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.monitoring import disk
from tests.bench.monitoring.dashboards import load
from tests.bench.monitoring.live import Cluster, Prometheus
from tests.bench.monitoring.queries import needed

EVERY_S = 10
# Series of these jobs grow with the containers, and of these with the nodes; others do neither.
BY_CONTAINER = ("cadvisor", "kube-state", "envoy", "storage", "application")
BY_NODE = ("node", "kubelet")


def measure(state: Path, seconds: float) -> dict[str, Any]:
    """Watch the cluster of a state folder for so many seconds; return the numbers."""
    cluster = Cluster(state)
    print(f"croft: watching what monitoring uses for {seconds:.0f} s", flush=True)
    parts = watch(cluster, seconds)
    nodes = len(cluster.nodes())
    with tempfile.TemporaryDirectory() as name:
        text = Path(name, "samples.txt")
        with cluster.prometheus() as prometheus:
            known = _known(prometheus)
            disk.save(prometheus, sorted(known["jobs"]), text)
        size = disk.measure(text)
    by_node = sum(known["jobs"][job]["series"] for job in BY_NODE if job in known["jobs"])
    return {
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "seconds": seconds,
        "nodes": nodes,
        "parts": parts,
        "series_per_node": by_node / nodes,
        "disk": size,
        **known,
    }


def _known(prometheus: Prometheus) -> dict[str, Any]:
    """Return what the cluster's Prometheus knows of itself."""
    series = [
        float(one["value"][1])
        for one in prometheus.vector('count by (namespace, pod, container) ({job="cadvisor", container!=""})')
    ]
    return {
        "jobs": scrapes(prometheus),
        "containers": len(series),
        "series_per_container": statistics.mean(series),
        "series_per_container_most": max(series),
        "series": prometheus.number('prometheus_tsdb_head_series{job="prometheus"}'),
        "rules_s": prometheus.number('sum(prometheus_rule_group_last_duration_seconds{job="prometheus"})'),
    }


def watch(cluster: Cluster, seconds: float) -> list[dict[str, Any]]:
    """Return each part's median and largest working set in MB and its CPU in cores, on each node.

    CPU is what containers have used that were there all the time.
    """
    start, found = time.monotonic(), [cluster.usage()]
    while time.monotonic() - start < seconds:
        time.sleep(EVERY_S)
        found.append(cluster.usage())
    nodes = len(cluster.nodes())
    first, last = found[0], found[-1]
    rows = []
    for part in sorted({one.part for one in last.values()}):
        memory = [sum(one.memory for one in moment.values() if one.part == part) for moment in found]
        cpu = [
            (one.cpu_s - first[key].cpu_s) / (one.at - first[key].at)
            for key, one in last.items()
            if one.part == part and key in first and one.at > first[key].at
        ]
        rows.append(
            {
                "part": part,
                "memory_mb": statistics.median(memory) / 1e6 / nodes,
                "memory_most_mb": max(memory) / 1e6 / nodes,
                "cpu": sum(cpu) / nodes,
            }
        )
    return rows


def scrapes(prometheus: Prometheus) -> dict[str, dict[str, float]]:
    """Return what each job's scrapes take: targets, seconds, samples, series."""
    intervals = prometheus.intervals()
    columns = {
        "targets": prometheus.by_job("count by (job) (up)"),
        "up": prometheus.by_job("sum by (job) (up)"),
        "mean_s": prometheus.by_job("avg by (job) (avg_over_time(scrape_duration_seconds[10m]))"),
        "most_s": prometheus.by_job("max by (job) (max_over_time(scrape_duration_seconds[10m]))"),
        "samples": prometheus.by_job("sum by (job) (scrape_samples_post_metric_relabeling)"),
        "series": prometheus.by_job('count by (job) ({job!=""})'),
        "read": _read(prometheus),
    }
    return {
        job: {name: column.get(job, 0.0) for name, column in columns.items()} | {"interval_s": seconds}
        for job, seconds in sorted(intervals.items())
    }


def _read(prometheus: Prometheus) -> dict[str, float]:
    """Return how many of each job's series dashboards and rules read."""
    names: dict[str, list[str]] = defaultdict(list)
    for metric in needed(load()):
        names[metric.job].append(metric.name)
    return {
        job: sum(
            prometheus.by_job(f'count by (job) ({{job="{job}", __name__=~"{"|".join(found)}"}})').values()
        )
        for job, found in names.items()
        if job
    }


def retention(cost: dict[str, Any], containers: int, nodes: int, days: int) -> float:
    """Return the GB that so many days take: samples a second as measured here, grown with the cluster."""
    a_second = 0.0
    for job, found in cost["jobs"].items():
        factor = (
            containers / cost["containers"] if job in BY_CONTAINER
            else nodes / cost["nodes"] if job in BY_NODE
            else 1
        )  # fmt: skip
        a_second += found["samples"] / found["interval_s"] * factor
    return a_second * 86400 * days * cost["disk"]["bytes_per_sample"] / 1e9
