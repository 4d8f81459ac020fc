"""What a small cluster measures: two projects, shop and lab, the platform, and two nodes, over two hours.

Everything of lab says so: its names hold "topsecret", so that a test can look for it in any answer.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.prometheus import STEP_S, Measured

DASHBOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
# Of them, half an hour lies ahead.
HOURS = 2.5
COUNT = int(HOURS * 3600 / STEP_S)
SECRET = "topsecret"
MIB = 2.0**20
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!=|=|!~)\s*"([^"]*)"')
_RECORD = re.compile(r"\b[a-z_]+:[a-z0-9_]+:?[a-z0-9_]*")
_REASON = {"k8s_container_status_reason": "CrashLoopBackOff"}
_GROUPING = re.compile(r"(?:by|on)\s*\(([^)]*)\)")
_BUCKETS = ("0.5", "1", "5", "25", "100", "500", "1000", "+Inf")


@dataclass(frozen=True)
class Container:
    """One container, and how much it does: cores, bytes, requests per second."""

    namespace: str
    workload: str
    pod: str
    node: str
    cpu: float
    memory: float
    requests: float = 0.0

    @property
    def labels(self) -> dict[str, str]:
        """Its labels on measurements."""
        return {
            "namespace": self.namespace,
            "workload": self.workload,
            "pod": self.pod,
            "container": self.workload,
            "node": self.node,
        }


CONTAINERS = (
    Container("shop", "web", "web-5c9d7b6f4-x2k9p", "croft-1", 0.31, 180 * MIB, 14),
    Container("shop", "web", "web-5c9d7b6f4-88ztq", "croft-2", 0.24, 171 * MIB, 12),
    Container("shop", "web", "web-5c9d7b6f4-c4hvn", "croft-2", 0.12, 160 * MIB, 5),
    Container("shop", "db", "db-0", "croft-1", 0.09, 420 * MIB),
    Container("shop", "mail", "mail-7f6bd54c9-qqpl2", "croft-2", 0.02, 44 * MIB),
    Container("lab", SECRET, f"{SECRET}-6d4cf56db6-kvxwz", "croft-1", 0.42, 242 * MIB, 4.2),
    Container("kube-system", "coredns", "coredns-7db6d8ff4d-5qk2v", "croft-1", 0.03, 30 * MIB),
)
APPLICATIONS = (("shop", "web", 3), ("shop", "db", 1), ("shop", "mail", 1), ("lab", SECRET, 1))


def series() -> Iterator[Measured]:
    """Yield every series, each once."""
    found: dict[tuple[Any, ...], Measured] = {}
    for one in (
        *_containers(),
        *_objects(),
        *_requests(),
        *_ratios(),
        *_recorded(),
        *_secrets(),
        *_rest(),
    ):
        found.setdefault((one.name, *sorted(one.labels.items())), one)
    return iter(found.values())


def _wave(mean: float, part: float, phase: float) -> list[float]:
    """A gauge that goes up and down, with a rush in the middle."""
    return [
        mean
        * (
            1
            + part * math.sin(at / 23 + phase)
            + part / 3 * math.sin(at / 5 + 3 * phase)
            + 0.8 * part * math.exp(-(((at - COUNT * 0.7) / 14) ** 2))
        )
        for at in range(COUNT)
    ]


def _counter(rate: float, phase: float, part: float = 0.35) -> list[float]:
    total, values = 1000.0, []
    for now in _wave(rate, part, phase):
        total += max(0.0, now) * STEP_S
        values.append(total)
    return values


def _containers() -> Iterator[Measured]:
    for index, one in enumerate(CONTAINERS):
        labels = {"job": "cadvisor", **one.labels}
        network = {**labels, "container": "", "interface": "eth0"}
        disk = {**labels, "device": "/dev/vda"}
        rates = {
            "cpu_usage_seconds_total": one.cpu,
            "cpu_user_seconds_total": one.cpu * 0.8,
            "cpu_system_seconds_total": one.cpu * 0.2,
            "cpu_cfs_periods_total": 10,
            "cpu_cfs_throttled_periods_total": 10 * one.cpu**2,
            "memory_failures_total": 0.2,
        }
        for name, rate in rates.items():
            extra = {"failure_type": "pgmajfault", "scope": "container"} if "failures" in name else {}
            yield Measured(f"container_{name}", {**labels, **extra}, _counter(rate, index))
        levels = {"working_set_bytes": 1.0, "rss": 0.7, "cache": 0.3, "swap": 0.0}
        for name, part in levels.items():
            yield Measured(f"container_memory_{name}", labels, _wave(one.memory * part, 0.06, index))
        yield Measured("container_start_time_seconds", labels, [1_769_860_800.0] * COUNT)
        for way in ("receive", "transmit"):
            for what, rate in (("bytes", 42_000), ("packets", 60), ("errors", 0), ("packets_dropped", 0.02)):
                name = f"container_network_{way}_{what}_total"
                yield Measured(name, network, _counter(rate * (index + 1), index))
        for what, rate in (("reads", 3), ("writes", 9), ("reads_bytes", 90_000), ("writes_bytes", 260_000)):
            yield Measured(f"container_fs_{what}_total", disk, _counter(rate, index))


def _objects() -> Iterator[Measured]:
    state = {"job": "kube-state"}
    for namespace in ("shop", "lab", "kube-system"):
        yield Measured("k8s_namespace_phase", {**state, "namespace": namespace}, [1.0] * COUNT)
    for one in CONTAINERS:
        labels = {**state, **one.labels}
        pod = {key: value for key, value in labels.items() if key != "container"}
        yield Measured("k8s_pod_phase", {**pod, "k8s_pod_qos_class": "Burstable"}, [2.0] * COUNT)
        for name, value in (
            ("cpu_request", max(0.1, one.cpu * 0.9)),
            ("cpu_limit", one.cpu * 2 + 0.1),
            ("memory_request_bytes", one.memory * 1.2),
            ("memory_limit_bytes", one.memory * 1.6),
            ("ready", 0.0 if one.pod.endswith("c4hvn") else 1.0),
        ):
            yield Measured(f"k8s_container_{name}", labels, [value] * COUNT)
        ended = {"k8s_container_status_last_terminated_reason": "OOMKilled"} if one.workload == "web" else {}
        restarts = [float(at > COUNT * 0.72) + float(at > COUNT * 0.8) for at in range(COUNT)]
        yield Measured("k8s_container_restarts", {**labels, **ended}, restarts)
        waits = {**labels, "k8s_container_status_reason": "CrashLoopBackOff"}
        yield Measured("k8s_container_status_reason", waits, [float(one.pod.endswith("c4hvn"))] * COUNT)
    for namespace, name, wanted in APPLICATIONS:
        kind, desired, ready = (
            ("statefulset", "desired_pods", "ready_pods")
            if name == "db"
            else ("deployment", "desired", "available")
        )
        labels = {**state, "namespace": namespace, kind: name, "workload": name}
        yield Measured(f"k8s_{kind}_{desired}", labels, [float(wanted)] * COUNT)
        there = [float(wanted - (name == "web" and at > COUNT * 0.7)) for at in range(COUNT)]
        yield Measured(f"k8s_{kind}_{ready}", labels, there)
    for name, since in (("web-5c9d7b6f4", 0.0), ("web-6b7f9c8d5", 0.6)):
        labels = {**state, "namespace": "shop", "replicaset": name}
        yield Measured("k8s_replicaset_desired", labels, [3.0] * int(COUNT * (1 - since)))
    for namespace, part in (("shop", 0.85), ("lab", 0.4)):
        for resource, hard in (
            ("requests.cpu", 2000.0),
            ("requests.memory", 2048 * MIB),
            ("requests.storage", 5120 * MIB),
            ("limits.cpu", 4000.0),
            ("limits.memory", 4096 * MIB),
            ("pods", 20.0),
        ):
            labels = {**state, "namespace": namespace, "resource": resource, "resourcequota": "project"}
            yield Measured("k8s_resource_quota_hard_limit", labels, [hard] * COUNT)
            yield Measured("k8s_resource_quota_used", labels, [round(hard * part, 1)] * COUNT)
    for namespace, claim, part in (("shop", "db", 0.91), ("shop", "mail", 0.35), ("lab", SECRET, 0.5)):
        labels = {"job": "storage", "namespace": namespace, "persistentvolumeclaim": claim, "workload": claim}
        yield Measured("croft_volume_capacity_bytes", labels, [1024 * MIB] * COUNT)
        used = [1024 * MIB * (part - 0.1 * (1 - at / COUNT)) for at in range(COUNT)]
        yield Measured("croft_volume_used_bytes", labels, used)
    for node in ("croft-1", "croft-2"):
        labels = {**state, "node": node}
        for name, value in (
            ("allocatable_cpu", 4.0),
            ("allocatable_memory_bytes", 8192 * MIB),
            ("allocatable_pods", 110.0),
            ("condition_ready", 1.0),
            ("condition_disk_pressure", 0.0),
            ("condition_memory_pressure", 0.0),
            ("condition_pid_pressure", 0.0),
        ):
            yield Measured(f"k8s_node_{name}", labels, [value] * COUNT)


def _requests() -> Iterator[Measured]:
    for index, (namespace, workload, rate) in enumerate((("shop", "web", 31.0), ("lab", SECRET, 4.2))):
        labels = {"job": "envoy", "namespace": namespace, "workload": workload, "node": "croft-1"}
        classes = (("2", "200", 0.95), ("3", "304", 0.02), ("4", "404", 0.02), ("5", "503", 0.01))
        for family, code, part in classes:
            values = _counter(rate * part, index + part)
            kind = {**labels, "envoy_response_code_class": family}
            yield Measured("envoy_cluster_upstream_rq_xx", kind, values)
            yield Measured("envoy_cluster_upstream_rq", {**labels, "envoy_response_code": code}, values)
        for at, bucket in enumerate(_BUCKETS):
            part = min(1.0, (at + 1) / 5)
            values = _counter(rate * part, index, 0.2)
            yield Measured("envoy_cluster_upstream_rq_time_bucket", {**labels, "le": bucket}, values)
        yield Measured("envoy_cluster_upstream_rq_active", labels, _wave(3, 0.5, index))
        for name in ("cx_connect_fail", "rq_pending_overflow", "rq_retry", "rq_timeout"):
            yield Measured(f"envoy_cluster_upstream_{name}", labels, _counter(0.01, index))


def _ratios() -> Iterator[Measured]:
    """What recording rules make of it."""
    for namespace, part in (("shop", 0.21), ("lab", 0.11)):
        labels = {"namespace": namespace}
        yield Measured("namespace:cpu_usage_of_cluster:ratio_rate5m", labels, _wave(part, 0.1, 1))
        yield Measured("namespace:memory_usage_of_cluster:ratio", labels, _wave(part / 2, 0.1, 2))
    for namespace, workload, wanted in APPLICATIONS:
        labels = {"namespace": namespace, "workload": workload}
        ready = 1 - (workload == "web") / wanted
        name = "namespace_workload:replicas_available:ratio"
        yield Measured(name, labels, [1.0 if at < COUNT * 0.7 else ready for at in range(COUNT)])
    for one in CONTAINERS:
        labels = {key: one.labels[key] for key in ("namespace", "workload", "pod", "node")}
        yield Measured("namespace_pod:node_cpu_used:ratio_rate5m", labels, _wave(0.5, 0.2, 1))
        yield Measured("namespace_pod:node_memory_used:ratio", labels, _wave(0.6, 0.1, 1))
    for namespace, workload, severity in (("shop", "web", "warning"), ("lab", SECRET, "critical")):
        labels = {
            "alertname": "CroftApplicationErrors",
            "alertstate": "firing",
            "namespace": namespace,
            "workload": workload,
            "severity": severity,
        }
        yield Measured("ALERTS", labels, [1.0] * COUNT)


def _recorded() -> Iterator[Measured]:
    """What dashboards ask of it besides, for each application, or once for each label that the name tells."""
    names = sorted({name for text in _queries() for name in _RECORD.findall(text)})
    # Something was added twice within that time.
    added = [float(at in (int(COUNT * 0.72), int(COUNT * 0.8))) for at in range(COUNT)]
    for index, name in enumerate(names):
        of = name.split(":")[0]
        if of == "namespace_pod_container":
            found = [{key: value for key, value in one.labels.items() if key != "node"} for one in CONTAINERS]
        elif of.startswith("namespace"):
            more = {
                "namespace_phase": {"phase": "2"},
                "namespace_qos_class": {"k8s_pod_qos_class": "Burstable"},
                "namespace_workload_reason": _REASON,
            }.get(of, {})
            found = [
                {"namespace": namespace, **({"workload": workload} if "workload" in of else {}), **more}
                for namespace, workload, _ in APPLICATIONS
            ]
        else:
            labels = [] if of == "cluster" else of.split("_")
            found = [{label: f"{label}-{letter}" for label in labels} for letter in ("a", "b")]
        for place, one in enumerate(found):
            yield Measured(name, one, added if ":increase" in name else _wave(5.0, 0.2, index + place))


def _secrets() -> Iterator[Measured]:
    """Series that nobody outside of lab may learn of, by name or by value."""
    labels = {"job": "application", "namespace": "lab", "workload": SECRET, "customer": f"{SECRET}-inc"}
    yield Measured(f"{SECRET}_orders_total", labels, [424_242.0] * COUNT)
    own = {"job": "application", "namespace": "shop", "workload": "web", "pod": "web-5c9d7b6f4-x2k9p"}
    yield Measured("shop_orders_total", {**own, "customer": 'a "quoted" name'}, _counter(0.7, 1))


def _rest() -> Iterator[Measured]:
    """Whatever else the dashboards ask for, once for each node, with the labels that they group by."""
    known = {one.name for one in (*_containers(), *_objects(), *_requests(), *_ratios(), *_recorded())}
    values = {"node": ("croft-1", "croft-2"), "le": _BUCKETS, "mode": ("idle", "user", "system")}
    for name, labels, groups in _asked():
        if name in known:
            continue
        found: list[dict[str, str]] = [labels]
        for group in sorted(groups - labels.keys()):
            some = values.get(group, (f"{group}-a", f"{group}-b"))
            found = [{**one, group: value} for one in found for value in some]
        for index, one in enumerate(found[:40]):
            rising = name.endswith(("_total", "_bucket", "_count", "_sum")) or "upstream_rq" in name
            share = (_BUCKETS.index(one["le"]) + 1) / len(_BUCKETS) if "le" in one else 1.0
            numbers = _counter(5 * share, index // 8) if rising else _wave(50 + index, 0.2, index)
            yield Measured(name, one, numbers)


def _asked() -> Iterator[tuple[str, dict[str, str], set[str]]]:
    """Yield each selector's name, its plain matchers, and the labels that its expression groups by."""
    for expression in _queries():
        groups = {label.strip() for names in _GROUPING.findall(expression) for label in names.split(",")} & {
            "node",
            "le",
            "resource",
            "verb",
            "code",
            "name",
            "state",
            "kind",
            "result",
            "cpu",
            "mode",
        }
        for name, matchers in _SELECTOR.findall(expression):
            labels = {
                key: value
                for key, sign, value in _MATCHER.findall(matchers)
                if sign == "=" and "$" not in value and key != "le"
            }
            bucket = {"le"} if name.endswith("_bucket") else set[str]()
            yield name, labels, (groups - {"le"}) | bucket | {"node"}


def _queries() -> Iterator[str]:
    """Yield the text of every query of every dashboard."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        yield from _expressions(json.loads(path.read_text()))


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        for item in value.values():
            yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)
