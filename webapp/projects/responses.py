"""What the API answers about projects."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import current_app
from pydantic import Field

from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import RESOURCES, Contents
from webapp.jobs.models import Job
from webapp.links import JobReference, PageLinks, job_path, project_path
from webapp.projects import services
from webapp.projects.access import role_of
from webapp.projects.blocked import blocked_by
from webapp.projects.listing import ProjectPage, roles_in
from webapp.projects.models import Project
from webapp.projects.schemas import ProjectSpec
from webapp.quantities import format_bytes, format_cores
from webapp.schemas import Model


class ProjectLinks(Model):
    """Where to go from a project."""

    self_: str = Field(alias="self", description="The project", examples=["/api/v1/projects/shop"])
    applications: str = Field(description="Its applications", examples=["/api/v1/projects/shop/applications"])
    jobs: str = Field(description="Its jobs", examples=["/api/v1/jobs?project=shop"])
    members: str = Field(description="Its members", examples=["/api/v1/projects/shop/members"])
    quota_requests: str = Field(
        description="Its requests for more quota", examples=["/api/v1/projects/shop/quota-requests"]
    )
    kubeconfig: str = Field(
        description="A kubeconfig for yourself", examples=["/api/v1/projects/shop/kubeconfig"]
    )


class ResourceUse(Model):
    """How much of one resource is used, counted live by the cluster."""

    used: str = Field(description="Used now", examples=["300m"])
    free: str = Field(description="What is left", examples=["1700m"])
    hard: str = Field(description="The quota", examples=["2"])


class QuotaState(Model):
    """The project's quota as the cluster enforces it."""

    cpu: ResourceUse | None = Field(description="CPU in cores")
    memory: ResourceUse | None = Field(description="Memory in bytes")
    storage: ResourceUse | None = Field(description="Volumes in bytes")
    pods: ResourceUse | None = Field(description="Number of pods")


class ProjectSummary(Model):
    """A project in a list."""

    name: str = Field(description="Name of the project and of its namespace", examples=["shop"])
    description: str = Field(description="What the project is for", examples=["Our web shop"])
    owner: str = Field(description="User who answers for the project", examples=["ada"])
    role: str | None = Field(description="Your role: owner, developer or viewer", examples=["owner"])
    state: str = Field(
        description="creating, ready, failed, updating, deleting or blocked (a deletion that is stuck)",
        examples=["ready"],
    )
    created_at: datetime = Field(description="When it was created, UTC", examples=["2026-01-31T12:00:00Z"])
    updated_at: datetime = Field(description="When it was last changed", examples=["2026-01-31T12:00:00Z"])
    archived: bool = Field(description="Whether everything in it sleeps", examples=[False])
    expires_at: datetime | None = Field(
        description="When it is archived by itself; null for never", examples=["2027-01-31T23:59:59Z"]
    )
    version: int = Field(description="Grows with each change of the settings", examples=[1])
    links: ProjectLinks = Field(description="Where to go from here")


class ProjectDetail(ProjectSummary):
    """A project with its settings and what the cluster says of it."""

    spec: ProjectSpec = Field(description="The desired state")
    quota: QuotaState | None = Field(
        description="Quota and use, read live; null while the cluster has none or does not answer"
    )
    blocked_by: list[str] = Field(
        description="What holds up its deletion, in the state blocked: objects with their finalizers",
        examples=[["configmaps 'stubborn' (finalizer example.org/hold)"]],
    )


class KindCount(Model):
    """How many objects of one kind."""

    kind: str = Field(description="Kind of the objects", examples=["Deployment"])
    count: int = Field(description="How many", examples=[3])


class VolumeBelonging(Model):
    """A volume and its size."""

    name: str = Field(description="Name of the claim", examples=["web"])
    size: str = Field(description="Its size", examples=["1Gi"])


class BelongingsLinks(Model):
    """Whose they are."""

    self_: str = Field(alias="self", description="This list", examples=["/api/v1/projects/shop/belongings"])
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])


