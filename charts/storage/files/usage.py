"""How much each volume of this node holds, told to Prometheus. A thread of the provisioner.

The sizes that claims ask for are not enforced, so what a volume really holds has to be counted: file by file,
as `du` does. That is done slowly, a few percent of the time, and what a pod puts into its volume cannot lead
it elsewhere: links are not followed, and neither are other file systems.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity
from urllib3.exceptions import HTTPError

NODE_LABEL = "croft.dev/node"
# Seconds between two counts, and how many times longer than a count took the pause is at least.
INTERVAL = 60
PAUSE = 20
# The most that is looked at in one volume. What lies deeper, or comes later, is not counted.
MOST_FILES = 1_000_000
MOST_FOLDERS_DEEP = 64
HELP = {
    "croft_volume_used_bytes": "Bytes on disk of all files in a claim's volume.",
    "croft_volume_capacity_bytes": "Bytes that the volume's claim asked for; nothing enforces them.",
}

log = logging.getLogger("usage")


@dataclass(frozen=True)
class Volume:
    """One volume's labels, and its two sizes in bytes; `used` is None when it could not be counted."""

    namespace: str
    claim: str
    workload: str
    capacity: int
    used: int | None


def count(folder: Path) -> int:
    """Return the bytes on disk of everything in `folder`: no links followed, no other file system entered.

    A file with several names counts once. What is deleted meanwhile counts nothing. Raises OSError.
    """
    device = folder.lstat().st_dev
    seen: set[int] = set()
    total = 0
    # fwalk opens each folder by its parent's descriptor, so that nobody can put a link in its place.
    for path, folders, files, parent in os.fwalk(folder, follow_symlinks=False, onerror=_gone):
        held = {name: _status(name, parent) for name in (*folders, *files)}
        deep = len(Path(path).relative_to(folder).parts) >= MOST_FOLDERS_DEEP
        folders[:] = [
            name for name in folders if not deep and (status := held[name]) and status.st_dev == device
        ]
        for status in held.values():
            if status is None or status.st_dev != device or (status.st_nlink > 1 and status.st_ino in seen):
                continue
            seen.add(status.st_ino)
            total += status.st_blocks * 512
        if len(seen) > MOST_FILES:
            log.warning("%s has more than %s files; the rest is not counted", folder.name, MOST_FILES)
            break
    return total


def _status(name: str, parent: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def measure(api: Any, node: str, volumes: Path) -> list[Volume]:
    """Count all bound volumes of this node; `api` is a CoreV1Api. Raises what the API raises."""
    claims = {
        (claim.metadata.namespace, claim.metadata.name): claim
        for claim in api.list_persistent_volume_claim_for_all_namespaces().items
    }
    found = []
    for volume in api.list_persistent_volume(label_selector=f"{NODE_LABEL}={node}").items:
        owner = volume.spec.claim_ref
        claim = claims.get((owner.namespace, owner.name)) if owner else None
        if claim is None or claim.metadata.uid != owner.uid:
            continue
        folder = volumes / Path(volume.spec.local.path).name
        try:
            used = count(folder)
        except OSError as error:
            log.warning("cannot count %s/%s: %s", owner.namespace, owner.name, error)
            used = None
        capacity = int(parse_quantity(volume.spec.capacity["storage"]))
        found.append(Volume(owner.namespace, owner.name, _workload(claim), capacity, used))
    return found


def _workload(claim: Any) -> str:
    """What the claim belongs to: the application, or the part of the platform, that its labels name."""
    labels = claim.metadata.labels or {}
    name: str = (
        labels.get("croft.dev/application") or labels.get("app.kubernetes.io/name") or claim.metadata.name
    )
    return name


def text(volumes: list[Volume]) -> str:
    """Return the metrics in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats)."""
    return "".join(f"{line}\n" for line in _lines(volumes))


def _lines(volumes: list[Volume]) -> Iterator[str]:
    for name, description in HELP.items():
        yield f"# HELP {name} {description}"
        yield f"# TYPE {name} gauge"
        for volume in volumes:
            value = volume.used if name == "croft_volume_used_bytes" else volume.capacity
            if value is not None:
                # Names and labels of Kubernetes hold nothing that would have to be escaped.
                labels = f'namespace="{volume.namespace}",persistentvolumeclaim="{volume.claim}"'
                yield f'{name}{{{labels},workload="{volume.workload}"}} {value}'


class Usage:
    """What was counted last, and the server that tells it."""

    def __init__(self, api: Any, node: str, volumes: Path) -> None:
        self.api, self.node, self.volumes = api, node, volumes
        self.last = ""

    def start(self, port: int) -> int:
        """Count and serve in threads of their own from now on; return the port (another one for 0)."""
        server = ThreadingHTTPServer(("", port), self._handler())
        for target in (server.serve_forever, self._count_forever):
            threading.Thread(target=target, daemon=True).start()
        return server.server_address[1]

    def _count_forever(self) -> None:
        while True:
            start = time.monotonic()
            try:
                self.last = text(measure(self.api, self.node, self.volumes))
            except (ApiException, HTTPError, OSError, ValueError) as error:
                # What was true a minute ago is better than nothing.
                log.warning("volumes could not be counted: %s", error)
            time.sleep(max(INTERVAL, PAUSE * (time.monotonic() - start)))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        usage = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                found = self.path == "/metrics"
                body = usage.last.encode() if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody needs a line each half minute."""

        return Handler
