"""A job that this worker runs: its files, its pipe of events, and how it ends."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from webapp.config import Config
from webapp.jobs.events import NewEvent
from webapp.jobs.queue import ClaimedJob

_READ_SIZE = 1 << 16


@dataclass
class RunningJob:
    """One claimed job between its start and its end."""

    job: ClaimedJob
    folder: Path
    pipe: int
    deadline: float
    started: float = field(default_factory=time.monotonic)
    # Why the worker ends it: "cancel", "timeout", "stop" (the worker stops), "lost" (it is another worker's
    # now).
    reason: str | None = None
    events: list[NewEvent] = field(default_factory=list)
    written_at: float = 0.0
    task: str = ""
    # What webapp.worker.play said at its end: status, message, result.
    end: dict[str, Any] | None = None
    # What the launcher said when no process was left: code, left.
    ended: dict[str, Any] | None = None
    _rest: bytes = b""

    def read(self) -> bool:
        """Take in what the pipe holds. Returns False at its end."""
        try:
            data = os.read(self.pipe, _READ_SIZE)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return bool(data)

    def _take(self, line: Mapping[str, Any]) -> None:
        if "end" in line:
            self.end = line["end"]
            return
        event = line["event"]
        if event["kind"] == "task":
            self.task = event["text"]
        moment = datetime.fromisoformat(event["time"])
        self.events.append(NewEvent(event["kind"], event["text"], event["data"], moment))

    @property
    def gone(self) -> bool:
        """Whether nothing of it runs any more, and everything it said has been read."""
        return self.ended is not None and self.pipe < 0


def prepare(folder: Path, job: ClaimedJob, config: Config) -> dict[str, Any]:
    """Make the job's private folder with its request; return what play() needs. Raises OSError."""
    folder.mkdir(mode=0o700)
    request = folder / "request.json"
    descriptor = os.open(request, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(job.request, file)
    subject, verb = job.kind.split(".")
    return {
        "job": job.id,
        "folder": str(folder),
        "playbook": str(config.home / "playbooks" / f"{subject}.yml"),
        # A plan runs the same tasks, and none of them may change anything.
        "cmdline": "--check --diff" if verb == "plan" else "",
        # These stand on a command line: paths and settings of the operator's, never a user's values.
        "variables": {
            "request_file": str(request),
            "state": "absent" if verb == "delete" else "present",
            "croft_catalog": str(config.catalog),
            "croft_charts": str(config.home / "charts"),
            "croft_domain": config.domain,
            "croft_helm": config.helm,
            "croft_http_port": config.http_port,
            "croft_https_port": config.https_port,
            "croft_cert_issuer": config.cert_issuer,
            "croft_kubeconfig": config.kubeconfig,
        },
    }


def remove(folder: Path) -> None:
    """Remove the job's folder with its request. Raises OSError when something in it cannot be removed."""
    if folder.exists():
        shutil.rmtree(folder)
