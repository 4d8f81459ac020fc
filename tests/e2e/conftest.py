"""The cluster that the end-to-end tests run on; CROFT_STATE_DIR says which."""

import itertools
import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm import helm_binary
from tests.playbook import ROOT, PlaybookRun, run_playbook
from tests.portal import Portal

Kubectl = Callable[..., str]
Change = Callable[..., PlaybookRun]


@pytest.fixture(scope="session")
def state_dir() -> Path:
    """Folder that holds the cluster's kubeconfig and settings."""
    given = os.environ.get("CROFT_STATE_DIR")
    assert given, "set CROFT_STATE_DIR to the cluster's folder below .croft (make e2e does)"
    return Path(given).resolve()


@pytest.fixture(scope="session")
def settings(state_dir: Path) -> dict[str, Any]:
    """What the cluster was made with: nodes and ports."""
    found: dict[str, Any] = yaml.safe_load((state_dir / "cluster.yml").read_text())
    return found


@pytest.fixture(scope="session")
def kubeconfig(state_dir: Path) -> str:
    """Path of the administrator's kubeconfig."""
    path = state_dir / "kubeconfig"
    assert path.is_file(), f"{path} is missing: the cluster is not up"
    return str(path)


@pytest.fixture(scope="session")
def kubectl(kubeconfig: str) -> Kubectl:
    """Run the bundle's kubectl and return what it prints; `check=False` returns also when it fails."""

    def run(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [str(Path(helm_binary()).with_name("kubectl")), "--kubeconfig", kubeconfig, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def agnhost() -> str:
    """Name of the bundle's test image, which every node has."""
    lock = yaml.safe_load((ROOT / "bundle/lock.yml").read_text())
    image: str = lock["images"]["agnhost"]["name"]
    return image.format(agnhost=lock["components"]["agnhost"]["version"])


@pytest.fixture(scope="session")
def change(kubeconfig: str, settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Change:
    """Run playbooks/project.yml or application.yml with a request: change("project", {…}, state=…)."""
    folder = tmp_path_factory.mktemp("requests")
    numbers = itertools.count()

    def run(kind: str, request: dict[str, Any], *arguments: str, **variables: Any) -> PlaybookRun:
        file = folder / f"{next(numbers)}.json"
        file.write_text(json.dumps({kind: request}))
        common = {
            "request_file": str(file),
            "croft_kubeconfig": kubeconfig,
            "croft_helm": helm_binary(),
            "croft_http_port": settings["http_port"],
            "croft_https_port": settings["https_port"],
        }
        return run_playbook(kind, *arguments, variables={**common, **variables})

    return run


@pytest.fixture(scope="module")
def new_project(change: Change) -> Iterator[Callable[..., str]]:
    """Make projects that are removed at the end of the module, whatever happened: new_project("e2e-shop")."""
    made: list[str] = []

    def make(name: str, **more: Any) -> str:
        made.append(name)
        run = change("project", {"name": name, **more})
        assert run.code == 0, run.output
        return name

    yield make
    for name in made:
        run = change("project", {"name": name}, state="absent")
        assert run.code == 0, run.output


@pytest.fixture(scope="session")
def portal_url(settings: dict[str, Any]) -> str:
    """Where users reach the portal; CROFT_PORTAL_URL names another one, of `make portal`."""
    return os.environ.get("CROFT_PORTAL_URL") or f"http://croft.localhost:{settings['http_port']}"


@pytest.fixture(scope="session")
def admin(kubectl: Kubectl) -> tuple[str, str]:
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