class Belongings(Model):
    """What a deletion of the project takes away, as it is in the cluster now."""

    applications: list[str] = Field(description="Applications by name", examples=[["web"]])
    releases: list[str] = Field(description="Helm releases found in the cluster", examples=[["web"]])
    volumes: list[VolumeBelonging] = Field(description="Volumes, with what is stored in them")
    objects: list[KindCount] = Field(description="Numbers of objects by kind")
    links: BelongingsLinks = Field(description="Whose they are")


class ProjectList(Model):
    """One page of projects, in the order that was asked for."""

    items: list[ProjectSummary] = Field(description="The projects")
    links: PageLinks = Field(description="This page and the next")


class ProjectChangeLinks(Model):
    """Where to follow a change of a project."""

    self_: str = Field(alias="self", description="The project", examples=["/api/v1/projects/shop"])
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])
    job: str = Field(
        description="The job that does it", examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"]
    )


class ProjectChange(Model):
    """A change of a project that was accepted and is on its way."""

    project: ProjectSummary = Field(description="The project")
    job: JobReference = Field(description="The job that does it")
    links: ProjectChangeLinks = Field(description="Where to follow it")


def summary(user: User, project: Project) -> ProjectSummary:
    """Return a project as `user` sees it in a list."""
    return ProjectSummary(**_common(project, role_of(user, project)))


def detail(user: User, project: Project) -> ProjectDetail:
    """Return a project with its settings, its live quota and what blocks its deletion."""
    return ProjectDetail(
        **_common(project, role_of(user, project)),
        spec=services.spec_of(project),
        quota=_quota(project),
        blocked_by=blocked_by(project),
    )


def page(user: User, found: ProjectPage, self_: str, next_: str | None) -> ProjectList:
    """Return one page of projects with the addresses of this page and the next."""
    roles = roles_in(user, found.projects)
    items = [ProjectSummary(**_common(project, roles[project.id])) for project in found.projects]
    return ProjectList(items=items, links=PageLinks(self_=self_, next=next_))


def belongings(project: Project, applications: list[str], contents: Contents | None) -> Belongings:
    """Return what a deletion of the project takes away."""
    path = project_path(project.name)
    return Belongings(
        applications=applications,
        releases=list(contents.releases) if contents else [],
        volumes=[
            VolumeBelonging(name=volume.name, size=volume.capacity or volume.wanted)
            for volume in (contents.volumes if contents else ())
        ],
        objects=[
            KindCount(kind=kind, count=count) for kind, count in (contents.counts if contents else {}).items()
        ],
        links=BelongingsLinks(self_=f"{path}/belongings", project=path),
    )


def change(user: User, project: Project, job: Job) -> ProjectChange:
    """Return what is answered to an accepted change."""
    path = project_path(project.name)
    return ProjectChange(
        project=summary(user, project),
        job=JobReference(id=job.id, kind=job.kind, state=job.state),
        links=ProjectChangeLinks(self_=path, project=path, job=job_path(job.id)),
    )


def _common(project: Project, role: str | None) -> dict[str, Any]:
    path = project_path(project.name)
    return {
        "name": project.name,
        "description": project.description,
        "owner": project.owner.name,
        "role": role,
        "state": project.state,
        "created_at": project.created_at,
        "updated_at": project.updated_at,
        "archived": project.archived,
        "expires_at": project.expires_at,
        "version": project.version,
        "links": ProjectLinks(
            self_=path,
            applications=f"{path}/applications",
            jobs=f"/api/v1/jobs?project={project.name}",
            members=f"{path}/members",
            quota_requests=f"{path}/quota-requests",
            kubeconfig=f"{path}/kubeconfig",
        ),
    }


def _quota(project: Project) -> QuotaState | None:
    try:
        use = services.live_quota(project)
    except ClusterUnreachable as error:
        current_app.logger.warning("the quota of %s is not shown: %s", project.name, error)
        return None
    if use is None:
        return None
    write: dict[str, Callable[[Decimal], str]] = {
        "cpu": format_cores,
        "pods": str,
        "memory": format_bytes,
        "storage": format_bytes,
    }
    return QuotaState(
        **{
            name: ResourceUse(
                used=write[name](use.used[name]),
                free=write[name](max(Decimal(0), use.hard[name] - use.used[name])),
                hard=write[name](use.hard[name]),
            )
            if name in use.hard
            else None
            for name in RESOURCES
        }
    )
