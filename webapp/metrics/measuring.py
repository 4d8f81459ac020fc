"""Count and time the requests that an application answers."""

import time
from typing import Any

from flask import Flask, Response, g, request, request_finished, request_started

from webapp.metrics.series import HTTP_DURATION, HTTP_REQUESTS

# A client may send any word as its method.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ENDPOINT = "none"


def init_app(app: Flask) -> None:
    """Count every request to `app`, those that lead nowhere or fail included."""
    request_started.connect(_started, app)
    request_finished.connect(_finished, app)


def _started(_app: Flask, **_more: Any) -> None:
    g.croft_began = time.monotonic()


def _finished(_app: Flask, response: Response, **_more: Any) -> None:
    method = request.method if request.method in _METHODS else "other"
    endpoint = request.endpoint or _NO_ENDPOINT
    HTTP_REQUESTS.labels(method, endpoint, str(response.status_code)).inc()
    # A shell lasts for hours, and says nothing about how fast answers are.
    socket = request.url_rule is not None and request.url_rule.websocket
    if not socket and "croft_began" in g:
        HTTP_DURATION.labels(method, endpoint).observe(time.monotonic() - g.croft_began)
