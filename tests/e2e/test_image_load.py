"""`make image-load`: an image of this machine's podman runs on every node."""

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import bundled
from tests.e2e.conftest import Kubectl
from tests.e2e.podman import podman

pytestmark = pytest.mark.e2e
SPACE = "e2e-images"
# No registry has it: it runs only where it was loaded.
IMAGE = "localhost/croft-e2e/server:1"


@pytest.fixture
def image(tmp_path: Path) -> Iterator[str]:
    """An image in podman whose only file is a server."""
    archive = tmp_path / "server.tar"
    with tarfile.open(archive, "w") as files:
        files.add(bundled("prom-label-proxy"), "server")
    podman("import", "--change", 'ENTRYPOINT ["/server"]', str(archive), IMAGE)
    yield IMAGE
    podman("rmi", IMAGE)


@pytest.fixture
def space(kubectl: Kubectl) -> Iterator[str]:
    """A namespace, gone afterwards."""
    kubectl("create", "namespace", SPACE)
    yield SPACE
    kubectl("delete", "namespace", SPACE, "--timeout=90s")


def load(state_dir: Path, image: str) -> int:
    """Run `make image-load` in the checkout of the cluster; return how many tasks changed something."""
    command = ["make", "image-load", f"CLUSTER={state_dir.name}", f"IMAGE={image}"]
    done = subprocess.run(
        command, cwd=state_dir.parents[1], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return sum(map(int, re.findall(r" changed=(\d+)", done.stdout)))


def test_an_image_is_loaded_once_and_runs_on_every_node(
    state_dir: Path, kubectl: Kubectl, image: str, space: str
) -> None:
    assert load(state_dir, image) > 0
    assert load(state_dir, image) == 0, "the nodes have it"
    labels = {"app": "loaded"}
    arguments = ["--insecure-listen-address=:8080", "--upstream=http://127.0.0.1:9", "--label=namespace"]
    server = {"name": "server", "image": image, "args": arguments, "ports": [{"containerPort": 8080}]}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [server], "tolerations": [{"operator": "Exists"}]},
    }
    loaded = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "loaded", "namespace": space},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(loaded))
    kubectl("rollout", "status", "daemonset/loaded", "--namespace", space, "--timeout=90s")
    nodes = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    found = json.loads(kubectl("get", "daemonset", "loaded", "--namespace", space, "--output=json"))
    assert found["status"]["numberReady"] == len(nodes)
