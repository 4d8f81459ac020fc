"""The portal of the cluster that the end-to-end tests run on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.podman import podman
from tests.samples import small_application


@pytest.fixture
def agnhost_settings(agnhost: str) -> dict[str, Any]:
    """Settings of the smallest application that answers HTTP."""
    return small_application(agnhost)


@pytest.fixture
def kill_worker(kubectl: Callable[..., str]) -> Callable[[], None]:
    """End the portal's worker by SIGKILL, as a crash would, from outside its container."""

    def kill() -> None:
        pods = kubectl("get", "pod", "-n", "croft", "-l", "app.kubernetes.io/name=portal", "-o", "json")
        found = json.loads(pods)["items"][0]
        status = next(item for item in found["status"]["containerStatuses"] if item["name"] == "worker")
        container = status["containerID"].removeprefix("containerd://")
        # A local node is a podman container of the same name; containerd notes there its first process.
        task = f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{container}"
        podman("exec", found["spec"]["nodeName"], "sh", "-c", f"kill -KILL $(cat {task}/init.pid)")

    return kill
