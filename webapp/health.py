"""Whether the portal lives, and whether it can serve."""

from flask import Flask, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import Config
from webapp.database_revision import standing
from webapp.db import db


def init_app(app: Flask) -> None:
    """Add /healthz (the process answers) and /readyz (the database answers and fits this version)."""

    @app.route("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.route("/readyz")
    def readyz() -> tuple[Response, int]:
        trouble = _trouble()
        return (
            (jsonify(status="ok"), 200)
            if trouble is None
            else (jsonify(status="not ready", detail=trouble), 503)
        )


def _trouble() -> str | None:
    config: Config = current_app.config["CROFT"]
    try:
        return standing(db.session.connection(), config.home).trouble
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return "the database does not answer"
