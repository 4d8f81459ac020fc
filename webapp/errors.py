"""One shape for every error: problem+json below /api, a page elsewhere."""

import logging
import uuid
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from flask.json import dumps
from werkzeug.exceptions import HTTPException

from webapp.problems import PROBLEM_TYPES, Problem

log = logging.getLogger(__name__)

_BY_STATUS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "not-json",
}


def init_app(app: Flask) -> None:
    """Register the handlers of all errors."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem) -> Response:
    """Return the HTTP answer for a problem, in the shape that the request's address calls for."""
    if request.path.startswith("/api/"):
        body: Any = dumps({**problem.to_json(), "instance": request.path})
        response = make_response(body, problem.status)
        response.mimetype = "application/problem+json"
    else:
        page = render_template(
            "errors/error.html", code=problem.status, title=problem.type.title, detail=problem.detail
        )
        response = make_response(page, problem.status)
    response.headers.extend(problem.headers)
    return response


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    if (error.code or 500) >= 500:
        return _unexpected(error)
    problem = Problem(_BY_STATUS.get(error.code or 400, "bad-request"), _sentence(error))
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    problem.headers.update(headers)
    return answer(problem)


def _sentence(error: HTTPException) -> str:
    if error.code == 404:
        return f"There is nothing at {request.path}."
    if error.code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        return f"{request.path} does not take {request.method}; it takes {allowed}."
    if error.code == 413:
        return "The body is larger than 1 MB, which is the most that is read."
    return error.description or PROBLEM_TYPES["bad-request"].title


def _unexpected(error: Exception) -> Response:
    """Log the exception under a fresh id, and tell the user the id and nothing of its inside."""
    error_id = uuid.uuid4().hex[:12]
    log.error("error %s at %s %s", error_id, request.method, request.path, exc_info=error)
    detail = (
        f"The portal failed at this request. Tell the operator the id {error_id}; the cause is in the log."
    )
    return answer(Problem("internal-error", detail, extra={"id": error_id}))
