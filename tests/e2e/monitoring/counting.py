"""A known load, as those count it who are none of Croft's: the load itself, the kernel, metrics-server."""

import json
import threading
import time
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from tests.e2e.conftest import Kubectl
from tests.e2e.monitoring import cgroups

Json = dict[str, Any]


class MetricsServer(threading.Thread):
    """Reads what `kubectl top` shows, every 5 s. Each answer holds for a window of its own of about 15 s."""

    def __init__(self, kubectl: Kubectl, pod: Json) -> None:
        super().__init__(daemon=True)
        where = pod["metadata"]
        self._path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{where['namespace']}/pods/{where['name']}"
        self._kubectl = kubectl
        self._over = threading.Event()
        self._seen: dict[str, Json] = {}

    def run(self) -> None:
        """Collect the answers by their times until the end."""
        while not self._over.wait(5):
            # After a scrape that took too long there is no answer for one round.
            answer = self._kubectl("get", "--raw", self._path, check=False)
            if answer.startswith("{"):
                told = json.loads(answer)
                self._seen[told["timestamp"]] = told["containers"][0]["usage"]

    def finish(self) -> dict[str, float]:
        """Return the mean of what was seen since the start: CPU in cores, memory in bytes."""
        self._over.set()
        self.join()
        used = list(self._seen.values())
        assert len(used) >= 3, self._seen
        return {
            "cpu": fmean(int(usage["cpu"].removesuffix("n")) / 1e9 for usage in used),
            "memory": fmean(int(usage["memory"].removesuffix("Ki")) * 1024 for usage in used),
        }


@dataclass(frozen=True)
class Count:
    """Everything that has been counted up to a moment of the pods `load` (which sends) and `sink`.

    `requests`: the statuses of all answers so far.
    """

    time: float
    told: dict[str, Json]
    kernel: dict[str, cgroups.Reading]
    requests: list[int]

    @classmethod
    def now(cls, kubectl: Kubectl, pods: dict[str, Json], statuses: list[int]) -> "Count":
        """Count all of it now."""
        lines = {name: _last_line(kubectl, pod) for name, pod in pods.items() if name in ("load", "sink")}
        kernel = {name: cgroups.read(pods[name]) for name in lines}
        return cls(time.time(), lines, kernel, list(statuses))

    def used_since(self, before: "Count") -> dict[str, float]:
        """What the loads themselves say that they used, per second; memory as it is, errors as a share."""

        def rate(name: str, what: str) -> float:
            new, old = self.told[name], before.told[name]
            return float((new[what] - old[what]) / (new["time"] - old["time"]))

        answers = self.requests[len(before.requests) :]
        return {
            **{what: rate("load", what) for what in ("cpu", "written", "sent")},
            "received": rate("sink", "received"),
            "memory": self.told["load"]["memory"],
            "requests": len(answers) / (self.time - before.time),
            "errors": answers.count(500) / len(answers),
        }

    def kernel_since(self, before: "Count") -> dict[str, float]:
        """What the kernel counted, per second; memory as it is."""

        def rate(name: str, what: str) -> float:
            new, old = self.kernel[name], before.kernel[name]
            return float((getattr(new, what) - getattr(old, what)) / (new.time - old.time))

        return {
            **{what: rate("load", what) for what in ("cpu", "written", "sent")},
            "received": rate("sink", "received"),
            "memory": self.kernel["load"].memory,
        }


def _last_line(kubectl: Kubectl, pod: Json) -> Json:
    where = pod["metadata"]
    told: Json = json.loads(kubectl("logs", "-n", where["namespace"], where["name"], "--tail=1"))
    return told
