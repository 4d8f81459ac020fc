"""The portal on SQLite and on a real PostgreSQL, with users, and a cluster that the test states."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from sqlalchemy import event

from tests import postgres
from tests.webapp.cluster import StatedCluster
from webapp.app import create_app
from webapp.auth import services
from webapp.auth.models import User
from webapp.config import Config
from webapp.db import Base, db
from webapp.openapi import Portal

PASSWORD = "correct horse battery staple"
USERS = ("root", "ada", "dev", "eve", "out")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of an empty database; every test that uses it runs on both."""
    if request.param == "postgresql":
        return postgres.new_database(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path_factory.mktemp('db') / 'portal.db'}"


def make_config(database_url: str, **settings: Any) -> Config:
    """Return a complete configuration on this database."""
    return Config(
        database_url=database_url,
        secret_key="s" * 40,
        jwt_secret_key="j" * 40,
        encryption_keys=(Fernet.generate_key().decode(),),
        **settings,
    )


@pytest.fixture(scope="session")
def portal(database_url: str) -> Iterator[Portal]:
    """The application on a migrated database."""
    application = create_app(make_config(database_url))
    application.testing = False
    with application.app_context():
        flask_migrate.upgrade(directory=str(Path(application.config["CROFT"].home) / "migrations"))
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hash of PASSWORD, a cheap one: hundreds of tests sign in, and a hash carries its own cost."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def app(portal: Portal, password_hash: str) -> Iterator[Portal]:
    """The application with its users and an empty rest; what the test stores is gone afterwards."""
    with portal.app_context():
        db.session.add_all(
            User(name=name, password_hash=password_hash, is_admin=name == "root") for name in USERS
        )
        db.session.commit()
    yield portal
    with portal.app_context():
        db.session.rollback()
        for table in reversed(Base.metadata.sorted_tables):
            db.session.execute(table.delete())
        db.session.commit()


@pytest.fixture(autouse=True)
def cluster(request: pytest.FixtureRequest) -> Iterator[StatedCluster | None]:
    """The cluster that the application reads, for tests that use the application."""
    if "app" not in request.fixturenames:
        yield None
        return
    application: Portal = request.getfixturevalue("app")
    stated = StatedCluster()
    real = application.extensions["croft_cluster"]
    application.extensions["croft_cluster"] = stated
    yield stated
    application.extensions["croft_cluster"] = real


class ApiClient:
    """Sends requests to the API as one user."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self.client = client
        self.headers = {"Host": "croft.localhost:8080"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )

    def send(self, method: str, path: str, body: Any = None, **arguments: Any) -> Any:
        """Send a request; `path` is below /api/v1 unless it begins with /api."""
        if body is not None:
            arguments["json"] = body
        headers = {**self.headers, **arguments.pop("headers", {})}
        path = path if path.startswith("/api") else f"/api/v1{path}"
        return self.client.open(path, method=method, headers=headers, **arguments)


class Api:
    """Makes clients, each signed in as one of USERS."""

    def __init__(self, app: Portal) -> None:
        self.app = app
        self.tokens: dict[str, str] = {}

    def __call__(self, name: str | None = None) -> ApiClient:
        """Return a client of this user; None is a stranger."""
        if name is not None and name not in self.tokens:
            with self.app.app_context():
                self.tokens[name] = services.sign_in(name, PASSWORD, "127.0.0.1")[1].access
        return ApiClient(self.app.test_client(), self.tokens.get(name or ""))


@pytest.fixture
def api(app: Portal) -> Api:
    """Clients of the API by user's name."""
    return Api(app)


@pytest.fixture
def statements(app: Portal) -> Iterator[list[str]]:
    """Every SQL statement that was sent since the fixture began."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)
