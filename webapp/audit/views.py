"""The page of the audit log."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from webapp.audit import export, queries, words
from webapp.auth.sessions import current_user, login_required

pages = Blueprint("audit", __name__)

SHOWN = 50
_TEXTS = ("user", "action", "project", "object")


@pages.get("/audit")
@login_required
def index() -> str:
    """Show the entries that the user may see, with filters."""
    filters, kept = _asked()
    after = request.args.get("after")
    found = queries.list_for(current_user, filters, limit=SHOWN, cursor=after)
    return render_template(
        "audit/index.html",
        section="audit",
        entries=[
            (entry, words.sentence(entry), words.VIA.get(entry.via, entry.via)) for entry in found.entries
        ],
        kept=kept,
        first=url_for("audit.index", **kept) if after else "",
        next=url_for("audit.index", **kept, after=found.next_cursor) if found.next_cursor else "",
    )


@pages.get("/audit.csv")
@login_required
def export_csv() -> Response:
    """Send the entries that the user may see and that fit as CSV."""
    return export.csv_response(queries.every_for(current_user, _asked()[0]))


@pages.get("/audit.json")
@login_required
def export_json() -> Response:
    """Send the entries that the user may see and that fit as JSON."""
    return export.json_response(queries.every_for(current_user, _asked()[0]))


def _asked() -> tuple[queries.Filters, dict[str, Any]]:
    """Return what the address asks for, and how to say it in an address again."""
    texts = {name: request.args.get(name, "").strip()[:128] for name in _TEXTS}
    since, until = _day(request.args.get("since", "")), _day(request.args.get("until", ""))
    days = {name: day.isoformat() for name, day in (("since", since), ("until", until)) if day}
    filters = queries.Filters(
        texts["user"],
        texts["action"],
        texts["project"],
        texts["object"],
        _midnight(since) if since else None,
        # The last day counts as a whole.
        _midnight(until) + timedelta(days=1) if until else None,
    )
    return filters, {name: value for name, value in texts.items() if value} | days


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 9000 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
