"""What Prometheus asks, and which of that does not answer.

Network policies let nobody but the portal reach Prometheus, not even the API server's proxy on another node;
a forwarded port ends inside of its own pod.
"""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PATH = "/api/v1/targets?state=active"


class TargetsError(Exception):
    """Prometheus could not be asked; the text says why."""


@contextmanager
def forwarded(kubectl: str, kubeconfig: str, namespace: str) -> Iterator[str]:
    """Forward a port of this machine to Prometheus, and yield its address. Raises TargetsError."""
    command = [kubectl, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "port-forward"]
    with subprocess.Popen(
        [*command, "deployment/prometheus", ":9090"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            said = process.stdout.readline().strip()
            port = re.search(r"127\.0\.0\.1:(\d+)", said)
            if not port:
                raise TargetsError(f"Prometheus is not to be reached: {said}")
            yield f"http://127.0.0.1:{port[1]}"
        finally:
            process.kill()


def active(address: str) -> list[dict[str, Any]]:
    """Return the targets (`labels`, `health`, `lastError`) of the Prometheus at `address`.

    Raises TargetsError.
    """
    # Whatever proxy the environment names, this machine is not behind it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address + _PATH, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["activeTargets"]
    except (OSError, ValueError, KeyError) as error:
        raise TargetsError(f"Prometheus does not answer: {error}") from None
    return found


def troubles(targets: list[dict[str, Any]], jobs: list[str]) -> list[str]:
    """Return a sentence about each target of `jobs` that does not answer, and about each of them without one.

    Without `jobs` all targets are looked at. One that was not asked yet counts as one that does not answer.
    """
    asked = {target["labels"]["job"] for target in targets}
    silent = [
        f"{target['labels']['job']} at {_place(target['labels'])} does not answer: "
        f"{target['lastError'] or 'not asked yet'}"
        for target in targets
        if target["health"] != "up" and (not jobs or target["labels"]["job"] in jobs)
    ]
    return sorted([*silent, *(f"{job} has no target" for job in jobs if job not in asked)])


def _place(labels: dict[str, str]) -> str:
    pod = f"{labels.get('namespace', '')}/{labels['pod']}" if "pod" in labels else ""
    return labels.get("node") or pod or labels["instance"]


def wait_for_answers(address: str, jobs: list[str], seconds: float) -> list[str]:
    """Return the troubles that are left after `seconds`, or at once when there are none.

    Raises TargetsError when Prometheus does not answer at all.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            left = troubles(active(address), jobs)
        except TargetsError:
            if time.monotonic() > end:
                raise
        else:
            if not left or time.monotonic() > end:
                return left
        time.sleep(1)
