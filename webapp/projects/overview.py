"""What the pages show of projects beside their settings: quota used, numbers of applications, and rights."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from webapp.applications.models import Application
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.db import db
from webapp.pages.formats import quota_rows
from webapp.projects import services
from webapp.projects.access import role_of
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
    found, trouble = [], ""
    for project in projects:
        # One silence is enough: each further question would cost its whole timeout again.
        used, trouble = (None, trouble) if trouble else quota_used(project)
        found.append(Card(project, counts.get(project.id, 0), quota_rows(project.spec["quota"], used)))
    return found, trouble


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
