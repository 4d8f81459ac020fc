"""/api/v1/quota-requests and those of a project"""

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.links import API, JobReference, ListQuery, PageLinks, job_path, page_addresses, project_path
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects.models import QuotaRequest
from webapp.projects.schemas import Quota
from webapp.quota_requests import services
from webapp.quota_requests.schemas import Answer, QuotaWish, Refusal
from webapp.schemas import Model

api = api_blueprint("quota_requests_api", __name__, "", "quota requests", "Wishes for more quota")

_END = ("quota-request-not-found", "role-too-low", "state-conflict")
State = Literal["open", "granted", "refused", "withdrawn"]


class ProjectPath(Model):
    """Whose requests."""

    project: str = Field(description="Name of the project", examples=["shop"])


class RequestPath(Model):
    """Which request."""

    request: str = Field(description="Id of the request", examples=["5d2f8b0c9a7e4f61b3c8d2a1e0f94756"])


class RequestQuery(ListQuery):
    """Which requests, and which page of them."""

    state: State | None = Field(None, description="In this state alone", examples=["open"])


class RequestLinks(Model):
    """Where to go from a request."""

    self_: str = Field(
        alias="self",
        description="The request",
        examples=["/api/v1/quota-requests/5d2f8b0c9a7e4f61b3c8d2a1e0f94756"],
    )
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])


class RequestBody(Model):
    """A request for more quota."""

    id: str = Field(description="Id of the request", examples=["5d2f8b0c9a7e4f61b3c8d2a1e0f94756"])
    project: str = Field(description="Name of the project", examples=["shop"])
    user: str = Field(description="Who asked", examples=["grace"])
    quota: Quota = Field(description="The whole quota that is asked for")
    present_quota: Quota = Field(description="The quota that the project has now")
    reason: str = Field(description="What it is for", examples=["The shop needs a second search server"])
    state: str = Field(description="open, granted, refused or withdrawn", examples=["open"])
    answer: str = Field(description="The administrator's word; empty for none", examples=[""])
    decided_by: str | None = Field(
        description="Who granted, refused or withdrew it; null while it is open", examples=["root"]
    )
    created_at: datetime = Field(description="When it was asked", examples=["2026-01-31T12:00:00Z"])
    decided_at: datetime | None = Field(
        description="When it was decided; null while it is open", examples=["2026-01-31T12:30:00Z"]
    )
    links: RequestLinks = Field(description="Where to go from here")


class RequestList(Model):
    """One page of requests, newest first."""

    items: list[RequestBody] = Field(description="The requests")
    links: PageLinks = Field(description="This page and the next")


class GrantLinks(RequestLinks):
    """Where to follow a granted request."""

    job: str = Field(
        description="The job that raises the quota",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"],
    )


class Grant(Model):
    """A request that was granted; the quota is on its way."""

    quota_request: RequestBody = Field(description="The request")
    job: JobReference = Field(description="The job that raises the quota")
    links: GrantLinks = Field(description="Where to follow it")


@api.get(
    "/quota-requests",
    operation_id="listQuotaRequests",
    responses=answers({200: RequestList}, "validation-failed"),
)
def list_requests(query: RequestQuery) -> Response:
    """List requests for more quota of all projects that you may see, newest first"""
    return _page(query, f"{API}/quota-requests", None)


@api.get(
    "/quota-requests/<request>",
    operation_id="getQuotaRequest",
    responses=answers({200: RequestBody}, "quota-request-not-found"),
)
def get_request(path: RequestPath) -> Response:
    """Show a request for more quota"""
    return reply(body_of(services.get_for(current_user, path.request)))


@api.post(
    "/quota-requests/<request>/grant",
    operation_id="grantQuotaRequest",
    responses=answers(
        {202: Grant}, *_END, "version-conflict", "quota-exceeds-nodes", "cluster-unreachable", body=True
    ),
)
def grant_request(path: RequestPath, body: Answer) -> Response:
    """Grant a request: the project gets the quota; for administrators"""
    request, job = services.grant(current_user, path.request, body.answer)
    shown = body_of(request)
    links = GrantLinks(self_=shown.links.self_, project=shown.links.project, job=job_path(job.id))
    reference = JobReference(id=job.id, kind=job.kind, state=job.state)
    return reply(Grant(quota_request=shown, job=reference, links=links), 202, links.self_)


@api.post(
    "/quota-requests/<request>/refuse",
    operation_id="refuseQuotaRequest",
    responses=answers({200: RequestBody}, *_END, body=True),
)
def refuse_request(path: RequestPath, body: Refusal) -> Response:
    """Refuse a request, and say why; for administrators"""
    return reply(body_of(services.refuse(current_user, path.request, body.answer)))


@api.post(
    "/quota-requests/<request>/withdraw",
    operation_id="withdrawQuotaRequest",
    responses=answers({200: RequestBody}, *_END),
)
def withdraw_request(path: RequestPath) -> Response:
    """Take back your own request"""
    return reply(body_of(services.withdraw(current_user, path.request)))


@api.get(
    "/projects/<project>/quota-requests",
    operation_id="listProjectQuotaRequests",
    responses=answers({200: RequestList}, "project-not-found", "validation-failed"),
)
def list_of_project(path: ProjectPath, query: RequestQuery) -> Response:
    """List the project's requests for more quota, newest first"""
    return _page(query, f"{project_path(path.project)}/quota-requests", path.project)


@api.post(
    "/projects/<project>/quota-requests",
    operation_id="createQuotaRequest",
    responses=answers(
        {201: RequestBody},
        "project-not-found",
        "role-too-low",
        "state-conflict",
        "quota-exceeds-nodes",
        "cluster-unreachable",
        body=True,
    ),
)
def create_request(path: ProjectPath, body: QuotaWish) -> Response:
    """Ask for more quota; for owners and developers, one request at a time"""
    request = body_of(services.ask(current_user, path.project, body.quota, body.reason))
    return reply(request, 201, request.links.self_)


def body_of(request: QuotaRequest) -> RequestBody:
    """Return a request as it is answered."""
    return RequestBody(
        id=request.id,
        project=request.project.name,
        user=request.user_name,
        quota=Quota.model_validate(request.quota),
        present_quota=Quota.model_validate(request.project.spec["quota"]),
        reason=request.reason,
        state=request.state,
        answer=request.answer,
        decided_by=request.decided_by,
        created_at=request.created_at,
        decided_at=request.decided_at,
        links=RequestLinks(
            self_=f"{API}/quota-requests/{request.id}", project=project_path(request.project.name)
        ),
    )


def _page(query: RequestQuery, address: str, project: str | None) -> Response:
    found = services.list_for(
        current_user, project_name=project, state=query.state, limit=query.limit, cursor=query.cursor
    )
    self_, next_ = page_addresses(address, query, found.next_cursor)
    items = [body_of(request) for request in found.requests]
    return reply(RequestList(items=items, links=PageLinks(self_=self_, next=next_)))
