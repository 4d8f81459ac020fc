"""What the roles refuse before they change anything."""

import os
import socket
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbook import ROOT
from tests.roles.conftest import Ansible, Run

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
    "monitoring": {"monitoring_timeout": "soon"},
    "status": {"status_addresses": "none"},
    "image_load": {"image_load_copied": "perhaps"},
}


def play(role: str, hosts: str = "localhost") -> dict[str, Any]:
    return {"hosts": hosts, "gather_facts": False, "roles": [role]}


def attempt(role: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Run a role that is to be refused, and go on; what it changed would be in the recap."""
    return {
        "block": [{"ansible.builtin.include_role": {"name": role}, "vars": variables}],
        "rescue": [{"ansible.builtin.debug": {"msg": f"refused {role}"}}],
    }


@pytest.fixture(scope="module")
def refused(ansible: Ansible) -> Run:
    """One run that gives every role its wrong value."""
    tasks = [attempt(role, variables) for role, variables in WRONG.items()]
    return ansible({"hosts": "localhost", "gather_facts": False, "tasks": tasks})


@pytest.mark.parametrize("role", WRONG)
def test_wrong_values_are_refused_by_the_argument_spec(refused: Run, role: str) -> None:
    assert f"refused {role}" in refused.text
    said = refused.text.split(f"[{role} : Validating arguments", 1)[1].split("refused ", 1)[0]
    assert "Validation of arguments failed" in said
    assert next(iter(WRONG[role])) in said


def test_refusals_change_nothing(refused: Run, state_dir: Path) -> None:
    assert refused.code == 0, refused.output
    assert "changed=0" in refused.text
    assert not state_dir.exists()


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


NO_IMAGES = ["", "a b", "{{ 1 }}", "--all", "Shop", "x;reboot"]


def test_names_that_are_no_image_are_refused(ansible: Ansible) -> None:
    # From the environment, as `make image-load IMAGE=…` gives it: there a name is never a template.
    variables = {f"NAME_{number}": name for number, name in enumerate(NO_IMAGES)}
    names = ["{{ lookup('ansible.builtin.env', '" + variable + "') }}" for variable in variables]
    tasks = [attempt("image_load", {"image_load_image": name}) for name in names]
    done = ansible({"hosts": "localhost", "gather_facts": False, "tasks": tasks}, environment=variables)
    assert done.code == 0, done.output
    assert done.text.count('"msg": "refused image_load"') + done.text.count("msg: refused image_load") == len(
        names
    )
    assert "Read the image's identity" not in done.text


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


def test_taken_ports_are_named_with_the_variables_to_set(
    ansible: Ansible, podman: dict[str, str], state_dir: Path
) -> None:
    names = ("HTTP_PORT", "HTTPS_PORT", "API_PORT", "SSH_PORT")
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in names]
        # Node 1 takes the port after SSH_PORT.
        given = {name: str(port - (name == "SSH_PORT")) for name, port in zip(names, taken, strict=True)}
        # No sudo: the podman of this test is the user's.
        done = ansible(
            play("node_containers"),
            variables={"ansible_become": False},
            environment={**podman, **given},
        )
    assert done.code == 2, done.output
    for name, port in zip(names, taken, strict=True):
        assert f"Port {port} of 127.0.0.1 is taken by another program" in done.text
        assert f"choose another with {name}" in done.text
    assert not state_dir.exists()
