"""The audit log as CSV and JSON, streamed."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from flask import Response

from webapp.audit.models import AuditEntry
from webapp.audit.responses import entry_body
from webapp.audit.words import text

COLUMNS = ("time", "user", "via", "address", "action", "project", "object", "changes", "job")
# A spreadsheet takes a cell that begins so for a formula and would run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_response(entries: Iterable[AuditEntry]) -> Response:
    """Return the entries as a CSV file (RFC 4180, UTF-8)."""
    return _file(_csv_lines(entries), "text/csv; charset=utf-8", "audit.csv")


def json_response(entries: Iterable[AuditEntry]) -> Response:
    """Return the entries as a JSON file: {"items": […]}."""
    return _file(_json_parts(entries), "application/json", "audit.json")


def safe_cell(value: str) -> str:
    """Return the text with an apostrophe before it when a spreadsheet would take it for a formula."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


def _csv_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for entry in entries:
        changes = "; ".join(
            f"{item['field']}: {text(item['before'])} → {text(item['after'])}" for item in entry.changes
        )
        cells = (entry.user_name, entry.via, entry.address, entry.action, entry.project_name or "")
        rest = (entry.object_name, changes, entry.job_id or "")
        writer.writerow([entry.created_at.isoformat(), *map(safe_cell, cells + rest)])
        yield _taken(buffer)
    yield _taken(buffer)


def _json_parts(entries: Iterable[AuditEntry]) -> Iterator[str]:
    yield '{"items": ['
    separator = "\n"
    for entry in entries:
        item = entry_body(entry).model_dump(mode="json", by_alias=True)
        yield separator + json.dumps(item, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


def _taken(buffer: io.StringIO) -> str:
    found = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return found


def _file(parts: Iterator[str], kind: str, name: str) -> Response:
    response = Response(parts, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
