"""A portal with two projects, and a real Prometheus that has measured both."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import prometheus
from tests.prometheus import Monitored
from tests.webapp.monitoring import measurements
from tests.webapp.pages import seed
from webapp.auth import services as auth
from webapp.monitoring import KEY
from webapp.monitoring.services import Monitoring

URL = "http://croft.localhost:8080"


@pytest.fixture(scope="session")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """A Prometheus that has measured a small cluster, and a label proxy in front of it."""
    with prometheus.running(tmp_path_factory.mktemp("prometheus"), measurements.series()) as found:
        yield found


def make(folder: Path, url: str = URL, **settings: Any) -> Flask:
    """Return a portal with the projects shop (ada's; linus is a viewer) and lab (grace's)."""
    app, cluster = seed.make_portal(folder, url, **settings)
    with app.app_context():
        seed.create_project(cluster, "shop", members=[{"user": "linus", "role": "viewer"}])
        for name in ("web", "db", "mail"):
            seed.create_application("shop", name)
        seed.create_project(cluster, "lab", owner="grace")
        seed.create_application("lab", measurements.SECRET, owner="grace")
    return app


@pytest.fixture(scope="session")
def observed(monitored: Monitored, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The portal, in front of that Prometheus."""
    app = make(tmp_path_factory.mktemp("portal"), **monitored.settings)
    # What these tests ask is whether and what is answered; how soon is asked in test_faults.py.
    monitoring_of(app).prometheus.limit_s = 30
    return app


class Asker:
    """Asks the API as one user; answers are kept as text."""

    def __init__(self, app: Flask, name: str) -> None:
        with app.app_context():
            token = auth.sign_in(name, seed.PASSWORD, "127.0.0.1")[1].access
        self.client: FlaskClient = app.test_client()
        self.headers = {"Host": "croft.localhost:8080", "Authorization": f"Bearer {token}"}

    def get(self, path: str, *pairs: tuple[str, str], method: str = "GET", **headers: str) -> Any:
        """Send a request to a path below /api/v1."""
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.open(f"/api/v1{path}?{query}", method=method, headers=sent)


@pytest.fixture(scope="session")
def ask_as(observed: Flask) -> Callable[[str], Asker]:
    """Askers by user's name."""
    known: dict[str, Asker] = {}

    def found(name: str) -> Asker:
        if name not in known:
            known[name] = Asker(observed, name)
        return known[name]

    return found


def monitoring_of(app: Flask) -> Monitoring:
    """Return the portal's dashboards and client."""
    found: Monitoring = app.extensions[KEY]
    return found
