"""What the HTML pages of all subjects share: filters, their static files, and forms."""

from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, g, request, send_from_directory, url_for

from webapp.auth import sessions
from webapp.auth.models import User
from webapp.db import utcnow
from webapp.jobs import kinds
from webapp.pages import formats
from webapp.problems import Problem

_YEAR_S = 31_536_000


def init_app(app: Flask) -> None:
    """Add template filters and the route of static files to the application."""
    folder = Path(str(app.static_folder))
    version = _version(folder)

    def asset(name: str) -> str:
        return url_for("asset", version=version, name=name)

    # The version is a folder, so that modules which import each other by relative names carry it as well.
    @app.get("/assets/<version>/<path:name>", endpoint="asset")
    def send_asset(version: str, name: str) -> Response:
        current = version == sent_version and not app.debug
        return send_from_directory(folder, name, max_age=_YEAR_S if current else None)

    sent_version = version
    app.jinja_env.globals.update(asset=asset, visitor=visitor, now_s=lambda: utcnow().timestamp())
    app.jinja_env.filters.update(
        ago=formats.ago,
        age=formats.age,
        combine=lambda attributes, **more: {**attributes, **more},
        day=formats.day,
        duration=formats.duration,
        host=lambda url: urlsplit(url).netloc,
        job_message=kinds.message_of,
        job_title=kinds.title_of,
        kind_word=lambda kind: formats.KIND_WORDS.get(kind, ""),
        state_style=formats.state_style,
        state_word=formats.state_word,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def visitor() -> User | None:
    """Return who sees an error page: an address that no view answers has not asked for the session yet."""
    if "user" not in g and request.method == "GET":
        try:
            sessions.load_page_user()
        except Problem:
            return None
    return g.get("user")


def _version(folder: Path) -> str:
    """Return a short digest of all static files: browsers keep them until one changes."""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
