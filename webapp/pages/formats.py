"""How pages write times, amounts and states: the template filters."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from webapp.quantities import format_bytes, parse_quantity

# state → (word a user reads, style of the mark)
STATES: Mapping[str, tuple[str, str]] = {
    "creating": ("Being created", "busy"),
    "updating": ("Being changed", "busy"),
    "deleting": ("Being deleted", "busy"),
    "ready": ("Ready", "ok"),
    "failed": ("Failed", "bad"),
    "blocked": ("Deletion blocked", "bad"),
    "archived": ("Archived", "idle"),
    "open": ("Open", "busy"),
    "granted": ("Granted", "ok"),
    "refused": ("Refused", "bad"),
    "withdrawn": ("Withdrawn", "idle"),
    "queued": ("Waiting", "idle"),
    "running": ("Running", "busy"),
    "succeeded": ("Succeeded", "ok"),
    "cancelled": ("Cancelled", "warn"),
}
# What a screen reader hears before a line whose mark says more than its text.
KIND_WORDS: Mapping[str, str] = {
    "ok": "Done: ",
    "changed": "Changed: ",
    "skipped": "Not needed: ",
    "failed": "Failed: ",
    "stopped": "Failed: ",
}
NOTHING = "\N{EN DASH}"
_UNITS = ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))


def relative(moment: datetime, now: datetime | None = None) -> str:
    """Say how long ago a moment was ("3 minutes ago"). static/times.js does the same in the browser."""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def ago(moment: datetime | None) -> Markup | str:
    """Return a <time> element with relative text and the exact time as its title; a dash for no time."""
    if moment is None:
        return NOTHING
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M:%S} UTC", relative(moment)
    )


def age(moment: datetime | None) -> str:
    """Return a short age as kubectl writes it: 45s, 12m, 5h, 3d."""
    if moment is None:
        return NOTHING
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def day(moment: datetime) -> Markup:
    """Return a <time> element with the day, as far as UTC is concerned, and the exact time as its title."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        f"on {moment.day} {moment:%B %Y}",
    )


def duration(start: datetime | None, end: datetime | None) -> str:
    """Return the time between two moments as "4.2 s" or "1 min 05 s"; until now when `end` is None."""
    if start is None:
        return NOTHING
    seconds = max(0.0, ((end or datetime.now(UTC)) - start).total_seconds())
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s" if seconds >= 60 else f"{seconds:.1f} s"


def offset(moment: datetime, start: datetime) -> str:
    """Return when an event came, counted from its job's beginning: "+4.2 s". static/job.js does the same."""
    seconds = max(0.0, (moment - start).total_seconds())
    return f"+{int(seconds // 60)}:{int(seconds % 60):02d} min" if seconds >= 60 else f"+{seconds:.1f} s"


def state_word(state: str) -> str:
    """Return the word for a project's, an application's or a job's state."""
    return STATES.get(state, (state.capitalize(), "idle"))[0]


def state_style(state: str) -> str:
    """Return the style class of a state's mark: ok, busy, bad, warn or idle."""
    return STATES.get(state, ("", "idle"))[1]


def quota_rows(quota: Mapping[str, Any], used: Mapping[str, Decimal] | None) -> list[dict[str, Any]]:
    """Return what the quota bars show.

    `quota`: the settings' quantities by cpu, memory, storage and pods; `used`: amounts in cores, bytes and
    pieces, None when they are unknown. Each row has label, used, free, hard (texts), percent (0 to 100, None
    when unknown) and level (normal, high, full).
    """
    rows = []
    for key, label in (("cpu", "CPU"), ("memory", "Memory"), ("storage", "Storage"), ("pods", "Pods")):
        hard = parse_quantity(str(quota[key]))
        row: dict[str, Any] = {"label": label, "hard": _amount(key, hard), "used": None, "percent": None}
        row["free"] = None
        row["level"] = "normal"
        if used is not None:
            amount = used.get(key, Decimal(0))
            row["used"] = _amount(key, amount)
            row["free"] = _amount(key, max(Decimal(0), hard - amount))
            row["percent"] = percent = min(100, round(float(amount / hard) * 100))
            row["level"] = "full" if percent >= 100 else "high" if percent >= 80 else "normal"
        if key == "cpu":
            row["hard"] += " core" if hard == 1 else " cores"
        rows.append(row)
    return rows


def _amount(resource: str, amount: Decimal) -> str:
    if resource in ("memory", "storage"):
        return format_bytes(amount)
    return f"{amount.quantize(Decimal('0.01')).normalize():f}"
