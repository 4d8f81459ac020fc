"""The action plugin kube_apply, with a kubectl that keeps its objects in a file."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.roles.conftest import Ansible, Run

# get prints the stored versions, apply raises the version of what differs, diff tells whether anything would.
KUBECTL = """#!/usr/bin/env python3
import json, pathlib, sys
store = pathlib.Path(__file__).with_name("store.json")
known = json.loads(store.read_text()) if store.exists() else {}
file = pathlib.Path(sys.argv[sys.argv.index("--filename") + 1])
wanted = json.loads(file.read_text())
verb = next(word for word in ("get", "apply", "diff", "wait") if word in sys.argv)
if "refuse" in wanted:
    sys.exit("error: the server refuses")
if verb == "get":
    for name in wanted:
        if name in known:
            print("Thing", "<none>", name, "uid-" + name, known[name]["version"])
elif verb == "apply":
    for name, content in wanted.items():
        old = known.get(name, {"version": 0, "content": None})
        if old["content"] != content:
            known[name] = {"version": old["version"] + 1, "content": content}
    store.write_text(json.dumps(known))
elif verb == "diff":
    sys.exit(any(known.get(name, {}).get("content") != content for name, content in wanted.items()))
"""


class Cluster:
    """A manifest, a kubeconfig and the kubectl above; apply() runs a play with one task."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self.ansible, self.folder = ansible, folder
        self.kubectl = folder / "kubectl"
        self.kubectl.write_text(KUBECTL)
        self.kubectl.chmod(self.kubectl.stat().st_mode | stat.S_IXUSR)
        (folder / "kubeconfig").touch()

    def apply(self, objects: dict[str, Any], *arguments: str) -> Run:
        manifest = self.folder / "manifest.yml"
        manifest.write_text(json.dumps(objects))
        task = {
            "kube_apply": {
                "files": [str(manifest)],
                "kubeconfig": str(self.folder / "kubeconfig"),
                "kubectl": str(self.kubectl),
            }
        }
        return self.ansible({"hosts": "localhost", "gather_facts": False, "tasks": [task]}, *arguments)


@pytest.fixture
def cluster(ansible: Ansible, tmp_path: Path) -> Cluster:
    return Cluster(ansible, tmp_path)


def test_changed_exactly_when_the_server_stored_something_else(cluster: Cluster) -> None:
    assert "changed=1" in cluster.apply({"a": 1, "b": 1}).text
    assert "changed=0" in cluster.apply({"a": 1, "b": 1}).text
    assert "changed=1" in cluster.apply({"a": 1, "b": 2}).text


def test_a_check_tells_and_stores_nothing(cluster: Cluster) -> None:
    assert "changed=1" in cluster.apply({"a": 1}, "--check").text
    assert not (cluster.folder / "store.json").exists()
    cluster.apply({"a": 1})
    assert "changed=0" in cluster.apply({"a": 1}, "--check").text


def test_what_the_server_says_is_shown_with_the_file(cluster: Cluster) -> None:
    done = cluster.apply({"refuse": True})
    assert done.code == 2
    assert "manifest.yml could not be applied: error: the server refuses" in done.text


def test_a_missing_file_is_named(ansible: Ansible) -> None:
    task = {"kube_apply": {"files": ["/nowhere/crds.yaml"], "kubeconfig": "/nowhere/kubeconfig"}}
    done = ansible({"hosts": "localhost", "gather_facts": False, "tasks": [task]})
    assert done.code == 2
    assert "manifest files are missing: /nowhere/crds.yaml" in done.text
