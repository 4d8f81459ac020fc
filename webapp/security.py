"""What holds for every request: known host, bounded body, no cross-site forms, strict headers."""

import re
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.config import Config
from webapp.problems import Problem

MAX_BODY_BYTES = 1_000_000
# So much of a body that was refused is read and thrown away; no further piece after so many seconds.
_MAX_REST_BYTES, _MAX_REST_S, _PIECE = 32_000_000, 10.0, 64 * 1024
MAX_DEPTH = 20
# Where Alertmanager brings alerts (webapp.alerts.views), with a token of its own.
ALERTS_PATH = "/internal/alerts"
# The kubelet probes a pod by its address, and Alertmanager asks for the Service by its name in the cluster.
_ANY_HOST = ("/healthz", "/readyz", ALERTS_PATH)
_HOST = re.compile(r"([A-Za-z0-9.-]+)(?::\d{1,5})?", re.ASCII)
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+)(?::\d{1,5})?", re.ASCII)
_WRITING = ("POST", "PUT", "PATCH", "DELETE")
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def init_app(app: Flask, config: Config) -> None:
    """Install the checks before, and the headers after, every request."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    if config.proxy_hops:
        # Only so many proxies in front of the portal may tell the client's address.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxy_hops, x_proto=0)  # type: ignore[method-assign]

    @app.before_request
    def check_request() -> None:
        _check_host(config)
        _check_text()
        _check_body()
        if not request.path.startswith("/api/"):
            _check_origin(config)

    app.after_request(_read_the_rest)

    @app.after_request
    def add_headers(response: Response) -> Response:
        return _add_headers(response, config)


def _read_the_rest(response: Response) -> Response:
    """Read what is left of the body, so that the answer is heard.

    A connection that is closed while the client still sends is reset, and a proxy in between then tells of a
    broken connection instead of what the portal has answered.
    """
    # Without this mark, which gunicorn sets, a read beyond the body's end would wait for ever.
    if not request.environ.get("wsgi.input_terminated"):
        return response
    left, until = _MAX_REST_BYTES, time.monotonic() + _MAX_REST_S
    while left > 0 and time.monotonic() < until:
        piece = request.environ["wsgi.input"].read(_PIECE)
        if not piece:
            break
        left -= len(piece)
    return response


def _check_host(config: Config) -> None:
    if request.path in _ANY_HOST:
        return
    host = _HOST.fullmatch(request.headers.get("Host", ""))
    if host is None or host[1].lower() != config.external_host:
        raise Problem(
            "host-not-allowed", f"The portal does not answer under this name; open {config.external_url}."
        )


def _check_text() -> None:
    # No name holds a NUL character, and PostgreSQL cannot even compare with one.
    if (
        "\0" in request.path
        or "\0" in request.query_string.decode("latin-1")
        or b"%00" in request.query_string
    ):
        raise Problem("bad-request", "The address holds a NUL character.")


def _check_body() -> None:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise Problem("body-too-large", "The body is larger than 1 MB, which is the most that is read.")
    if not request.path.startswith("/api/") or request.method not in _WRITING or not request.get_data():
        return
    if not request.is_json:
        kind = request.mimetype or "not given"
        raise Problem(
            "not-json", f"The body's type is {kind}; send JSON with Content-Type: application/json."
        )
    try:
        body = request.get_json()
    except (BadRequest, ValueError, RecursionError) as error:
        raise Problem("malformed-json", "The body cannot be read as JSON.") from error
    if not isinstance(body, dict):
        raise Problem("malformed-json", "The body must be a JSON object, like {…}.")
    for text in _texts(body):
        if "\0" in text:
            raise Problem(
                "malformed-json", "The body holds a NUL character (\\u0000); nothing here can store it."
            )


def _texts(body: dict[str, Any]) -> Iterator[str]:
    """Yield every string of the body. Raises Problem when it is nested deeper than any of our models."""
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                yield from value
                below += value.values()
            elif isinstance(value, list):
                below += value
        level = below
    if level:
        raise Problem("malformed-json", f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_origin(config: Config) -> None:
    """Refuse a form sent from another site; this also covers sign-in, which has no token to compare yet."""
    if request.method not in _WRITING:
        return
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    host = _ORIGIN.fullmatch(origin or "")
    foreign_origin = origin is not None and (host is None or host[1].lower() != config.external_host)
    if foreign_origin or site not in ("same-origin", "none"):
        raise Problem(
            "cross-site-request", f"This form was sent from another site; open {config.external_url}."
        )


def _add_headers(response: Response, config: Config) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    if request.endpoint != "static":
        # An ingress that compresses an answer takes its ETag away, unless it must not change it (RFC 9111).
        headers.setdefault("Cache-Control", "no-store, no-transform" if "ETag" in headers else "no-store")
    if config.secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
