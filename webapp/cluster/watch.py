"""Follows what changes in the whole cluster, by kind: names alone, so that it stays cheap.

One watch per kind serves all projects: it asks the Kubernetes API for objects' metadata and hands on whose
object has changed, never what is in it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

APPLICATION_LABEL = "croft.dev/application"
# kind → path of its list over all namespaces
WATCHED = {
    "pods": "/api/v1/pods",
    "deployments": "/apis/apps/v1/deployments",
    "quotas": "/api/v1/resourcequotas",
    "volumes": "/api/v1/persistentvolumeclaims",
    "events": "/api/v1/events",
}
# Seconds after which a watch is opened anew, from where it was: whoever follows can stop then.
ROUND_S = 20
_AS = "application/json;as={};g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Change:
    """An object has changed. `application` is that of its label; events have none, but a telling name."""

    kind: str
    project: str
    name: str
    application: str | None


class Expired(Exception):
    """The cluster no longer knows what came after our last look: anything may have changed."""


def follow(kind: str, open_: Callable[..., Any]) -> Iterator[Change | None]:
    """Yield changes from now on, without end; None about every ROUND_S seconds, and once at the beginning.

    `open_(path, query, accept=…, timeout=…)` returns urllib3's unread answer. Raises Expired, and what
    `open_` raises.
    """
    path = WATCHED[kind]
    version = _newest(path, open_)
    yield None
    while True:
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(ROUND_S)),
        ]
        response = open_(path, query, accept=_AS.format("PartialObjectMetadata"), timeout=(2, ROUND_S + 10))
        if response.status != 200:
            response.close()
            raise Expired(f"the Kubernetes API answered {response.status} to a watch of {path}")
        try:
            for item in _items(response):
                if item["type"] == "ERROR":
                    raise Expired(f"the watch of {path} cannot go on")
                metadata = item["object"]["metadata"]
                version = metadata["resourceVersion"]
                if item["type"] != "BOOKMARK":
                    labels = metadata.get("labels", {})
                    yield Change(
                        kind, metadata.get("namespace", ""), metadata["name"], labels.get(APPLICATION_LABEL)
                    )
        finally:
            response.close()
        yield None


def _newest(path: str, open_: Callable[..., Any]) -> str:
    response = open_(path, [("limit", "1")], accept=_AS.format("PartialObjectMetadataList"))
    data = response.data
    if response.status != 200:
        raise Expired(f"the Kubernetes API answered {response.status} to GET {path}")
    return json.loads(data)["metadata"]["resourceVersion"]


def _items(response: Any) -> Iterator[dict[str, Any]]:
    rest = b""
    for chunk in response.stream(64 * 1024):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines if line)
