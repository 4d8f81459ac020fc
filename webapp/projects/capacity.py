"""Whether the nodes can hold a quota."""

from decimal import Decimal

from webapp.cluster.state import Node
from webapp.problems import FieldError, Problem
from webapp.projects.schemas import Quota
from webapp.quantities import format_bytes, format_cores, parse_quantity


def write_amount(resource: str, amount: Decimal) -> str:
    """Write an amount of cpu, memory, storage or pods as a user would, like "500m CPU" or "1.5Gi memory"."""
    if resource == "pods":
        return f"{int(amount)} pods" if amount != 1 else "1 pod"
    if resource == "cpu":
        return f"{format_cores(amount)} CPU"
    return f"{format_bytes(amount)} {resource}"


def check_fits_nodes(quota: Quota, nodes: list[Node]) -> None:
    """Raise Problem quota-exceeds-nodes for each part of the quota that all nodes together cannot give."""
    asked = {
        "cpu": parse_quantity(quota.cpu),
        "memory": parse_quantity(quota.memory),
        "pods": Decimal(quota.pods),
    }
    count = "1 node has" if len(nodes) == 1 else f"{len(nodes)} nodes together have"
    errors = []
    for resource, amount in asked.items():
        there: Decimal = sum((getattr(node, resource) for node in nodes), Decimal(0))
        if amount > there:
            sentence = (
                f"The quota asks for {write_amount(resource, amount)}; "
                f"the cluster's {count} {write_amount(resource, there)}."
            )
            errors.append(FieldError(f"quota.{resource}", sentence))
    if errors:
        raise Problem("quota-exceeds-nodes", " ".join(error.message for error in errors), errors=errors)
