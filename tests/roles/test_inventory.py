"""The local inventory: which setting wins, and which are refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.playbook import ROOT

SCRIPT = ROOT / "inventories/local/hosts.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of its own with the inventory script, so that saved settings are the test's."""
    script = tmp_path / "inventories/local/hosts.py"
    script.parent.mkdir(parents=True)
    script.write_text(SCRIPT.read_text())
    return tmp_path


def run(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(checkout / "inventories/local/hosts.py"), *(arguments or ("--list",))],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def listed(checkout: Path, **environment: str) -> dict[str, Any]:
    done = run(checkout, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def save(checkout: Path, cluster: str, text: str) -> None:
    folder = checkout / ".croft" / cluster
    folder.mkdir(parents=True)
    (folder / "cluster.yml").write_text(text)


def test_defaults_make_one_node_with_every_part(checkout: Path) -> None:
    found = listed(checkout)
    assert found["control_plane"]["hosts"] == found["ingress_nodes"]["hosts"] == ["croft-1"]
    assert found["workers"]["hosts"] == []
    variables = found["all"]["vars"]
    assert variables["croft_state_dir"] == str(checkout / ".croft/croft")
    assert variables["croft_settings"] == {
        "nodes": 1,
        "http_port": 8080,
        "https_port": 8443,
        "api_port": 16443,
        "ssh_port": 12220,
        "bundle_source": "auto",
    }
    assert found["_meta"]["hostvars"]["croft-1"]["ansible_port"] == 12221


def test_saved_settings_win_over_defaults_and_the_environment_over_both(checkout: Path) -> None:
    save(checkout, "lab", "nodes: 2\nhttp_port: 9080\nssh_port: 9220\n")
    found = listed(checkout, CLUSTER="lab", HTTP_PORT="9081")
    assert found["all"]["vars"]["croft_http_port"] == 9081
    assert found["all"]["vars"]["croft_ssh_port"] == 9220
    assert found["all"]["vars"]["croft_https_port"] == 8443
    assert found["control_plane"]["hosts"] + found["workers"]["hosts"] == ["lab-1", "lab-2"]
    assert found["_meta"]["hostvars"]["lab-2"]["ansible_port"] == 9222


def test_settings_of_one_cluster_do_not_reach_another(checkout: Path) -> None:
    save(checkout, "lab", "nodes: 3\nhttp_port: 9080\n")
    assert listed(checkout, CLUSTER="other")["all"]["vars"]["croft_settings"]["nodes"] == 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CLUSTER": "Croft"}, "CLUSTER is 'Croft'"),
        ({"CLUSTER": "a b"}, "CLUSTER is 'a b'"),
        ({"CLUSTER": "../x"}, "CLUSTER is '../x'"),
        ({"CLUSTER": "x" * 41}, "1 to 40"),
        ({"NODES": "0"}, "NODES is '0'"),
        ({"NODES": "21"}, "from 1 to 20"),
        ({"NODES": "two"}, "NODES is 'two'"),
        ({"HTTP_PORT": "65536"}, "HTTP_PORT is '65536'"),
        ({"API_PORT": "-1"}, "API_PORT is '-1'"),
        ({"API_PORT": "{{ 1 }}"}, "API_PORT is '{{ 1 }}'"),
        ({"HTTP_PORT": "8443"}, "HTTP_PORT and HTTPS_PORT are both 8443"),
        ({"SSH_PORT": "8079"}, "HTTP_PORT and SSH_PORT (node 1 takes SSH_PORT + 1) are both 8080"),
        ({"SSH_PORT": "65534", "NODES": "2"}, "would be 65536"),
        ({"BUNDLE_SOURCE": "disk"}, "auto, upstream, modules"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    checkout: Path, environment: dict[str, str], message: str
) -> None:
    done = run(checkout, **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr


@pytest.mark.parametrize("text", ["nodes: [", "- 1\n"])
def test_broken_saved_settings_are_refused_with_their_file(checkout: Path, text: str) -> None:
    save(checkout, "lab", text)
    done = run(checkout, CLUSTER="lab")
    assert done.returncode == 1
    assert str(checkout / ".croft/lab/cluster.yml") in done.stderr


def test_a_wrong_setting_ends_ansible_before_any_task(ansible: Any) -> None:
    done = ansible({"hosts": "localhost", "gather_facts": False, "tasks": []}, environment={"NODES": "none"})
    assert done.code != 0
    assert "NODES is 'none'; give a number from 1 to 20" in done.text
    assert "PLAY [" not in done.output
