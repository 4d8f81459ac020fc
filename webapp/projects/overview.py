"""What the pages show of projects beside their settings: quota used, numbers of applications, and rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import lazyload

from webapp import cluster
from webapp.applications import queries as applications
from webapp.applications.models import Application
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import ClusterEvent
from webapp.db import db
from webapp.pages.formats import quota_rows
from webapp.projects import services
from webapp.projects.access import role_of
from webapp.projects.capacity import write_amount
from webapp.projects.models import Project


@dataclass(frozen=True)
class Rights:
    """What the signed-in user may do in a project; pages offer nothing else."""

    change_project: bool
    change_applications: bool


@dataclass(frozen=True)
class Card:
    """A project in the list. `quota`: rows of webapp.pages.formats.quota_rows."""

    project: Project
    applications: int
    quota: list[dict[str, Any]]


def rights(user: User, project: Project) -> Rights:
    """Return what the user may do in the project."""
    role = role_of(user, project)
    return Rights(role == "owner", role in ("owner", "developer"))


def cards(projects: Sequence[Project]) -> tuple[list[Card], str]:
    """Return the projects with what they use, and a sentence when the cluster did not tell, else empty."""
    query = (
        select(Application.project_id, func.count())
        .where(Application.project_id.in_([project.id for project in projects]))
        .group_by(Application.project_id)
    )
    counts = dict(db.session.execute(query).all())
    uses, trouble = {}, ""
    try:
        uses = cluster.reader().quotas_of([project.name for project in projects])
    except ClusterUnreachable as error:
        trouble = cluster_silent(error)
    found = []
    for project in projects:
        use = uses.get(project.name)
        rows = quota_rows(project.spec["quota"], use.used if use else None)
        found.append(Card(project, counts.get(project.id, 0), rows))
    return found, trouble


def application_names(project: Project) -> list[str]:
    """Return the names of the project's applications."""
    query = select(Application.name).where(Application.project_id == project.id)
    return list(db.session.scalars(query.order_by(Application.name)))


def application_rows(project: Project, *, ask_cluster: bool) -> list[dict[str, str]]:
    """Return name, state, words (empty when the cluster is silent) and url of each application.

    One query for all of them; the project is at hand.
    """
    query = (
        select(Application)
        .options(lazyload(Application.project))
        .where(Application.project_id == project.id)
        .order_by(Application.name)
    )
    found = list(db.session.scalars(query))
    workloads = None
    if found and ask_cluster:
        try:
            workloads = applications.live(project)
        except ClusterUnreachable:
            workloads = None  # The page says so already where it shows the quota.
    return [
        {
            "name": item.name,
            "state": item.state,
            "words": "" if workloads is None else applications.status_words(item, workloads.get(item.name)),
            "url": applications.url_of(item),
        }
        for item in found
    ]


def events(project: Project, limit: int = 8) -> list[ClusterEvent]:
    """Return what Kubernetes noted in the project: warnings first, then the newest.

    Raises ClusterUnreachable.
    """
    noted = cluster.reader().events(project.name)
    return sorted(noted, key=lambda event: (not event.warning, -event.last_at.timestamp()))[:limit]


def room() -> str:
    """Say what all nodes together can give: "8 CPU, 16Gi memory and 220 pods". Raises ClusterUnreachable."""
    nodes = cluster.reader().nodes()
    cpu, memory, pods = (
        write_amount(key, sum((getattr(node, key) for node in nodes), Decimal(0)))
        for key in ("cpu", "memory", "pods")
    )
    return f"{cpu}, {memory} and {pods}"


def quota_used(project: Project) -> tuple[dict[str, Decimal] | None, str]:
    """Return what the project uses now, None when unknown, and a sentence when the cluster is silent."""
    try:
        quota = services.live_quota(project)
    except ClusterUnreachable as error:
        return None, cluster_silent(error)
    return (quota.used if quota else None), ""


def cluster_silent(error: ClusterUnreachable) -> str:
    """Return the notice for a page that cannot show the cluster's present state."""
    return f"What runs now cannot be shown: {error}. The settings below are up to date."
