"""The application factory."""

import secrets
from importlib import import_module

from flask_migrate import Migrate

from webapp import db as database
from webapp import errors, health, openapi, security
from webapp.auth import sessions
from webapp.config import Config, load_config

# Modules with `api`, a blueprint of /api/v1; with `pages`, a blueprint of HTML pages; with `cli`, a command group.
API_MODULES = ("webapp.auth.api", "webapp.projects.api", "webapp.applications.api", "webapp.jobs.api")
PAGE_MODULES = (
    "webapp.auth.views",
    "webapp.projects.views",
    "webapp.applications.views",
    "webapp.jobs.views",
)
CLI_MODULES = ("webapp.auth.cli",)


def create_app(config: Config | None = None) -> openapi.Portal:
    """Return the portal as a WSGI application, with settings from the environment when none are given.

    It needs neither a database nor a cluster to be built. Raises ConfigurationError for settings that cannot work.
    """
    config = config or load_config()
    app = openapi.Portal(
        __name__,
        info=openapi.info(),
        security_schemes=openapi.SECURITY_SCHEMES,
        validation_error_callback=openapi.refuse,
        validation_error_model=openapi.ProblemBody,
        doc_ui=False,
    )
    app.config["CROFT"] = config
    # Without secrets (the `openapi` command) nothing is ever signed with this.
    app.config["SECRET_KEY"] = config.secret_key or secrets.token_urlsafe(48)
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = config.secure
    app.json.sort_keys = False  # type: ignore[attr-defined]

    database.init_app(app, config)
    Migrate(app, database.db, directory=str(config.home / "migrations"))
    errors.init_app(app)
    security.init_app(app, config)
    sessions.init_app(app, config)
    openapi.init_app(app)
    health.init_app(app)
    for name in API_MODULES:
        app.register_api(import_module(name).api)
    for name in PAGE_MODULES:
        app.register_blueprint(import_module(name).pages)
    for name in CLI_MODULES:
        app.cli.add_command(import_module(name).cli)
    return app
