"""Which series a metric has in the made-up cluster: labels as each scrape job gives them after relabelling.

`series(job, metric)` knows the shape of every job (one per pod, container, node, application …), so that a
dashboard may use any metric of a job; what a metric's own name tells beside that stands in labels.py.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.bench.monitoring import labels as shapes
from tests.bench.monitoring.world import (
    CONTROL_PLANES,
    INGRESS_NODES,
    NODES,
    Pod,
    Workload,
    node_name,
    pods,
    projects,
    workloads,
)

# Where the processes of a job run: by the name of their workload.
PLACES = {
    "apiserver": "kube-apiserver",
    "scheduler": "kube-scheduler",
    "controller-manager": "kube-controller-manager",
    "etcd": "etcd",
} | {name: name for name in ("coredns", "contour", "prometheus", "alertmanager", "label-proxy")}
# One of so many workloads has a container that does not run, or that ran out of memory.
FAILING = 20
# No job's: what Prometheus itself records.
RECORDED = ""
JOBS = (*PLACES, "cadvisor", "node", "kube-state", "kubelet", "envoy", "portal", "storage", "application")


@dataclass(frozen=True)
class Series:
    """One series. `kind`: counter, gauge or constant; `size`: how fast it grows or how large it is."""

    labels: dict[str, str]
    kind: str
    size: float


def series(job: str, metric: str) -> list[Series]:
    """Return the series of a metric of a job. Raises KeyError for a job that the contract does not have."""
    kind = shapes.kind(metric)
    found = []
    for labels in _targets(job, metric):
        own = {"job": job, "instance": labels.get("node", "10.0.0.9") + ":9100"}
        one = labels if job == RECORDED else own | labels
        for place, bucket in enumerate(_bounds(job, metric)):
            more = {} if bucket is None else {"le": bucket}
            found.append(Series(one | more, kind, _size(metric, one, place)))
    return found


def _size(metric: str, labels: dict[str, str], place: int) -> float:
    """Return a size that differs from series to series; buckets grow towards the last bound."""
    if shapes.ONE.search(metric):
        return 1
    if metric.endswith("_phase"):
        return shapes.RUNNING
    spread = 1 + sum(map(ord, "".join(labels.values()))) % 17
    large = 2**20 if metric.endswith("bytes") or "_bytes_" in metric else 1
    return spread * large * (1 - 0.7 ** (place + 1) if metric.endswith("_bucket") else 1)


def _bounds(job: str, metric: str) -> tuple[str | None, ...]:
    if not metric.endswith("_bucket"):
        return (None,)
    return shapes.MILLISECONDS if job == "envoy" else shapes.SECONDS


def _targets(job: str, metric: str) -> Iterator[dict[str, str]]:
    """Yield the labels of each series of a metric, without bounds."""
    if job == RECORDED:
        yield from _recorded(metric)
    elif metric == "up" or metric.startswith("scrape_"):
        yield from _scraped(job)
    elif job == "cadvisor":
        yield from _cadvisor(metric)
    elif job == "kube-state":
        yield from _kube_state(metric)
    elif job == "node":
        for node in range(NODES):
            yield from _combined({"node": node_name(node)}, metric, shapes.NODE)
    elif job == "envoy":
        yield from _envoy(metric)
    elif job == "storage":
        for pod in _first_pods():
            if pod.workload.has_volume:
                yield pod.labels | {"persistentvolumeclaim": f"data-{pod.workload.name}"}
    elif job == "application":
        for pod in pods():
            if pod.workload.is_application and pod.workload.number % 2:
                yield {key: value for key, value in pod.labels.items() if key != "node"}
    else:
        for labels in _scraped(job):
            yield from _combined(labels, metric, shapes.PROCESS)


@cache
def _scraped(job: str) -> tuple[dict[str, str], ...]:
    """Return the labels of every target of a job."""
    if job in ("cadvisor", "node", "kubelet", "envoy", "storage"):
        return tuple({"node": node_name(number)} for number in range(NODES))
    if job == "portal":
        return tuple(
            {"namespace": "croft", "pod": pod.name, "component": pod.workload.name.removeprefix("portal-")}
            for pod in pods() if pod.workload.namespace == "croft"
        )  # fmt: skip
    if job == "kube-state":
        return ({},)
    if job == "application":
        return tuple(_targets("application", "any"))
    if job in ("apiserver", "scheduler", "controller-manager", "etcd"):
        return tuple({"node": node_name(number)} for number in range(CONTROL_PLANES))
    owner = PLACES[job]
    return tuple(
        {key: pod.labels[key] for key in ("namespace", "pod", "node")}
        for pod in pods() if pod.workload.name == owner and not pod.workload.is_application
    )  # fmt: skip


def _recorded(record: str) -> Iterator[dict[str, str]]:
    """Yield the labels of what a rule records, which the first part of its name says.

    Raises KeyError for labels that no rule had when this was written.
    """
    found: dict[str, list[dict[str, str]]] = {
        "cluster": [{}],
        "node": [{"node": node_name(number)} for number in range(NODES)],
        "node_mode": [
            {"node": node_name(number), "mode": mode} for number in range(NODES) for mode in shapes.MODES
        ],
        "verb": [{"verb": verb} for verb in shapes.VERBS],
        "verb_code": [
            {"verb": verb, "code": code} for verb in shapes.VERBS for code in ("200", "404", "500")
        ],
        "resource": [{"resource": kind} for kind in shapes.KINDS],
        "endpoint": [{"endpoint": endpoint} for endpoint in shapes.ENDPOINTS],
        "endpoint_status": [
            {"endpoint": endpoint, "status": status}
            for endpoint in shapes.ENDPOINTS
            for status in ("200", "404", "500")
        ],
        "kind": [{"kind": kind} for kind in shapes.JOB_KINDS],
        "namespace": [{"namespace": name} for name in projects()],
        "namespace_resource": [
            {"namespace": name, "resource": resource} for name in projects() for resource in shapes.QUOTA
        ],
        "namespace_phase": [
            {"namespace": name, "phase": phase} for name in projects() for phase in ("1", "2")
        ],
        "namespace_qos_class": [
            {"namespace": name, "k8s_pod_qos_class": quality}
            for name in projects()
            for quality in shapes.QOS_CLASSES
        ],
        "namespace_workload": [
            {"namespace": one.namespace, "workload": one.name}
            for one in workloads()[:: FAILING if "oom_kills" in record else 1]
        ],
        "namespace_workload_reason": [
            {
                "namespace": one.namespace,
                "workload": one.name,
                "k8s_container_status_reason": shapes.REASONS[1],
            }
            for one in workloads()[::FAILING]
        ],
        "namespace_pod": [pod.labels for pod in pods()],
        "namespace_pod_container": [
            {"namespace": pod.workload.namespace, "workload": pod.workload.name, "pod": pod.name}
            | {"container": container}
            for pod in pods()[:: FAILING if "oom_kills" in record else 1]
            for container in pod.containers
        ],
    }
    yield from found[record.split(":")[0]]


def _cadvisor(metric: str) -> Iterator[dict[str, str]]:
    if metric.startswith("machine_"):
        yield from ({"node": node_name(number)} for number in range(NODES))
        return
    for pod in pods():
        for container in ("",) if metric.startswith("container_network") else pod.containers:
            yield from _combined(pod.labels | {"container": container}, metric, shapes.CONTAINER)


def _kube_state(metric: str) -> Iterator[dict[str, str]]:
    if metric.startswith(("k8s_pod_", "k8s_container_")):
        for pod in pods():
            for container in pod.containers if metric.startswith("k8s_container_") else (None,):
                labels = pod.labels | ({} if container is None else {"container": container})
                yield from _combined(labels, metric, shapes.STATE)
    elif metric.startswith("k8s_node_"):
        yield from ({"node": node_name(number)} for number in range(NODES))
    elif metric.startswith("k8s_namespace_"):
        yield from ({"namespace": name} for name in (*projects(), "kube-system", "croft", "croft-monitoring"))
    elif metric.startswith("k8s_resource_quota_"):
        for name, resource in itertools.product(projects(), shapes.QUOTA):
            yield {"namespace": name, "resourcequota": "project", "resource": resource}
    else:
        kind = metric.split("_")[1]
        yield from (_object(owner, kind) for owner in workloads() if _has(owner, kind))


def _has(workload: Workload, kind: str) -> bool:
    return {
        "deployment": workload.kind == "deployment",
        "replicaset": workload.kind == "deployment",
        "daemonset": workload.kind == "daemonset",
        "hpa": workload.has_autoscaler,
    }.get(kind, workload.is_application and workload.number % 16 == 3)


def _object(workload: Workload, kind: str) -> dict[str, str]:
    name = f"{workload.name}-7f{workload.number:05x}d" if kind == "replicaset" else workload.name
    # `job` names the scrape job: a Kubernetes Job's name stands in a label of its own.
    label = "job_name" if kind == "job" else kind
    return {"namespace": workload.namespace, label: name, "workload": workload.name}


def _envoy(metric: str) -> Iterator[dict[str, str]]:
    """Yield the labels: of each application on every node where requests come in, or of each Envoy."""
    if not metric.startswith("envoy_cluster_"):
        for node in range(NODES):
            yield from _combined({"node": node_name(node)}, metric, shapes.ENVOY)
        return
    for owner, node in itertools.product(workloads(), range(INGRESS_NODES)):
        if owner.is_application:
            labels = {
                "namespace": owner.namespace,
                "workload": owner.name,
                "node": node_name(node),
                "envoy_cluster_name": f"{owner.namespace}_{owner.name}_80",
            }
            yield from _combined(labels, metric, shapes.ENVOY)


def _combined(labels: dict[str, str], metric: str, table: shapes.Table) -> Iterator[dict[str, str]]:
    """Yield `labels` with every combination of what the table has for the metric."""
    more = next((more for pattern, more in table if re.search(pattern, metric)), {})
    for values in itertools.product(*more.values()):
        yield labels | dict(zip(more, values, strict=True))


def _first_pods() -> Iterator[Pod]:
    seen = set()
    for pod in pods():
        if pod.workload not in seen:
            seen.add(pod.workload)
            yield pod
