"""A job's events as Server-Sent Events, resumable by their numbers.

One thread per process asks the database, for all open streams together and only while there are any, which
jobs have new events. A stream itself holds a connection only while it reads those, never while it waits.
Protocol: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator

from flask import Response, make_response, request
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.db import db
from webapp.jobs.models import END_STATES, Job, JobEvent
from webapp.jobs.responses import event_body
from webapp.jobs.services import events_after
from webapp.live.slots import slots
from webapp.problems import Problem

log = logging.getLogger(__name__)

# Each stream takes one of the server's threads. When webapp.live.slots has no place left, a stream ends at
# once with what there is, and the browser comes back for more after RETRY_MS.
RETRY_MS = 1_000
# Seconds between comments that keep proxies from closing a quiet stream, and show whether the client still
# listens.
HEARTBEAT = 10.0
# Seconds after which a stream ends and the browser opens a new one, so that a sign-out reaches it too.
MAX_AGE = 300.0
_INTERVAL = 0.15


class Watcher:
    """Tells streams when a job has new events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._news = threading.Condition()
        self._watched: Counter[str] = Counter()
        self._newest: dict[str, int] = {}
        self._running = False

    @property
    def count(self) -> int:
        """Number of open streams."""
        return self._watched.total()

    def enter(self, job_id: str) -> bool:
        """Begin to watch a job; False when too many streams are open. Every True needs a `leave`."""
        with self._news:
            if not slots.take():
                return False
            self._watched[job_id] += 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._watch, name="job-events", daemon=True).start()
            return True

    def leave(self, job_id: str) -> None:
        """End a watch."""
        slots.give_back()
        with self._news:
            self._watched[job_id] -= 1
            if not self._watched[job_id]:
                del self._watched[job_id]
                self._newest.pop(job_id, None)

    def wait(self, job_id: str, number: int, timeout: float) -> bool:
        """Wait until the job has an event above `number`, at most `timeout` seconds; say whether it has."""
        with self._news:
            return self._news.wait_for(lambda: self._newest.get(job_id, 0) > number, timeout)

    def _watch(self) -> None:
        while True:
            with self._news:
                watched = list(self._watched)
                if not watched:
                    self._running = False
                    return
            self._look(watched)
            time.sleep(_INTERVAL)

    def _look(self, watched: list[str]) -> None:
        try:
            with Session(self._engine) as session:
                query = select(Job.id, Job.last_event).where(Job.id.in_(watched))
                found = {row.id: row.last_event for row in session.execute(query)}
        except DBAPIError as error:
            # The streams stay open: their heartbeats go on, and the next look may do better.
            log.warning("job events cannot be read: %s", str(error.orig).strip())
            return
        with self._news:
            if any(self._newest.get(job_id) != number for job_id, number in found.items()):
                self._newest.update({key: value for key, value in found.items() if key in self._watched})
                self._news.notify_all()


_watchers: dict[Engine, Watcher] = {}
_watchers_lock = threading.Lock()


def watcher() -> Watcher:
    """Return this process's watcher of the application's database."""
    with _watchers_lock:
        return _watchers.setdefault(db.engine, Watcher(db.engine))


def respond(job: Job, after: int = 0) -> Response:
    """Answer with the job's events above `after`, or above the header Last-Event-ID, as they come.

    The stream ends after the job's end. Asked again then, it answers 204, which keeps a browser from coming
    back. Raises Problem bad-request for a Last-Event-ID that is no number of ours.
    """
    after = max(after, _last_event_id())
    if job.ended and after >= job.last_event:
        return make_response("", 204)
    stream = _stream(watcher(), db.engine, job.id, after)
    # The session's connection goes back before the first byte is sent.
    db.session.remove()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(stream, mimetype="text/event-stream", headers=headers)


def _last_event_id() -> int:
    text = request.headers.get("Last-Event-ID", "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Problem("bad-request", "Last-Event-ID must be the number of an event.")
    return int(text or 0)


def _stream(watching: Watcher, engine: Engine, job_id: str, after: int) -> Iterator[bytes]:
    """Yield the events, with heartbeats in between. Closing the generator ends the watch."""
    opened = time.monotonic()
    yield f"retry: {RETRY_MS}\n\n".encode()
    watched = watching.enter(job_id)
    try:
        while True:
            for event in _read(engine, job_id, after):
                after = event.number
                yield _format(event)
                if event.kind == "state" and (event.data or {}).get("state") in END_STATES:
                    return
            if not watched or time.monotonic() - opened > MAX_AGE:
                return
            if not watching.wait(job_id, after, HEARTBEAT):
                yield b": still here\n\n"
    finally:
        if watched:
            watching.leave(job_id)


def _read(engine: Engine, job_id: str, after: int) -> list[JobEvent]:
    try:
        with Session(engine, expire_on_commit=False) as session:
            return events_after(session, job_id, after)
    except DBAPIError as error:
        log.warning("events of job %s cannot be read: %s", job_id, str(error.orig).strip())
        return []


def _format(event: JobEvent) -> bytes:
    body = event_body(event).model_dump(mode="json", by_alias=True)
    return f"id: {event.number}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
