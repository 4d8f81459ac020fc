"""What kubeadm is told, rendered with the role's defaults and the local inventory's settings."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbook import ROOT
from tests.roles.conftest import Ansible

Json = dict[str, Any]
Render = Callable[..., dict[str, Json]]


@pytest.fixture
def render(ansible: Ansible, tmp_path: Path) -> Render:
    """Render a template for node 1: render("init", nodes=…, cgroup2=…, …) returns documents by kind."""

    def run(template: str, nodes: int = 1, cgroup2: bool = True, **variables: Any) -> dict[str, Json]:
        out = tmp_path / "rendered.yml"
        play = {
            "hosts": "croft-roles-1",
            "gather_facts": False,
            "tasks": [
                # Brings the role's variables and runs nothing.
                {"ansible.builtin.import_role": {"name": "kubernetes"}, "when": False},
                {
                    "ansible.builtin.template": {
                        "src": str(ROOT / f"roles/kubernetes/templates/{template}.yml.j2"),
                        "dest": str(out),
                        "mode": "0600",
                    }
                },
            ],
        }
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "kubernetes_node_ip": "192.0.2.11",
            "kubernetes_control_plane_ip": "192.0.2.11",
            "__kubernetes_cgroup2": {"stat": {"exists": cgroup2}},
        }
        done = ansible(play, variables={**common, **variables}, environment={"NODES": str(nodes)})
        assert done.code == 0, done.output
        return {item["kind"]: item for item in yaml.safe_load_all(out.read_text())}

    return run


def test_one_local_node_runs_pods_and_answers_on_published_ports(render: Render) -> None:
    made = render("init")
    init = made["InitConfiguration"]
    assert init["apiVersion"] == made["ClusterConfiguration"]["apiVersion"] == "kubeadm.k8s.io/v1beta4"
    assert init["localAPIEndpoint"] == {"advertiseAddress": "192.0.2.11", "bindPort": 6443}
    registration = init["nodeRegistration"]
    assert registration["name"] == "croft-roles-1"
    assert registration["taints"] == []
    assert {"name": "node-ip", "value": "192.0.2.11"} in registration["kubeletExtraArgs"]
    cluster = made["ClusterConfiguration"]
    assert cluster["kubernetesVersion"] == "v1.36.3"
    assert set(cluster["apiServer"]["certSANs"]) == {"127.0.0.1", "localhost", "croft-roles-1"}


def test_workers_keep_pods_off_the_control_plane(render: Render) -> None:
    assert "taints" not in render("init", nodes=3)["InitConfiguration"]["nodeRegistration"]


def test_checks_are_left_out_by_name_and_only_for_containers(render: Render) -> None:
    ignored = render("init")["InitConfiguration"]["nodeRegistration"]["ignorePreflightErrors"]
    assert set(ignored) == {
        "SystemVerification",
        "Swap",
        "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables",
    }
    defaults = yaml.safe_load((ROOT / "roles/kubernetes/defaults/main.yml").read_text())
    assert defaults["kubernetes_preflight_ignored"] == []
    assert defaults["kubernetes_fail_swap_on"] is True


@pytest.mark.parametrize(("cgroup2", "driver"), [(True, "systemd"), (False, "cgroupfs")])
def test_the_kubelet_follows_the_nodes_cgroups(render: Render, cgroup2: bool, driver: str) -> None:
    kubelet = render("init", cgroup2=cgroup2)["KubeletConfiguration"]
    assert kubelet["cgroupDriver"] == driver
    assert kubelet["failCgroupV1"] is False


def test_containers_do_not_count_the_machines_disk(render: Render) -> None:
    kubelet = render("init")["KubeletConfiguration"]
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert not str(kubelet["evictionHard"]["nodefs.available"]).endswith("%")


def test_a_name_cannot_add_settings(render: Render) -> None:
    made = render("init", kubernetes_cluster_name="a: b")
    assert made["ClusterConfiguration"]["clusterName"] == "a: b"


def test_joining_checks_the_control_planes_key(render: Render) -> None:
    command = (
        "kubeadm join 192.0.2.11:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:"
    )
    made = render("join", nodes=2, __kubernetes_join={"stdout": command + "ab" * 32 + " "})
    discovery = made["JoinConfiguration"]["discovery"]["bootstrapToken"]
    assert discovery == {
        "apiServerEndpoint": "192.0.2.11:6443",
        "token": "abcdef.0123456789abcdef",
        "caCertHashes": ["sha256:" + "ab" * 32],
    }
