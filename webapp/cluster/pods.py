"""Pods as the Kubernetes API shows them, turned into values and words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from webapp.cluster.state import Container, Pod
from webapp.quantities import parse_quantity

_IMAGE_WAITS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
_MAX_MESSAGE = 200


def pod_from(item: dict[str, Any]) -> Pod:
    """Return the pod that an API object describes."""
    status = item.get("status", {})
    spec = item.get("spec", {})
    containers = status.get("containerStatuses", [])
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    ready = (
        conditions.get("Ready", {}).get("status") == "True" and "deletionTimestamp" not in item["metadata"]
    )
    return Pod(
        name=item["metadata"]["name"],
        node=spec.get("nodeName", ""),
        ready=ready,
        restarts=sum(container.get("restartCount", 0) for container in containers),
        reason="" if ready else _reason(item, conditions, containers),
        created_at=datetime.fromisoformat(item["metadata"]["creationTimestamp"]).astimezone(UTC),
        requests=_requests(spec),
        containers=_containers(spec, containers),
    )


def counts(pod: dict[str, Any]) -> bool:
    """Tell whether the pod still counts: one that has ended for good uses nothing."""
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def shorten(message: str) -> str:
    """Return a message of the cluster as one short line."""
    line = " ".join(message.split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"


def _requests(spec: dict[str, Any]) -> dict[str, Decimal]:
    total = {"cpu": Decimal(0), "memory": Decimal(0), "pods": Decimal(1)}
    for container in spec.get("containers", []):
        requests = container.get("resources", {}).get("requests", {})
        for name in ("cpu", "memory"):
            total[name] += parse_quantity(requests.get(name, "0"))
    return total


def _containers(spec: dict[str, Any], statuses: list[dict[str, Any]]) -> tuple[Container, ...]:
    by_name = {status["name"]: status for status in statuses if "name" in status}
    return tuple(
        _container(item, by_name.get(item["name"], {}))
        for item in spec.get("containers", [])
        if "name" in item
    )


def _container(item: dict[str, Any], status: dict[str, Any]) -> Container:
    state = status.get("state", {})
    running = state.get("running")
    last = status.get("lastState", {}).get("terminated")
    started = (running or {}).get("startedAt")
    return Container(
        name=item["name"],
        image=item.get("image", ""),
        ready=bool(status.get("ready")),
        running=running is not None,
        restarts=status.get("restartCount", 0),
        state=_container_reason(status) or ("runs" if running is not None else "is starting"),
        last_exit=f"ended {_ending(last)}" if last else "",
        started_at=datetime.fromisoformat(started).astimezone(UTC) if started else None,
    )


def _reason(pod: dict[str, Any], conditions: dict[str, Any], containers: list[dict[str, Any]]) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "is ending"
    status, spec = pod.get("status", {}), pod.get("spec", {})
    if status.get("phase") == "Failed":
        return f"was ended: {shorten(status.get('message') or status.get('reason') or 'it failed')}"
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"waits for a node: {shorten(scheduled.get('message', 'none has room for it'))}"
    if not spec.get("nodeName"):
        return "waits for a node or for its volume"
    for container in containers:
        if reason := _container_reason(container):
            return reason
    return "is starting"


def _container_reason(container: dict[str, Any]) -> str:
    state = container.get("state", {})
    if waiting := state.get("waiting"):
        reason = waiting.get("reason", "")
        if reason in _IMAGE_WAITS:
            return f"waits for image {container['image']}, which cannot be pulled"
        if reason == "CrashLoopBackOff":
            return f"keeps ending {_ending(container.get('lastState', {}).get('terminated', {}))}"
        if reason in ("ContainerCreating", "PodInitializing", ""):
            return ""
        return f"cannot start: {shorten(waiting.get('message') or reason)}"
    if terminated := state.get("terminated"):
        return f"has ended {_ending(terminated)}"
    if "running" in state and not container.get("ready"):
        return "runs, but does not answer its health check yet"
    return ""


def _ending(terminated: dict[str, Any]) -> str:
    if terminated.get("reason") == "OOMKilled":
        return "because it needs more memory than its limit"
    return f"with exit code {terminated.get('exitCode', 'unknown')}"
