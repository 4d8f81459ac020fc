"""Links between resources in the API's answers."""

from urllib.parse import urlencode

from pydantic import Field

from webapp.schemas import Model

API = "/api/v1"


def project_path(project: str) -> str:
    """Return the API's path of a project."""
    return f"{API}/projects/{project}"


def application_path(project: str, application: str) -> str:
    """Return the API's path of an application."""
    return f"{API}/projects/{project}/applications/{application}"


def job_path(job_id: str) -> str:
    """Return the API's path of a job."""
    return f"{API}/jobs/{job_id}"


class JobReference(Model):
    """The job that carries out a change."""

    id: str = Field(description="Id of the job", examples=["0f8c2ab3d4e5f60718293a4b5c6d7e8f"])
    kind: str = Field(description="What the job does", examples=["project.create"])
    state: str = Field(
        description="queued, running, succeeded, failed or cancelled; follow links.job", examples=["queued"]
    )


class PageLinks(Model):
    """Links of one page of a list."""

    self_: str = Field(alias="self", description="This page", examples=["/api/v1/projects?limit=50"])
    next: str | None = Field(description="The next page; null on the last one", examples=[None])


class ListQuery(Model):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=100, description="Most items on the page", examples=[50])
    cursor: str | None = Field(
        None, max_length=100, description="From the link to the next page", examples=["shop"]
    )


def page_addresses(path: str, query: ListQuery, next_cursor: str | None) -> tuple[str, str | None]:
    """Return the addresses of this page and the next one (None on the last)."""
    # Filters and order go along; what has its default need not be said.
    chosen = query.model_dump(mode="json", by_alias=True, exclude={"limit", "cursor"}, exclude_defaults=True)
    base = {"limit": query.limit} | {
        key: str(value).lower() if isinstance(value, bool) else value for key, value in chosen.items()
    }
    here = base | ({"cursor": query.cursor} if query.cursor else {})
    following = f"{path}?{urlencode(base | {'cursor': next_cursor})}" if next_cursor else None
    return f"{path}?{urlencode(here)}", following
