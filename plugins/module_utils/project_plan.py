"""From a validated project to the values of `charts/project`, checked against the cluster."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from plugins.module_utils.cluster import Cluster
from plugins.module_utils.quota import check_nodes
from plugins.module_utils.request_file import RequestError
from webapp.quantities import parse_quantity

Network = IPv4Network | IPv6Network

# Never reachable by a project's own choice: this machine, link-local (clouds' metadata) and their IPv6 kin.
ALWAYS_PROTECTED = ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", "fd00:ec2::254/128")
# What a container gets that does not say; never more than the quota, which Kubernetes would refuse.
CONTAINER_DEFAULTS = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}


def read_namespace(cluster: Cluster, project: str) -> dict[str, Any] | None:
    """Return the project's namespace, or None when there is none.

    Raises RequestError when a namespace of that name is not Croft's, or is being deleted.
    """
    namespace = cluster.get(f"/api/v1/namespaces/{project}")
    if namespace is None:
        return None
    if not is_ours(namespace, project):
        raise RequestError(f"namespace '{project}' exists and was not made by Croft; choose another name")
    if "deletionTimestamp" in namespace["metadata"]:
        raise RequestError(f"project '{project}' is still being deleted; try again when it is gone")
    return namespace


def is_ours(namespace: dict[str, Any], project: str) -> bool:
    """Tell whether a namespace was made by `charts/project` for this project."""
    labels = namespace["metadata"].get("labels", {})
    return labels.get("app.kubernetes.io/part-of") == "croft" and labels.get("croft.dev/project") == project


def plan_project(cluster: Cluster, spec: dict[str, Any], protected: Iterable[str]) -> dict[str, Any]:
    """Return the values of `charts/project` for a validated `spec`.

    `protected` are networks that no project may reach, beside those that the cluster itself tells (nodes,
    pods, services). Raises RequestError when the cluster has no room or the name is taken.
    """
    read_namespace(cluster, spec["name"])
    nodes = cluster.list("/api/v1/nodes")
    check_nodes(spec["name"], spec["quota"], nodes)
    egress: list[dict[str, Any]] = []
    if spec["egressCidrs"]:
        closed = _closed_networks(cluster, nodes, protected)
        egress = [_opening(ip_network(cidr), closed) for cidr in spec["egressCidrs"]]
    return {
        **{key: spec[key] for key in ("description", "owner", "members", "quota", "podSecurity", "archived")},
        "expiresAt": spec["expiresAt"] or "",
        "containerDefaults": {
            bound: {
                key: min(amount, spec["quota"][key], key=parse_quantity) for key, amount in amounts.items()
            }
            for bound, amounts in CONTAINER_DEFAULTS.items()
        },
        "egress": egress,
    }


def _closed_networks(
    cluster: Cluster, nodes: Iterable[dict[str, Any]], protected: Iterable[str]
) -> list[Network]:
    """Return the networks that pods must not reach: those of the cluster, and `protected`."""
    texts = [*ALWAYS_PROTECTED, *protected]
    for node in nodes:
        texts += node["spec"].get("podCIDRs", [])
        texts += [item["address"] for item in node["status"]["addresses"] if item["type"].endswith("IP")]
    for services in cluster.list("/apis/networking.k8s.io/v1/servicecidrs"):
        texts += services["spec"]["cidrs"]
    networks = [ip_network(text) for text in texts]
    return [
        *collapse_addresses(item for item in networks if isinstance(item, IPv4Network)),
        *collapse_addresses(item for item in networks if isinstance(item, IPv6Network)),
    ]


def _opening(network: Network, closed: Iterable[Network]) -> dict[str, Any]:
    """Return the entry of the network policy that opens `network` but for what is `closed` inside it."""
    same = [item for item in closed if item.version == network.version]
    inside = next((item for item in same if network.subnet_of(item)), None)  # type: ignore[arg-type]
    if inside is not None:
        raise RequestError(
            f"project.egressCidrs: {network} lies in {inside}, which belongs to the cluster itself"
        )
    return {
        "cidr": str(network),
        "except": [str(item) for item in same if item.subnet_of(network)],  # type: ignore[arg-type]
    }
