"""What the roles refuse before they change anything."""

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbook import ROOT
from tests.roles.conftest import Ansible

# Per role, first a value that its argument spec refuses, then what the role needs to get that far.
ADDRESSES = {"kubernetes_node_ip": "192.0.2.1", "kubernetes_control_plane_ip": "192.0.2.1"}
WRONG: dict[str, dict[str, Any]] = {
    "host": {"host_packages": {"podman": True}},
    "node_containers": {"node_containers_runtime": "docker"},
    "node": {"node_mounts": [{"where": "/mnt", "type": "nfs"}]},
    "containerd": {"containerd_restrict_oom_score_adj": "perhaps"},
    "kubernetes": {"kubernetes_proxy_mode": "userspace", **ADDRESSES},
    "network": {"network_bundle_source": "somewhere"},
    "storage": {"storage_timeout": "soon"},
    "ingress": {"ingress_http_port": "eighty"},
    "metrics": {"metrics_timeout": "soon"},
    "status": {"status_addresses": "none"},
    "image_load": {"image_load_copied": "perhaps"},
}


def play(role: str, hosts: str = "localhost") -> dict[str, Any]:
    return {"hosts": hosts, "gather_facts": False, "roles": [role]}


@pytest.mark.parametrize("role", WRONG)
def test_wrong_values_are_refused_by_the_argument_spec(ansible: Ansible, role: str, tmp_path: Path) -> None:
    done = ansible(play(role), variables=WRONG[role])
    name = next(iter(WRONG[role]))
    assert done.code == 2, done.output
    assert "Validation of arguments failed" in done.text
    assert name in done.text
    assert "changed=0" in done.text
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("role", WRONG)
def test_every_public_variable_is_specified_and_has_a_default(role: str) -> None:
    folder = ROOT / "roles" / role
    defaults = yaml.safe_load((folder / "defaults/main.yml").read_text())
    options = yaml.safe_load((folder / "meta/argument_specs.yml").read_text())["argument_specs"]["main"][
        "options"
    ]
    assert set(defaults) == set(options)


def test_more_than_one_control_plane_is_refused(ansible: Ansible) -> None:
    tasks = [
        {"ansible.builtin.add_host": {"name": "croft-roles-9", "groups": ["control_plane"]}},
        {"ansible.builtin.include_role": {"name": "kubernetes"}},
    ]
    done = ansible({"hosts": "localhost", "gather_facts": False, "tasks": tasks}, variables=ADDRESSES)
    assert done.code == 2
    assert "needs exactly one node (it has 2)" in done.text


def test_leaving_out_all_checks_is_refused(ansible: Ansible) -> None:
    done = ansible(play("kubernetes"), variables={**ADDRESSES, "kubernetes_preflight_ignored": ["all"]})
    assert done.code == 2
    assert 'names checks one by one, never "all"' in done.text


@pytest.mark.parametrize("image", ["", "a b", "{{ 1 }}", "--all", "Shop", "x;reboot"])
def test_names_that_are_no_image_are_refused(ansible: Ansible, image: str) -> None:
    done = ansible(play("image_load"), environment={"IMAGE": image})
    assert done.code == 2
    assert "is not the name of an image" in done.text


def test_status_without_a_cluster_says_how_to_make_one(ansible: Ansible) -> None:
    done = ansible(play("status"))
    assert done.code == 2
    assert "There is no cluster croft-roles" in done.text
    assert "make it with `make up`" in done.text


@pytest.fixture
def podman(tmp_path: Path) -> dict[str, str]:
    """An environment whose podman knows no containers and refuses everything else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "podman"
    program.write_text('#!/bin/sh\n[ "$1" = ps ] && echo "[]" && exit 0\necho "unexpected: $*" >&2\nexit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("name", ["HTTP_PORT", "HTTPS_PORT", "API_PORT", "SSH_PORT"])
def test_a_taken_port_is_named_with_the_variable_to_set(
    ansible: Ansible, podman: dict[str, str], tmp_path: Path, name: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        given = taken - 1 if name == "SSH_PORT" else taken
        # No sudo: the podman of this test is the user's.
        done = ansible(
            play("node_containers"),
            variables={"ansible_become": False},
            environment={**podman, name: str(given)},
        )
    assert done.code == 2, done.output
    assert f"Port {taken} of 127.0.0.1 is taken by another program" in done.text
    assert f"choose another with {name}" in done.text
    assert not (tmp_path / "state").exists()
