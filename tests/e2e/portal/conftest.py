"""The portal of the cluster that the end-to-end tests run on."""

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from tests.portal import Portal
from tests.samples import small_application


@pytest.fixture(scope="session")
def portal_url(settings: dict[str, Any]) -> str:
    """Where users reach the portal; CROFT_PORTAL_URL names another one, of `make portal`."""
    return os.environ.get("CROFT_PORTAL_URL") or f"http://croft.localhost:{settings['http_port']}"


@pytest.fixture(scope="session")
def admin(kubectl: Callable[..., str]) -> tuple[str, str]:
    """Name and password of the administrator, as `make credentials` prints them; of CROFT_PORTAL_ADMIN when
    another portal is named.
    """
    if given := os.environ.get("CROFT_PORTAL_ADMIN"):
        name, _, password = given.partition(":")
        return name, password
    data = json.loads(kubectl("get", "secret", "portal", "-n", "croft", "-o", "json"))["data"]
    return b64decode(data["admin-name"]).decode(), b64decode(data["admin-password"]).decode()


@pytest.fixture(scope="session")
def portal(portal_url: str, admin: tuple[str, str]) -> Portal:
    """The API, signed in as administrator."""
    client = Portal(portal_url)
    client.sign_in(*admin)
    return client


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
        as_root = [] if os.getuid() == 0 else ["sudo"]
        node = [*as_root, "podman", "exec", found["spec"]["nodeName"]]
        subprocess.run([*node, "sh", "-c", f"kill -KILL $(cat {task}/init.pid)"], check=True)

    return kill
