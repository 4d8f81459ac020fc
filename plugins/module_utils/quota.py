"""What fits: a project's quota into the nodes, an application into its project's quota."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plugins.module_utils.request_file import RequestError
from webapp.quantities import format_bytes, format_cores, parse_quantity

CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"


Verdict = dict[str, Any]


def format_count(count: Decimal) -> str:
    """Write a number of things."""
    return f"{count:f}"


# what users call it → (the quota's name for it, how it is written)
RESOURCES: dict[str, tuple[str, Callable[[Decimal], str]]] = {
    "CPU": ("requests.cpu", format_cores),
    "memory": ("requests.memory", format_bytes),
    "storage": ("requests.storage", format_bytes),
    "pods": ("pods", format_count),
}


@dataclass(frozen=True)
class Amounts:
    """Amounts of the four resources, in cores, bytes, bytes and pods."""

    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    pods: Decimal = Decimal(0)

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(mine + its for mine, its in zip(self, other, strict=True)))

    def __iter__(self) -> Any:
        return iter((self.cpu, self.memory, self.storage, self.pods))

    def times(self, count: int) -> "Amounts":
        """Return `count` times these amounts."""
        return Amounts(*(mine * count for mine in self))


def total(parts: Iterable[Amounts]) -> Amounts:
    """Add amounts up."""
    return sum(parts, Amounts())


def of_pod(pod: dict[str, Any]) -> Amounts:
    """Return what a pod counts for in a quota; nothing once it has ended."""
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return Amounts()
    requests = [item.get("resources", {}).get("requests", {}) for item in pod["spec"]["containers"]]
    return Amounts(
        sum((parse_quantity(item.get("cpu", "0")) for item in requests), Decimal(0)),
        sum((parse_quantity(item.get("memory", "0")) for item in requests), Decimal(0)),
        pods=Decimal(1),
    )


def of_claim(claim: dict[str, Any]) -> Amounts:
    """Return what a PersistentVolumeClaim counts for in a quota."""
    return Amounts(storage=parse_quantity(claim["spec"]["resources"]["requests"]["storage"]))


def left(hard: dict[str, str], used: Amounts) -> Amounts:
    """Return what a ResourceQuota with these hard limits leaves; unlimited where it names no limit."""
    limits = (hard.get(name) for name, _ in RESOURCES.values())
    return Amounts(
        *(
            Decimal("Infinity") if limit is None else parse_quantity(limit) - taken
            for limit, taken in zip(limits, used, strict=True)
        )
    )


def fits(wanted: Amounts, room: Amounts) -> bool:
    """Tell whether each amount finds room."""
    return all(asked <= free for asked, free in zip(wanted, room, strict=True))


def check_room(project: str, wanted: Amounts, room: Amounts) -> None:
    """Raise RequestError that names the first resource of which `wanted` is more than `room`."""
    for (name, (_, write)), asked, free in zip(RESOURCES.items(), wanted, room, strict=True):
        if asked > free:
            raise RequestError(
                f"Project '{project}' has {write(max(free, Decimal(0)))} {name} left; "
                f"this application asks for {write(asked)}. Ask for less, or raise the project's quota"
            )


def verdicts(wanted: Amounts, room: Amounts) -> list[Verdict]:
    """Return for each limited resource whether `wanted` finds room: {resource, fits, words}."""
    found: list[Verdict] = []
    for (name, (_, write)), asked, free in zip(RESOURCES.items(), wanted, room, strict=True):
        if free.is_finite() and (asked or free < 0):
            what = "pod" if name == "pods" and asked == 1 else name
            words = f"asks for {write(asked)} {what}, {write(max(free, Decimal(0)))} left"
            found.append({"resource": name.lower(), "fits": asked <= free, "words": words})
    return found


def check_nodes(project: str, quota: dict[str, Any], nodes: Iterable[dict[str, Any]]) -> None:
    """Raise RequestError when a project's `quota` (cpu, memory, pods) is more than the `nodes` have."""
    usable = [
        node["status"]["allocatable"]
        for node in nodes
        if not any(
            taint["key"] == CONTROL_PLANE_TAINT and taint["effect"] == "NoSchedule"
            for taint in node["spec"].get("taints", [])
        )
    ]
    for key, name in (("cpu", "CPU"), ("memory", "memory"), ("pods", "pods")):
        write = RESOURCES[name][1]
        asked = parse_quantity(str(quota[key]))
        there = sum((parse_quantity(item[key]) for item in usable), Decimal(0))
        if asked > there:
            raise RequestError(
                f"Project '{project}' asks for a quota of {write(asked)} {name}; the nodes that run "
                f"applications have {write(there)} together. Lower quota.{key}"
            )
