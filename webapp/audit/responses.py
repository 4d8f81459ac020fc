"""Entries of the audit log in the API's answers."""

from datetime import datetime
from typing import Any

from pydantic import Field

from webapp.audit.models import AuditEntry
from webapp.links import PageLinks, job_path, project_path
from webapp.schemas import Model


class Change(Model):
    """One setting that differs."""

    field: str = Field(description="Path of the setting", examples=["resources.limits.cpu"])
    before: Any = Field(description="Its value before; null when it was not set", examples=["500m"])
    after: Any = Field(description="Its value after; null when it is not set any more", examples=["1"])


class EntryLinks(Model):
    """Where to go from an entry; what is meant may be gone by now."""

    project: str | None = Field(
        description="The project; null when it was about none", examples=["/api/v1/projects/shop"]
    )
    job: str | None = Field(
        description="The job that carried it out; null for none",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"],
    )


class EntryBody(Model):
    """One thing that somebody did."""

    id: int = Field(description="Number of the entry; later ones have higher numbers", examples=[4711])
    created_at: datetime = Field(description="When it was done", examples=["2026-01-31T12:00:00Z"])
    user: str = Field(
        description="Who did it; the name that was tried at a failed sign-in; portal for the portal itself",
        examples=["ada"],
    )
    via: str = Field(description="page, api, token (an API token), command or portal", examples=["api"])
    address: str = Field(description="Network address; empty for the portal itself", examples=["192.0.2.7"])
    action: str = Field(
        description="What was done; the first word is the kind of the object", examples=["application.update"]
    )
    project: str | None = Field(
        description="Name of the project; null when it was about none", examples=["shop"]
    )
    object: str = Field(description="Name of the object that it was about", examples=["web"])
    changes: list[Change] = Field(description="What differs since; secrets are masked")
    links: EntryLinks = Field(description="Where to go from here")


class EntryList(Model):
    """One page of entries, newest first."""

    items: list[EntryBody] = Field(description="The entries")
    links: PageLinks = Field(description="This page and the next")


class EntryExport(Model):
    """All entries that fit, newest first."""

    items: list[EntryBody] = Field(description="The entries")


def entry_body(entry: AuditEntry) -> EntryBody:
    """Return an entry as it is answered."""
    return EntryBody(
        id=entry.id,
        created_at=entry.created_at,
        user=entry.user_name,
        via=entry.via,
        address=entry.address,
        action=entry.action,
        project=entry.project_name,
        object=entry.object_name,
        changes=[Change.model_validate(item) for item in entry.changes],
        links=EntryLinks(
            project=project_path(entry.project_name) if entry.project_name else None,
            job=job_path(entry.job_id) if entry.job_id else None,
        ),
    )
