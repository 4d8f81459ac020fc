"""What kubeadm is told, rendered with the role's defaults and the local inventory's settings."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbook import ROOT
from tests.roles.conftest import Ansible

Json = dict[str, Any]
Rendered = dict[str, dict[str, Json]]
COMMAND = (
    "kubeadm join 192.0.2.11:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:"
)
VARIABLES = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "kubernetes_node_ip": "192.0.2.11",
    "kubernetes_control_plane_ip": "192.0.2.11",
    # What the role finds out on a node.
    "__kubernetes_cgroup2": {"stat": {"exists": "{{ cgroup2 }}"}},
    "__kubernetes_cluster": "{{ cluster }}",
    "__kubernetes_join": {"stdout": COMMAND + "ab" * 32 + " "},
}
# What is rendered: the template, and variables that differ.
VARIANTS: dict[str, tuple[str, Json]] = {
    "plain": ("init", {}),
    "cgroup1": ("init", {"cgroup2": False}),
    "odd": ("init", {"kubernetes_cluster_name": "a: b"}),
    "join": ("join", {}),
    "components": ("components", {}),
}
# What a cluster keeps that was made before its control plane told its metrics.
CLUSTER = {
    "apiVersion": "kubeadm.k8s.io/v1beta4",
    "kind": "ClusterConfiguration",
    "kubernetesVersion": "v1.36.3",
    "networking": {"podSubnet": "10.99.0.0/16"},
    "etcd": {"local": {"dataDir": "/var/lib/etcd"}},
    "scheduler": {},
    "controllerManager": {"extraArgs": [{"name": "v", "value": "2"}]},
}


def render(ansible: Ansible, folder: Path, nodes: int) -> Rendered:
    """Render the variants for node 1 of a local cluster; returns their documents by variant and kind."""
    tasks: list[Json] = [
        # Brings the role's variables and runs nothing.
        {"ansible.builtin.import_role": {"name": "kubernetes"}, "when": False},
    ]
    for name, (template, variables) in VARIANTS.items():
        source = str(ROOT / f"roles/kubernetes/templates/{template}.yml.j2")
        target = {"src": source, "dest": str(folder / name), "mode": "0600"}
        tasks.append(
            {"ansible.builtin.template": target, "vars": {"cgroup2": True, "cluster": CLUSTER, **variables}}
        )
    play = {"hosts": "croft-roles-1", "gather_facts": False, "tasks": tasks}
    done = ansible(play, variables=VARIABLES, environment={"NODES": str(nodes)})
    assert done.code == 0, done.output
    return {
        name: {item["kind"]: item for item in yaml.safe_load_all((folder / name).read_text())}
        for name in VARIANTS
    }


@pytest.fixture(scope="module")
def one(ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The settings of a cluster with one node."""
    return render(ansible, tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="module")
def three(ansible: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The settings of a cluster with three nodes."""
    return render(ansible, tmp_path_factory.mktemp("three"), 3)


def test_one_local_node_runs_pods_and_answers_on_published_ports(one: Rendered) -> None:
    made = one["plain"]
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


def test_workers_keep_pods_off_the_control_plane(three: Rendered) -> None:
    assert "taints" not in three["plain"]["InitConfiguration"]["nodeRegistration"]


def test_checks_are_left_out_by_name_and_only_for_containers(one: Rendered) -> None:
    ignored = one["plain"]["InitConfiguration"]["nodeRegistration"]["ignorePreflightErrors"]
    assert set(ignored) == {
        "SystemVerification",
        "Swap",
        "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables",
    }
    defaults = yaml.safe_load((ROOT / "roles/kubernetes/defaults/main.yml").read_text())
    assert defaults["kubernetes_preflight_ignored"] == []
    assert defaults["kubernetes_fail_swap_on"] is True


@pytest.mark.parametrize(("variant", "driver"), [("plain", "systemd"), ("cgroup1", "cgroupfs")])
def test_the_kubelet_follows_the_nodes_cgroups(one: Rendered, variant: str, driver: str) -> None:
    kubelet = one[variant]["KubeletConfiguration"]
    assert kubelet["cgroupDriver"] == driver
    assert kubelet["failCgroupV1"] is False


def test_containers_do_not_count_the_machines_disk(one: Rendered) -> None:
    kubelet = one["plain"]["KubeletConfiguration"]
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert not str(kubelet["evictionHard"]["nodefs.available"]).endswith("%")


def test_a_name_cannot_add_settings(one: Rendered) -> None:
    assert one["odd"]["ClusterConfiguration"]["clusterName"] == "a: b"


def test_joining_checks_the_control_planes_key(three: Rendered) -> None:
    discovery = three["join"]["JoinConfiguration"]["discovery"]["bootstrapToken"]
    assert discovery == {
        "apiServerEndpoint": "192.0.2.11:6443",
        "token": "abcdef.0123456789abcdef",
        "caCertHashes": ["sha256:" + "ab" * 32],
    }


BIND = {"name": "bind-address", "value": "0.0.0.0"}  # noqa: S104 - it asks everybody for a token
LISTEN = {"name": "listen-metrics-urls", "value": "http://127.0.0.1:2381,http://192.0.2.11:2381"}


def test_the_control_plane_tells_its_metrics_at_the_nodes_address(one: Rendered) -> None:
    cluster = one["plain"]["ClusterConfiguration"]
    assert cluster["scheduler"]["extraArgs"] == cluster["controllerManager"]["extraArgs"] == [BIND]
    assert cluster["etcd"]["local"]["extraArgs"] == [LISTEN]


def test_an_older_cluster_keeps_its_own_settings_besides(one: Rendered) -> None:
    cluster = one["components"]["ClusterConfiguration"]
    assert cluster["controllerManager"]["extraArgs"] == [{"name": "v", "value": "2"}, BIND]
    assert cluster["scheduler"]["extraArgs"] == [BIND]
    assert cluster["etcd"]["local"] == {"dataDir": "/var/lib/etcd", "extraArgs": [LISTEN]}
    assert cluster["networking"] == CLUSTER["networking"]
    init = one["components"]["InitConfiguration"]
    assert init["localAPIEndpoint"]["advertiseAddress"] == "192.0.2.11"
    assert init["nodeRegistration"]["name"] == "croft-roles-1"
