"""Whether the portal lives, and whether it can serve."""

from pathlib import Path

from flask import Flask, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import Config
from webapp.db import db


def init_app(app: Flask) -> None:
    """Add /healthz (the process answers) and /readyz (the database answers and has the newest schema)."""

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
    wanted = newest_revision(config.home / "migrations" / "versions")
    try:
        found = db.session.scalars(text("SELECT version_num FROM alembic_version")).all()
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return (
            "the database does not answer, or it was never set up: run `flask --app webapp.wsgi db upgrade`"
        )
    if list(found) != [wanted]:
        return f"the database is at revision {', '.join(found) or 'none'}, not {wanted}: run the migrations"
    return None


def newest_revision(folder: Path) -> str:
    """Return the newest migration in `folder`. Files are numbered, so no Alembic has to be loaded."""
    return max(path.stem.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))
