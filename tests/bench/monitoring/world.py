"""The cluster whose series the benchmark makes up: 20 nodes and 1,000 pods of projects and of the platform.

Nothing here is random: the same pods have the same names in every run.
"""

import itertools
from dataclasses import dataclass
from functools import cache

NODES, PODS = 20, 1000
CONTROL_PLANES = 3
# Where requests come in: the nodes that the names of applications resolve to.
INGRESS_NODES = 3
PROJECTS, APPLICATIONS, REPLICAS = 98, 4, 2
# One project is much larger than the others, as one always is.
LARGE_PROJECT, LARGE_APPLICATIONS, LARGE_REPLICAS = "team-000", 20, 4
# Every so many applications have a volume, a second container or an autoscaler.
WITH_VOLUME, WITH_SIDECAR, WITH_AUTOSCALER = 4, 8, 8
DAEMONS = {
    "kube-system": ("cilium", "kube-proxy"),
    "croft-ingress": ("envoy",),
    "croft-monitoring": ("node-exporter", "cadvisor"),
    "croft-storage": ("provisioner",),
}
STATIC_PODS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
SINGLES = (
    ("kube-system", "coredns", 2),
    ("croft-ingress", "contour", 2),
    ("croft", "portal-web", 2),
    ("croft", "portal-worker", 1),
    ("croft-monitoring", "prometheus", 1),
    ("croft-monitoring", "alertmanager", 1),
    ("croft-monitoring", "label-proxy", 1),
    ("croft-monitoring", "k8s-cluster", 1),
)


@dataclass(frozen=True)
class Workload:
    """What owns pods. `kind`: deployment, daemonset or static; `number`: its place among all."""

    namespace: str
    name: str
    kind: str
    number: int

    @property
    def has_volume(self) -> bool:
        """Tell whether it keeps data on a volume."""
        return self.is_application and self.number % WITH_VOLUME == 0

    @property
    def has_autoscaler(self) -> bool:
        """Tell whether a HorizontalPodAutoscaler changes its replicas."""
        return self.is_application and self.number % WITH_AUTOSCALER == 1

    @property
    def is_application(self) -> bool:
        """Tell whether it runs in a project."""
        return self.namespace.startswith("team-")


@dataclass(frozen=True)
class Pod:
    """One pod on a node."""

    workload: Workload
    name: str
    node: str
    containers: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        """Return what every series of the pod is labelled with."""
        return {
            "namespace": self.workload.namespace,
            "pod": self.name,
            "workload": self.workload.name,
            "node": self.node,
        }


def node_name(number: int) -> str:
    """Return a node's name."""
    return f"node-{number + 1:02}"


def projects() -> list[str]:
    """Return the names of all projects, the large one first."""
    return [LARGE_PROJECT, *(f"team-{number:03}" for number in range(1, PROJECTS + 1))]


@cache
def workloads() -> tuple[Workload, ...]:
    """Return every workload: the platform's, then those of projects."""
    numbers = itertools.count()
    platform = [
        *(
            Workload(space, name, "daemonset", next(numbers))
            for space, all_ in DAEMONS.items()
            for name in all_
        ),
        *(Workload("kube-system", name, "static", next(numbers)) for name in STATIC_PODS),
        *(Workload(space, name, "deployment", next(numbers)) for space, name, _ in SINGLES),
    ]
    applications = [
        Workload(project, f"app-{place}", "deployment", next(numbers))
        for project in projects()
        for place in range(LARGE_APPLICATIONS if project == LARGE_PROJECT else APPLICATIONS)
    ]
    return (*platform, *applications)


@cache
def pods() -> tuple[Pod, ...]:
    """Return all pods, PODS of them: those of projects are spread over the nodes in turn."""
    replicas = {(space, name): count for space, name, count in SINGLES}
    turn = itertools.cycle(range(NODES))
    found = []
    for workload in workloads():
        if workload.kind == "daemonset":
            places = list(range(NODES))
        elif workload.kind == "static":
            places = list(range(CONTROL_PLANES))
        elif workload.is_application:
            large = workload.namespace == LARGE_PROJECT
            places = [next(turn) for _ in range(LARGE_REPLICAS if large else REPLICAS)]
        else:
            places = [next(turn) for _ in range(replicas[workload.namespace, workload.name])]
        found += [_pod(workload, place, number) for number, place in enumerate(places)]
    return tuple(found[:PODS])


def _pod(workload: Workload, place: int, number: int) -> Pod:
    sidecar = workload.is_application and workload.number % WITH_SIDECAR == 0
    suffix = f"{workload.number:05x}"
    name = {
        "deployment": f"{workload.name}-7f{suffix}d-{number:05}",
        "daemonset": f"{workload.name}-{place:05}",
        "static": f"{workload.name}-{node_name(place)}",
    }[workload.kind]
    containers = (workload.name, "sidecar") if sidecar else (workload.name,)
    return Pod(workload, name, node_name(place), containers)
