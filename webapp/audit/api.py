"""/api/v1/audit, and its exports"""

from flask import Response
from flask_openapi.types import ResponseDict
from pydantic import Field

from webapp.audit import export, queries, responses
from webapp.auth.sessions import current_user
from webapp.links import API, ListQuery, PageLinks, page_addresses
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model, Moment

api = api_blueprint("audit_api", __name__, "", "audit", "The audit log: who did what, when and from where")

_CSV: ResponseDict = {
    "200": {
        "description": "All entries that fit; cells that a spreadsheet would take for formulas begin with '",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": f"{','.join(export.COLUMNS)}\r\n"}},
    }
}


class EntryFilter(Model):
    """Which entries."""

    user: str = Field("", max_length=64, description="Done by this user", examples=["ada"])
    action: str = Field("", max_length=48, description="Whose action begins so", examples=["application."])
    project: str = Field("", max_length=63, description="In this project", examples=["shop"])
    object: str = Field("", max_length=128, description="About the object of this name", examples=["web"])
    since: Moment | None = Field(
        None, description="Not before this moment", examples=["2026-01-31T00:00:00Z"]
    )
    until: Moment | None = Field(None, description="Before this moment", examples=["2026-02-01T00:00:00Z"])

    def filters(self) -> queries.Filters:
        """Return what the query asks for."""
        return queries.Filters(self.user, self.action, self.project, self.object, self.since, self.until)


class EntryQuery(EntryFilter, ListQuery):
    """Which entries, and which page of them."""


@api.get(
    "/audit",
    operation_id="listAuditEntries",
    responses=answers({200: responses.EntryList}, "validation-failed"),
)
def list_entries(query: EntryQuery) -> Response:
    """List the audit log, newest first

    Administrators see all, owners what happened in their projects, and everybody what they did themselves.
    """
    found = queries.list_for(current_user, query.filters(), limit=query.limit, cursor=query.cursor)
    here, following = page_addresses(f"{API}/audit", query, found.next_cursor)
    items = [responses.entry_body(entry) for entry in found.entries]
    return reply(responses.EntryList(items=items, links=PageLinks(self_=here, next=following)))


@api.get(
    "/audit.csv",
    operation_id="exportAuditAsCsv",
    responses={**answers({}, "validation-failed"), **_CSV},
)
def export_csv(query: EntryFilter) -> Response:
    """Export the audit log as CSV"""
    return export.csv_response(queries.every_for(current_user, query.filters()))


@api.get(
    "/audit.json",
    operation_id="exportAuditAsJson",
    responses=answers({200: responses.EntryExport}, "validation-failed"),
)
def export_json(query: EntryFilter) -> Response:
    """Export the audit log as JSON"""
    return export.json_response(queries.every_for(current_user, query.filters()))
