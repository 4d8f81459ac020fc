"""Events of the cluster as the Kubernetes API shows them, and whose they are."""

import re
from datetime import UTC, datetime
from typing import Any

from webapp.cluster.pods import shorten
from webapp.cluster.state import ClusterEvent

# Kubernetes makes suffixes of generated names from these alone (k8s.io/apimachinery/pkg/util/rand).
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
_SUFFIXES = {
    "ReplicaSet": f"-{_RANDOM}{{1,10}}",
    "Pod": f"(-{_RANDOM}{{1,10}}-{_RANDOM}{{5}}|-[0-9]{{1,5}})",
}


def event_from(item: dict[str, Any]) -> ClusterEvent:
    """Return the event that an API object (core/v1 Event) describes."""
    about = item.get("involvedObject", {})
    series = item.get("series") or {}
    made = item["metadata"]["creationTimestamp"]
    first = item.get("firstTimestamp") or item.get("eventTime") or made
    last = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime") or made
    return ClusterEvent(
        kind=about.get("kind", ""),
        name=about.get("name", ""),
        warning=item.get("type") == "Warning",
        reason=item.get("reason", ""),
        message=shorten(item.get("message", "")),
        count=series.get("count") or item.get("count") or 1,
        first_at=datetime.fromisoformat(first).astimezone(UTC),
        last_at=datetime.fromisoformat(last).astimezone(UTC),
    )


def belongs(event: ClusterEvent, application: str, pods: frozenset[str] = frozenset()) -> bool:
    """Tell whether the event is about an object of the application.

    Events carry no labels, and many are about objects that are gone: their names tell, by how Kubernetes
    makes them from the Deployment's. `pods`: names of pods known to be the application's.
    """
    if event.name == application or (event.kind == "Pod" and event.name in pods):
        return True
    suffix = _SUFFIXES.get(event.kind)
    return suffix is not None and re.fullmatch(re.escape(application) + suffix, event.name) is not None


def about(name: str, application: str) -> bool:
    """Tell by an event's own name ("web-5c9d7b6f4-x2k9p.17a…") whether it is about the application."""
    about_name = name.rpartition(".")[0]
    return about_name == application or any(
        re.fullmatch(re.escape(application) + suffix, about_name) for suffix in _SUFFIXES.values()
    )
