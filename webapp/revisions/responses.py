"""What the API answers about revisions."""

from datetime import datetime
from typing import Any

from pydantic import Field

from webapp.applications import responses as applications
from webapp.applications.models import Application
from webapp.applications.revisions import Change
from webapp.links import PageLinks, application_path, job_path
from webapp.schemas import Model


class RevisionLinks(Model):
    """Where to go from a revision."""

    self_: str = Field(
        alias="self",
        description="The revision",
        examples=["/api/v1/projects/shop/applications/web/revisions/3"],
    )
    application: str = Field(
        description="Its application", examples=["/api/v1/projects/shop/applications/web"]
    )
    rollback: str = Field(
        description="Go back to it with POST",
        examples=["/api/v1/projects/shop/applications/web/revisions/3/rollback"],
    )
    job: str | None = Field(
        description="The job that applied it; null for what was made before jobs were noted",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"],
    )


class FieldChange(Model):
    """One setting that differs; values of secrets are masked."""

    field: str = Field(description="Path of the setting", examples=["resources.limits.cpu"])
    before: Any = Field(description="What it was; null when it was not set", examples=["500m"])
    after: Any = Field(description="What it is; null when it is not set any more", examples=["1"])


class RevisionSummary(Model):
    """What an application was set to by one change."""

    number: int = Field(description="The application's version then", examples=[3])
    cause: str = Field(description="What made it", examples=["changed"])
    user: str = Field(description="Who made it", examples=["ada"])
    current: bool = Field(description="Whether it is what the application is set to now", examples=[True])
    created_at: datetime = Field(description="When, UTC", examples=["2026-01-31T12:00:00Z"])
    changes: list[FieldChange] | None = Field(
        description="What differs from the revision before; null for the oldest one that is kept"
    )
    links: RevisionLinks = Field(description="Where to go from here")


class RevisionDetail(RevisionSummary):
    """A revision with all its settings."""

    spec: applications.ShownSettings | None = Field(
        description="The settings, secrets by name only; null for an application from the catalog"
    )
    values: applications.ShownValues | None = Field(
        description="The settings of an application from the catalog; null for an image"
    )


class RevisionList(Model):
    """One page of revisions, newest first."""

    items: list[RevisionSummary] = Field(description="The revisions")
    links: PageLinks = Field(description="This page and the next")


def summary(application: Application, change: Change) -> RevisionSummary:
    """Return a revision as a list shows it."""
    return RevisionSummary(**_common(application, change))


def detail(application: Application, change: Change) -> RevisionDetail:
    """Return a revision with its settings."""
    return RevisionDetail(**_common(application, change), **applications.shown(change.revision.spec))


def _common(application: Application, change: Change) -> dict[str, Any]:
    revision = change.revision
    path = application_path(application.project.name, application.name)
    own = f"{path}/revisions/{revision.number}"
    return {
        "number": revision.number,
        "cause": revision.cause,
        "user": revision.user_name,
        "current": revision.number == application.version,
        "created_at": revision.created_at,
        "changes": None if change.changes is None else [FieldChange(**item) for item in change.changes],
        "links": RevisionLinks(
            self_=own,
            application=path,
            rollback=f"{own}/rollback",
            job=job_path(revision.job_id) if revision.job_id else None,
        ),
    }
