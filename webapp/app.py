"""The application factory."""

import secrets
from importlib import import_module

from webapp import alerts, api_docs, cluster, errors, health, monitoring, openapi, pages, security
from webapp import db as database
from webapp.auth import sessions
from webapp.auth.cli import cli as users_cli
from webapp.catalog import offered
from webapp.config import Config, load_config
from webapp.live import changes
from webapp.metrics import measuring
from webapp.pages import browser_files

# A subject has `api.api`, a blueprint below /api/v1, and `views.pages`, a blueprint of HTML pages.
SUBJECTS = (
    "auth",
    "account",
    "users",
    "audit",
    "projects",
    "members",
    "quota_requests",
    "applications",
    "revisions",
    "plans",
    "jobs",
    "notifications",
    "live",
    "alerts",
    "monitoring",
)


def create_app(config: Config | None = None) -> openapi.Portal:
    """Return the portal as a WSGI application, with settings from the environment when none are given.

    It needs neither a database nor a cluster to be built. Raises ConfigurationError for settings that cannot
    work.
    """
    config = config or load_config()
    app = openapi.Portal(
        __name__,
        info=openapi.info(),
        servers=openapi.SERVERS,
        security_schemes=openapi.SECURITY_SCHEMES,
        validation_error_callback=openapi.refuse,
        validation_error_model=openapi.ProblemBody,
        doc_ui=False,
    )
    app.config["CROFT"] = config
    # Without secrets (the `openapi` command) nothing is ever signed with this.
    app.config["SECRET_KEY"] = config.secret_key or secrets.token_urlsafe(48)
    # Holds the state of a sign-in with OpenID Connect while the browser is at the provider.
    app.config["SESSION_COOKIE_NAME"] = "__Host-croft_oidc" if config.secure else "croft_oidc"
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = config.secure
    app.json.sort_keys = False  # type: ignore[attr-defined]

    measuring.init_app(app)
    database.init_app(app, config)
    errors.init_app(app)
    security.init_app(app, config)
    sessions.init_app(app, config)
    openapi.init_app(app)
    api_docs.init_app(app)
    health.init_app(app)
    cluster.init_app(app, config)
    offered.init_app(app, config)
    alerts.init_app(app, config)
    monitoring.init_app(app, config)
    pages.init_app(app)
    browser_files.init_app(app, config.browser_files)
    changes.init_app(app)
    for subject in SUBJECTS:
        app.register_api(import_module(f"webapp.{subject}.api").api)
        app.register_blueprint(import_module(f"webapp.{subject}.views").pages)
    app.register_api(import_module("webapp.catalog.api").api)
    app.register_api(import_module("webapp.catalog.applications_api").api)
    app.register_blueprint(import_module("webapp.catalog.views").pages)
    app.register_blueprint(import_module("webapp.auth.oidc_views").pages)
    app.register_api(import_module("webapp.monitoring.prometheus_api").api)
    app.cli.add_command(users_cli)
    return app
