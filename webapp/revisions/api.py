"""/api/v1/projects/<project>/applications/<application>/revisions"""

from flask import Response
from pydantic import Field

from webapp.applications import queries, revisions, services
from webapp.applications.api import CHANGE_PROBLEMS, ApplicationPath
from webapp.applications.responses import ApplicationChange, accepted
from webapp.auth.sessions import current_user
from webapp.etags import IfMatch, if_match
from webapp.links import ListQuery, application_path, page_addresses
from webapp.openapi import answers, api_blueprint, reply
from webapp.revisions import responses

api = api_blueprint(
    "revisions_api",
    __name__,
    "/projects/<project>/applications/<application>/revisions",
    "revisions",
    f"What an application was set to by each of its last {revisions.KEPT} changes",
)
_FOUND = ("project-not-found", "application-not-found")


class RevisionPath(ApplicationPath):
    """Which revision of which application."""

    number: int = Field(ge=1, le=2**31 - 1, description="Number of the revision", examples=[3])


class RevisionQuery(ListQuery):
    """Which page of the revisions."""

    cursor: str | None = Field(
        None, pattern=r"^\d{1,9}$", description="From the link to the next page", examples=["3"]
    )
    limit: int = Field(20, ge=1, le=revisions.KEPT, description="Most items on the page", examples=[20])


@api.get(
    "",
    operation_id="listRevisions",
    responses=answers({200: responses.RevisionList}, *_FOUND, "validation-failed"),
)
def list_revisions(path: ApplicationPath, query: RevisionQuery) -> Response:
    """List the revisions of an application, newest first, each with what it changed"""
    application = queries.get_for(current_user, path.project, path.application)
    before = int(query.cursor) if query.cursor else None
    found = revisions.list_of(application, limit=query.limit, before=before)
    items = [responses.summary(application, item) for item in found.changes]
    own = f"{application_path(path.project, path.application)}/revisions"
    here, following = page_addresses(own, query, found.next_cursor)
    return reply(responses.RevisionList(items=items, links=responses.PageLinks(self_=here, next=following)))


@api.get(
    "/<number>",
    operation_id="getRevision",
    responses=answers({200: responses.RevisionDetail}, *_FOUND, "revision-not-found", "validation-failed"),
)
def get_revision(path: RevisionPath) -> Response:
    """Show a revision: its settings, and what differs from the one before"""
    application = queries.get_for(current_user, path.project, path.application)
    return reply(responses.detail(application, revisions.get(application, path.number)))


@api.post(
    "/<number>/rollback",
    operation_id="rollBackApplication",
    responses=answers({202: ApplicationChange}, "revision-not-found", *CHANGE_PROBLEMS),
)
def roll_back(path: RevisionPath, header: IfMatch) -> Response:
    """Set an application to all that it was set to by a revision, values of secrets included"""
    return accepted(
        *services.roll_back(current_user, path.project, path.application, path.number, versions=if_match())
    )
