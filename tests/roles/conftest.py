"""Running roles as an operator does, without a cluster."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.playbook import ROOT

SETTINGS = (
    "CLUSTER",
    "NODES",
    "HTTP_PORT",
    "HTTPS_PORT",
    "API_PORT",
    "SSH_PORT",
    "BUNDLE_SOURCE",
    "CROFT_CACHE",
)


@dataclass(frozen=True)
class Run:
    """One ended process: its exit code and what it printed (both streams, line breaks as spaces)."""

    code: int
    output: str

    @property
    def text(self) -> str:
        """The output as one line with single spaces, so that wrapped messages can be found."""
        return " ".join(self.output.split())


Ansible = Callable[..., Run]
MONITORING = ("prometheus", "alertmanager", "prom-label-proxy", "node-exporter", "otel-collector", "cadvisor")


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without settings of the user's own clusters."""
    return {key: value for key, value in os.environ.items() if key not in (*SETTINGS, "ANSIBLE_CONFIG")}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle's folder with nothing but the manifest that the roles read."""
    folder = tmp_path_factory.mktemp("bundles") / "0123456789abcdef"
    folder.mkdir()
    shorts = ("pause", "contour", "envoy", "metrics-server", "portal-base", "etcd", "agnhost", *MONITORING)
    images = {
        name: {"name": f"example.org/{name}:1", "file": f"{name}.tar", "used_by": "nodes"} for name in shorts
    }
    manifest = {
        "key": folder.name,
        "source": "modules",
        "components": {"kubernetes": "v1.36.3"},
        "images": images,
        "files": {f"{name}.tar": {"sha256": name.encode().hex(), "size": 1} for name in shorts},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cluster's state folder would be; nothing may make it."""
    return tmp_path_factory.mktemp("checkout") / "state"


@pytest.fixture(scope="session")
def ansible(
    clean_environment: dict[str, str],
    bundle: Path,
    state_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ansible:
    """Run a play against the local inventory: ansible({play…}, variables={…}, environment={…})."""
    folder = tmp_path_factory.mktemp("plays")

    def run(
        play: dict[str, Any],
        *arguments: str,
        variables: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Run:
        file = folder / f"{len(list(folder.iterdir()))}.yml"
        file.write_text(json.dumps([play]))
        extra = {
            "croft_bundle_dir": str(bundle),
            "croft_state_dir": str(state_dir),
            **(variables or {}),
        }
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "--inventory=inventories/local",
                f"--extra-vars={json.dumps(extra)}",
                *arguments,
                str(file),
            ],
            cwd=ROOT,
            env={
                **clean_environment,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
                **{"CLUSTER": "croft-roles", **(environment or {})},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    return run
