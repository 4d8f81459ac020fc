"""Server-Sent Events: answers that stay open, hold one of the places for that, and give it back.

Protocol: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import Generator
from typing import Any

from flask import Response, request

from webapp.live.slots import full, slots

EVENT_STREAM = "text/event-stream"
RETRY_MS = 1_000
# Seconds between comments that keep proxies from closing a quiet stream, and show whether the client still
# listens.
HEARTBEAT = 10.0
# Seconds after which a stream ends and the browser opens a new one, so that a sign-out reaches it too.
MAX_AGE = 300.0
STILL_HERE = b": still here\n\n"


class HeldStream:
    """Iterates over `chunks`, and gives the place back when the server closes it, even if it never began."""

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        self._chunks = chunks
        self._held = True

    def __iter__(self) -> "HeldStream":
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """End the stream; what it watches is let go."""
        if self._held:
            self._held = False
            try:
                self._chunks.close()
            finally:
                slots.give_back()


def respond(chunks: Generator[bytes, None, None]) -> Response:
    """Answer with an event stream. Raises Problem too-many-streams when every place is taken."""
    if not slots.take():
        raise full()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = Response(HeldStream(chunks), mimetype=EVENT_STREAM, headers=headers)
    response.vary.add("Accept")
    return response


def is_wanted() -> bool:
    """Tell whether the request asks for an event stream rather than for JSON."""
    return request.accept_mimetypes.best_match(["application/json", EVENT_STREAM]) == EVENT_STREAM


def event(data: Any, *, name: str = "", number: str = "") -> bytes:
    """Return one event; `number` is what a client sends back as Last-Event-ID."""
    head = (f"id: {number}\n" if number else "") + (f"event: {name}\n" if name else "")
    return f"{head}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def retry() -> bytes:
    """Return the line that tells browsers how soon to come back."""
    return f"retry: {RETRY_MS}\n\n".encode()
