"""Why pods do not get ready: the sentence that a user reads, from what Kubernetes knows about them.

Everything here takes the API's JSON and returns text; nothing talks to the cluster.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Trouble:
    """Something that keeps an application from getting ready.

    `kind` stays the same while it lasts; `patience` is how many seconds that may be before it counts as
    lasting (infinite: it may well pass, so only the time limit ends the wait). `crashed` is the pod and
    container whose last output explains it.
    """

    kind: str
    text: str
    patience: float
    crashed: tuple[str, str] | None = None


def of_deployment(deployment: Json) -> Trouble | None:
    """Return why no pods are made at all."""
    conditions = {item["type"]: item for item in deployment.get("status", {}).get("conditions", [])}
    failure = conditions.get("ReplicaFailure")
    if not failure or failure["status"] != "True":
        return None
    message = re.sub(r'^pods "[^"]*" is forbidden: ', "", failure.get("message", ""))
    quota = re.match(r"exceeded quota: \S+, requested: (.*), used: (.*), limited: (.*)", message)
    if quota:
        asked, used, limit = quota.groups()
        text = f"the project's quota is exceeded: a pod asks for {asked}; {used} of {limit} is in use"
        return Trouble("quota", text, 10)
    return Trouble("refused", f"the cluster refuses its pods: {message}", 5)


def of_claim(claim: Json | None, events: Iterable[Json]) -> Trouble | None:
    """Return why the volume is not there, where it is not."""
    if claim is None or claim.get("status", {}).get("phase") == "Bound":
        return None
    name, spec = claim["metadata"]["name"], claim["spec"]
    size = spec["resources"]["requests"]["storage"]
    storage_class = spec.get("storageClassName")
    if not storage_class:
        return Trouble("volume", f"volume '{name}' ({size}): the cluster has no default storage class", 15)
    said = _last(events, "PersistentVolumeClaim", name, {"ProvisioningFailed", "FailedBinding"})
    detail = f": {said['message']}" if said else ""
    return Trouble("volume", f"volume '{name}' ({size}, storage class '{storage_class}') waits{detail}", inf)


def of_pod(pod: Json, events: Sequence[Json], volume: Trouble | None) -> Trouble | None:
    """Return why a pod is not ready; None while it only starts. `volume` is the trouble of its volume."""
    status = pod.get("status", {})
    conditions = {item["type"]: item for item in status.get("conditions", [])}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        why = re.split(r"[;,.]? *(?:preemption|no new claims)", scheduled.get("message", ""))[0].rstrip(". ")
        if "persistent" in why.lower():
            start = volume.text if volume else "its volume waits"
            return Trouble("volume", f"{start}: no node has storage for it ({why})", 15)
        return Trouble("unschedulable", f"no node has room for it: {why}", 15)
    if status.get("phase") == "Failed":
        return Trouble("failed", f"{status.get('reason', 'it failed')}: {status.get('message', '')}", 5)
    for container in status.get("containerStatuses", []):
        trouble = _of_container(pod, container, events)
        if trouble:
            return trouble
    broken = _last(
        events, "Pod", pod["metadata"]["name"], {"FailedMount", "FailedAttachVolume", "FailedBinding"}
    )
    broken = broken or _last(events, "Pod", pod["metadata"]["name"], {"FailedCreatePodSandBox"})
    if broken and not status.get("containerStatuses", [{}])[0].get("started"):
        return Trouble("node", f"{broken['reason']}: {broken['message']}", inf)
    return None


def waits_for(pod: Json) -> str:
    """Return what a pod without trouble is doing, for a line of progress."""
    for container in pod.get("status", {}).get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            return str(waiting.get("message") or waiting.get("reason", "starting"))
        if "running" in container.get("state", {}):
            return "its first healthy answer" if not container.get("ready") else "running"
    return "a node" if not pod["spec"].get("nodeName") else "its containers"


def _of_container(pod: Json, container: Json, events: Sequence[Json]) -> Trouble | None:
    name, image = pod["metadata"]["name"], container["image"]
    waiting = container.get("state", {}).get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"):
        return _pull(name, image, reason, message, events)
    if reason == "CreateContainerConfigError":
        return Trouble("config", _config(pod, image, message), 5)
    if reason in ("CreateContainerError", "RunContainerError"):
        # The same kind as a crash, with which it takes turns while Kubernetes tries again.
        return Trouble("crash", f"its container cannot be started: {_innermost(message)}", 10)
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
    probe = _last(events, "Pod", name, {"Unhealthy"})
    if ended and (container.get("restartCount", 0) > 0 or reason == "CrashLoopBackOff"):
        killed = _last(events, "Pod", name, {"Killing"})
        if killed and probe and "probe, will be restarted" in killed["message"]:
            return Trouble("probe", f"it is restarted because its {_probe(probe)}", 10)
        return Trouble("crash", _crash(pod, ended), 15, (name, container["name"]))
    if probe and not container.get("ready"):
        # An answer like 404 will not pass by itself; "connection refused" or 503 may be a slow start.
        lasting = re.search(r"statuscode: 4\d\d", probe["message"])
        return Trouble("probe", f"its {_probe(probe)}", 20 if lasting else inf)
    return None


def _pull(pod: str, image: str, reason: str, message: str, events: Sequence[Json]) -> Trouble:
    if reason == "InvalidImageName":
        return Trouble("pull", f"'{image}' is not the name of an image", 0)
    failures = sum(
        item.get("count") or 1
        for item in events
        if item["involvedObject"].get("name") == pod and item["message"].startswith("Failed to pull image")
    )
    said = _last(events, "Pod", pod, {"Failed"})
    if "ErrImagePull" not in message and said and said["message"].startswith("Failed to pull image"):
        message = said["message"]
    text = (
        f"image '{image}' cannot be pulled ({_innermost(message)}); check its name, "
        "or load it into the nodes if they do not reach its registry"
    )
    return Trouble("pull", text, 2 if failures > 1 else 15)


def _config(pod: Json, image: str, message: str) -> str:
    if "image will run as root" in message:
        return (
            f"image '{image}' runs as root, which is not allowed here: set runAsUser to another user's number"
        )
    user = re.search(r"non-numeric user \(([^)]*)\)", message)
    if user:
        return (
            f"image '{image}' runs as user '{user[1]}', who may be root: set runAsUser to that user's number"
        )
    return f"its container cannot be set up: {message.split(' (pod:')[0]}"


def _crash(pod: Json, ended: Json) -> str:
    if ended.get("reason") == "OOMKilled":
        limits = pod["spec"]["containers"][0].get("resources", {}).get("limits", {})
        return f"it needs more memory than its limit of {limits.get('memory', 'the node')}"
    if ended.get("reason") in ("StartError", "ContainerCannotRun"):
        return f"its container cannot be started: {_innermost(ended.get('message', ''))}"
    if ended["exitCode"] == 0:
        return "it ends by itself (exit code 0); an application has to keep running"
    return f"it ends with exit code {ended['exitCode']} each time it starts"


def _probe(event: Json) -> str:
    match = re.match(
        r"(Startup|Readiness|Liveness) probe (failed|errored)[^:]*: (.*)", event["message"], re.DOTALL
    )
    if not match:
        return f"health check fails: {event['message']}"
    said = (
        match[3]
        .strip()
        .replace("HTTP probe failed with statuscode: ", "the health path answers with status ")
    )
    return f"{match[1].lower()} probe fails: {said}"


def _innermost(message: str) -> str:
    """Shorten a chain of wrapped errors to its end, at most 300 characters."""
    text = re.sub(
        r'(Back-off pulling image "[^"]*"|ErrImagePull|rpc error: code = \w+ desc = )(: )?', "", message
    )
    text = re.sub(r'Failed to pull image "[^"]*": |failed to pull and unpack image "[^"]*": ', "", text)
    return text.strip()[-300:] or "no reason given"


def _last(events: Iterable[Json], kind: str, name: str, reasons: set[str]) -> Json | None:
    """Return the latest event of these reasons about one object."""
    found = [
        item
        for item in events
        if item["involvedObject"].get("kind") == kind
        and item["involvedObject"].get("name") == name
        and item.get("reason") in reasons
    ]
    return max(found, key=lambda item: item.get("lastTimestamp") or item.get("eventTime") or "", default=None)
