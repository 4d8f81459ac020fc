"""/api/v1/docs: Swagger UI on the portal's own document, from files that are served here.

What the package flask-openapi-swagger would serve itself has scripts inside the page, which our
Content-Security-Policy forbids; so only its files are used, with a page and a script of our own.
"""

from importlib.metadata import version
from pathlib import Path

import flask_openapi_swagger
from flask import Flask, Response, abort, render_template, send_from_directory, url_for

from webapp.links import API

_FOLDER = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
FILES = {"swagger-ui.css": "css", "swagger-ui-bundle.js": "js"}
_YEAR_S = 31_536_000


def init_app(app: Flask) -> None:
    """Add the page and its files to the application."""
    release = version("flask-openapi-swagger")

    @app.get("/assets/swagger/<release>/<name>", endpoint="swagger_file")
    def send_swagger_file(release: str, name: str) -> Response:
        if name not in FILES:
            abort(404)
        return send_from_directory(_FOLDER / FILES[name], name, max_age=_YEAR_S)

    @app.get(f"{API}/docs", endpoint="api_docs")
    def show() -> str:
        addresses = {name: url_for("swagger_file", release=release, name=name) for name in FILES}
        return render_template("api_docs.html", document=url_for("openapi_document"), files=addresses)
