"""From a real Alertmanager through the portal's door to a project's channel, by real web and worker."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from tests.alertmanager import AlertmanagerProcess, to_portal
from tests.ports import free_port
from tests.worker.portal import WorkerPortal
from tests.worker.receivers import HookServer
from tests.worker.test_web_restart import PASSWORD, web
from webapp.auth.models import User
from webapp.db import writing
from webapp.notifications.models import Channel
from webapp.notifications.webhook import new_secret
from webapp.projects.models import Project

pytestmark = pytest.mark.slow

TOKEN = "t" * 40
RESTARTS = {"alertname": "Restarts", "severity": "warning", "audience": "project", "namespace": "shop"}
WORDS = {"summary": "web keeps restarting", "description": "It ends with exit code 1."}


@pytest.fixture
def hook() -> Iterator[HookServer]:
    """The receiver of the project's channel."""
    found = HookServer()
    yield found
    found.close()


def _project(name: str, hook: HookServer) -> None:
    with writing() as session:
        owner = User(name=f"of-{name}", password_hash=PasswordHasher().hash(PASSWORD))
        session.add(owner)
        session.flush()
        project = Project(name=name, owner_id=owner.id, spec={"name": name})
        session.add(project)
        session.flush()
        channel = Channel(
            project_id=project.id,
            kind="webhook",
            target=f"{hook.url}/{name}",
            secret=new_secret(),
            events=["alert.firing", "alert.resolved"],
            created_by="ada",
        )
        session.add(channel)


def _told(hook: HookServer, path: str = "/shop") -> list[str]:
    return [json.loads(request.body)["type"] for request in hook.received if request.path == path]


def _signed_in(client: httpx.Client, name: str) -> dict[str, str]:
    answer = client.post("/api/v1/auth/token", json={"name": name, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """The file with the token, as Kubernetes mounts it for both sides."""
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return path


def test_an_alert_reaches_the_channel_once_and_its_end_as_well(
    portal: WorkerPortal, hook: HookServer, token_file: Path
) -> None:
    for name in ("shop", "lab"):
        _project(name, hook)
    port = free_port()
    source = AlertmanagerProcess(
        portal.folder / "alertmanager", to_portal(f"http://127.0.0.1:{port}/internal/alerts", token_file)
    )
    portal.environment |= {
        "CROFT_ALERTMANAGER_URL": source.url,
        "CROFT_ALERTS_TOKEN_FILE": str(token_file),
    }
    portal.worker(CROFT_WEBHOOK_ALLOWED_CIDRS="127.0.0.0/8")
    since = datetime.now(UTC) - timedelta(minutes=5)
    try:
        with web(portal, CROFT_BIND=f"127.0.0.1:{port}") as (_, client):
            source.tell(RESTARTS, WORDS, since=since)
            source.tell(
                {"alertname": "NodeDown", "severity": "critical", "audience": "operator"}, since=since
            )
            portal.until(lambda: _told(hook), "the channel hears of the alert")

            shop, lab = (_signed_in(client, f"of-{name}") for name in ("shop", "lab"))
            seen = client.get("/api/v1/projects/shop/alerts", headers=shop).json()["items"]
            assert [(item["name"], item["summary"]) for item in seen] == [("Restarts", WORDS["summary"])]
            assert abs(datetime.fromisoformat(seen[0]["since"]) - since) < timedelta(seconds=1)
            assert client.get("/api/v1/projects/lab/alerts", headers=lab).json()["items"] == []
            assert client.get("/api/v1/projects/shop/alerts", headers=lab).status_code == 404
            assert client.get("/api/v1/alerts", headers=lab).status_code == 403

            # Another alert of the group makes Alertmanager bring the first one again, and so does time.
            source.tell({**RESTARTS, "alertname": "Quota"}, since=since)
            portal.until(lambda: len(_told(hook)) == 2, "the channel hears of the second alert")
            log = portal.folder / "web.log"
            brought = log.read_text().count("POST /internal/alerts")
            portal.until(
                lambda: log.read_text().count("POST /internal/alerts") >= brought + 2, "it is brought again"
            )
            assert _told(hook) == ["alert.firing"] * 2

            source.tell(RESTARTS, WORDS, since=since, over=True)
            portal.until(lambda: "alert.resolved" in _told(hook), "the channel hears that it is over")
            assert _told(hook) == ["alert.firing"] * 2 + ["alert.resolved"]
            assert _told(hook, "/lab") == []
            message = json.loads(hook.received[-1].body)
            assert message["data"]["summary"] == f"Over: {WORDS['summary']}"
            assert message["data"]["alert"]["endsAt"] is not None
    finally:
        source.close()


def test_with_another_token_alertmanager_is_refused(
    sqlite_portal: WorkerPortal, hook: HookServer, token_file: Path, tmp_path: Path
) -> None:
    portal, port = sqlite_portal, free_port()
    _project("shop", hook)
    wrong = tmp_path / "wrong"
    wrong.write_text("w" * 40)
    source = AlertmanagerProcess(
        portal.folder / "alertmanager", to_portal(f"http://127.0.0.1:{port}/internal/alerts", wrong)
    )
    try:
        portal.environment["CROFT_ALERTS_TOKEN_FILE"] = str(token_file)
        with web(portal, CROFT_BIND=f"127.0.0.1:{port}"):
            source.tell(RESTARTS, WORDS)
            portal.until(lambda: "unexpected status code 401" in source.log.read_text(), "it is refused")
            said = '"POST /internal/alerts HTTP/1.1" 401'
            portal.until(lambda: said in (portal.folder / "web.log").read_text(), "it is in web's log")
        assert hook.received == []
    finally:
        source.close()
