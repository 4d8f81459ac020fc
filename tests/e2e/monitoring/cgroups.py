"""A container's own control groups, read on its node: what the kernel counted, past every exporter.

Works for control groups of version 1 (one tree for each controller) and version 2 (one tree).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.podman import podman

Json = dict[str, Any]
_READ = Path(__file__).with_suffix(".sh").read_text()


@dataclass(frozen=True)
class Reading:
    """What a container had used at `time`: CPU in seconds, the rest in bytes."""

    time: float
    cpu: float
    memory: float
    written: float
    received: float
    sent: float


def read(pod: Json) -> Reading:
    """Read the control groups of a pod's only container; `memory` is without what the kernel can drop."""
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    lines = podman("exec", pod["spec"]["nodeName"], "sh", "-c", _READ, "read", container).splitlines()
    moment, cpu, usage, droppable, written, network = lines
    assert re.fullmatch(r"[\d+]*", written)
    counters = network.split()
    return Reading(
        time=float(moment),
        cpu=int(cpu) / 1e9,
        memory=int(usage) - int(droppable),
        written=sum(int(part) for part in written.split("+") if part),
        received=int(counters[0]),
        sent=int(counters[8]),
    )
