"""A job's events as the lines of its page: the end of a task marks the task's own line, and adds none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from webapp.jobs.models import END_STATES, JobEvent
from webapp.pages.formats import offset, state_word

ENDINGS = ("ok", "changed", "skipped")


@dataclass
class Line:
    """One line. `kind`: that of the event, or of its task's ending; `at` counts from the job's beginning."""

    number: int
    kind: str
    text: str
    at: str
    took: str = ""


def lines_of(events: Iterable[JobEvent], start: datetime) -> list[Line]:
    """Return the lines for a job's events, in order. static/job.js does the same with later ones."""
    found: list[Line] = []
    task: Line | None = None
    for event in events:
        if task and event.kind in ENDINGS and event.text == task.text:
            task.kind, task.took = event.kind, took((event.data or {}).get("duration"))
            task = None
            continue
        if not event.text:
            continue  # The result: the page shows it in a form of its own.
        line = Line(event.number, event.kind, _text(event), offset(event.created_at, start))
        if event.kind == "task":
            task = line
        elif event.kind == "failed" and task:
            task.kind = "stopped"
        found.append(line)
    return found


def _text(event: JobEvent) -> str:
    """Return the event's text; the message that comes with a job's end stands above the lines already."""
    state = (event.data or {}).get("state") if event.kind == "state" else None
    return state_word(state) if state in END_STATES else event.text


def took(seconds: float | None) -> str:
    """Return a task's duration as its line shows it; empty when it is unknown or too short to tell."""
    return f"{seconds:.1f} s" if seconds is not None and seconds >= 0.05 else ""
