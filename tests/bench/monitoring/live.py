"""A live cluster as the benchmark reads it: what the kubelets measured, and what its Prometheus knows."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

NAMESPACE = "croft-monitoring"
PART = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Usage:
    """What a container uses: bytes of working set, and CPU seconds since it began, read `at` a moment."""

    part: str
    memory: int
    cpu_s: float
    at: float


class Cluster:
    """The cluster of a state folder, by its kubeconfig and its bundle's kubectl."""

    def __init__(self, state: Path) -> None:
        self._kubectl = str(state / "bundle" / "bin" / "kubectl")
        self._environment = os.environ | {"KUBECONFIG": str(state / "kubeconfig")}

    def nodes(self) -> list[str]:
        """Return the names of all nodes."""
        return [one["metadata"]["name"] for one in self._json("get", "nodes", "--output=json")["items"]]

    def usage(self) -> dict[tuple[str, str], Usage]:
        """Return what each container of monitoring uses, as the kubelets measured it at its cgroup.

        The keys are names of pod and container.

        Raises RuntimeError when monitoring is not installed.
        """
        pods = self._json("get", "pods", f"--namespace={NAMESPACE}", "--output=json")["items"]
        if not pods:
            raise RuntimeError(f"namespace {NAMESPACE} has no pods: install monitoring first, with make up")
        parts = {pod["metadata"]["name"]: pod["metadata"]["labels"].get(PART, "") for pod in pods}
        found = {}
        for node in self.nodes():
            for pod in self._json("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary")["pods"]:
                if pod["podRef"]["namespace"] != NAMESPACE:
                    continue
                name = pod["podRef"]["name"]
                for one in pod.get("containers", ()):
                    found[name, one["name"]] = Usage(
                        parts.get(name) or name,
                        one["memory"]["workingSetBytes"],
                        one["cpu"]["usageCoreNanoSeconds"] / 1e9,
                        datetime.fromisoformat(one["cpu"]["time"]).timestamp(),
                    )
        return found

    @contextmanager
    def prometheus(self) -> Iterator["Prometheus"]:
        """Forward a port to the cluster's Prometheus; yield it. Raises RuntimeError when that fails."""
        command = (
            self._kubectl, "port-forward", f"--namespace={NAMESPACE}", "--address=127.0.0.1",
            "service/prometheus", ":9090",
        )  # fmt: skip
        with subprocess.Popen(
            command, env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                match = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
                if match is None:
                    raise RuntimeError(f"no way to Prometheus: {process.stderr.readline().strip()}")
                yield Prometheus(f"http://127.0.0.1:{match[1]}")
            finally:
                process.terminate()

    def _json(self, *command: str) -> Any:
        done = subprocess.run(
            (self._kubectl, *command), env=self._environment, text=True, check=False, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(command)}: {done.stderr.strip()}")
        return json.loads(done.stdout)


class Prometheus:
    """The cluster's Prometheus at `url`."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def by_job(self, expression: str) -> dict[str, float]:
        """Return the value of an expression for each job."""
        return {one["metric"]["job"]: float(one["value"][1]) for one in self.vector(expression)}

    def number(self, expression: str) -> float:
        """Return the one value of an expression. Raises ValueError when it has none."""
        found = self.vector(expression)
        if len(found) != 1:
            raise ValueError(f"{expression} has {len(found)} values in this cluster")
        return float(found[0]["value"][1])

    def vector(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; those of `selector[time]` have `values`."""
        answer = self._client.post("/api/v1/query", data={"query": expression})
        return answer.raise_for_status().json()["data"]["result"]

    def intervals(self) -> dict[str, float]:
        """Return how many seconds are between two scrapes, for each job."""
        targets = self._client.get("/api/v1/targets", params={"state": "active"}).raise_for_status().json()
        found = {}
        for target in targets["data"]["activeTargets"]:
            parts = re.findall(r"(\d+)([hms])", target["scrapeInterval"])
            found[target["labels"]["job"]] = float(
                sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)
            )
        return found
