"""Whether an application fits its project's quota and the nodes."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from webapp.applications.schemas import ApplicationSettings
from webapp.catalog.schemas import CatalogSettings
from webapp.cluster.state import RESOURCES, Node, QuotaUse, Workload
from webapp.problems import FieldError, Problem
from webapp.projects.capacity import write_amount
from webapp.projects.schemas import Quota
from webapp.quantities import parse_quantity

Amounts = dict[str, Decimal]
_FIELDS = {
    "cpu": "resources.requests.cpu",
    "memory": "resources.requests.memory",
    "storage": "volume.size",
    "pods": "replicas",
}


def asked_by(settings: ApplicationSettings | CatalogSettings) -> Amounts:
    """Return what the application asks for in all, with as many pods as it starts with.

    What a chart of the catalog asks for is known once it is rendered: the job checks that; here it is
    nothing.
    """
    if isinstance(settings, CatalogSettings):
        return dict.fromkeys(RESOURCES, Decimal(0))
    count = Decimal(settings.replicas)
    if settings.stopped:
        count = Decimal(0)
    elif settings.autoscaling is not None:
        count = Decimal(settings.autoscaling.min_replicas)
    requests = settings.resources.requests
    return {
        "cpu": count * parse_quantity(requests.cpu),
        "memory": count * parse_quantity(requests.memory),
        "storage": parse_quantity(settings.volume.size) if settings.volume else Decimal(0),
        "pods": count,
    }


def check_fits_quota(
    project: str, asked: Amounts, own: Amounts, quota: QuotaUse, waiting: Iterable[Amounts] = ()
) -> None:
    """Raise Problem quota-exceeded when the application asks for more than the project has left.

    `own`: what the application uses already (it gets that back); `waiting`: what other applications were
    promised that the cluster does not count yet.
    """
    promised = list(waiting)
    errors = []
    for resource in RESOURCES:
        if resource not in quota.hard or not asked[resource]:
            continue
        used = quota.used.get(resource, Decimal(0)) - own.get(resource, Decimal(0))
        used += sum((amounts.get(resource, Decimal(0)) for amounts in promised), Decimal(0))
        left = max(quota.hard[resource] - used, Decimal(0))
        if asked[resource] > left:
            sentence = (
                f"Project '{project}' has {write_amount(resource, left)} left; "
                f"this application asks for {write_amount(resource, asked[resource]).removesuffix(' CPU')}."
            )
            errors.append(FieldError(_FIELDS[resource], sentence))
    if errors:
        raise Problem("quota-exceeded", " ".join(error.message for error in errors), errors=errors)


def check_pod_fits(settings: ApplicationSettings, nodes: list[Node]) -> None:
    """Raise Problem quota-exceeds-nodes when a single pod is larger than the largest node."""
    errors = []
    for resource in ("cpu", "memory"):
        asked = parse_quantity(getattr(settings.resources.requests, resource))
        largest = max((getattr(node, resource) for node in nodes), default=Decimal(0))
        if asked > largest:
            sentence = (
                f"One pod asks for {write_amount(resource, asked)}; "
                f"the largest node has {write_amount(resource, largest)}."
            )
            errors.append(FieldError(_FIELDS[resource], sentence))
    if errors:
        raise Problem("quota-exceeds-nodes", " ".join(error.message for error in errors), errors=errors)


def used_by(workload: Workload | None) -> Amounts:
    """Return what the application's pods have been given (storage is not among it)."""
    total: Amounts = dict.fromkeys(("cpu", "memory", "pods"), Decimal(0))
    for pod in workload.pods if workload else ():
        for resource, amount in pod.requests.items():
            total[resource] += amount
    return total


def not_counted_yet(asked: Amounts, used: Amounts) -> Amounts:
    """Return what an application was promised beyond what the cluster counts for it."""
    return {key: max(asked[key] - used.get(key, Decimal(0)), Decimal(0)) for key in ("cpu", "memory", "pods")}


def from_settings(quota: Quota) -> QuotaUse:
    """Return the quota of a project that the cluster does not hold yet: nothing is used."""
    hard: Mapping[str, str | int] = quota.model_dump()
    return QuotaUse(
        {name: parse_quantity(str(hard[name])) for name in RESOURCES}, dict.fromkeys(RESOURCES, Decimal(0))
    )
