"""A shell in a container: for whom it opens, what passes, when it closes, and what is noted of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websocket
from sqlalchemy import delete, select, update

from tests.webapp.conftest import PASSWORD
from tests.webapp.live.conftest import set_pods, until, web_pod
from tests.webapp.live.exec_server import ExecServer, exec_server
from tests.webapp.pages import seed
from tests.webapp.pages.browser import Served, served
from webapp.audit.models import AuditEntry
from webapp.auth.models import User, UserSession
from webapp.db import db
from webapp.live import shell
from webapp.live.slots import slots
from webapp.projects.models import Membership

PATH = "/projects/shop/applications/web/shell"
POD = "web-5c9d7b6f4-x2k9p"


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[ExecServer]:
    """The cluster's end."""
    with exec_server() as running:
        yield running


@pytest.fixture
def portal(tmp_path: Path, backend: ExecServer) -> Iterator[Served]:
    """A portal in which ada owns shop, grace is developer and linus viewer, on a real socket."""
    with served(tmp_path) as running:
        with running.app.app_context():
            members = [{"user": "grace", "role": "developer"}, {"user": "linus", "role": "viewer"}]
            seed.create_project(running.cluster, "shop", members=members)
            seed.create_project(running.cluster, "lab", owner="linus")
            seed.create_application("shop", "web")
        set_pods(running.cluster, web_pod(POD))
        running.cluster.access = lambda: (backend.url, "")  # type: ignore[method-assign]
        yield running
        until(lambda: slots.taken == 0)


class Browser:
    """A signed-in browser: its cookies, and the CSRF value of its pages."""

    def __init__(self, portal: Served, name: str | None) -> None:
        self.portal = portal
        self.http = httpx.Client(base_url=portal.url, trust_env=False, follow_redirects=True)
        self.csrf = ""
        if name:
            self.http.post("/sign-in", data={"name": name, "password": PASSWORD})
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.http.get("/jobs").text)
            assert found
            self.csrf = found[1]

    def connect(self, path: str = PATH, **more: Any) -> websocket.WebSocket:
        """Open the WebSocket as a page of the portal does."""
        cookies = "; ".join(f"{key}={value}" for key, value in self.http.cookies.items())
        options: dict[str, Any] = {"origin": self.portal.url, "cookie": cookies, "timeout": 10, **more}
        return websocket.create_connection(
            f"{self.portal.url.replace('http', 'ws', 1)}{path}/socket", **options
        )

    def open(self, **hello: Any) -> websocket.WebSocket:
        """Open a shell; the first word of the portal is still to be read."""
        socket = self.connect()
        first = {
            "csrf": self.csrf,
            "pod": POD,
            "container": "web",
            "shell": "/bin/sh",
            "columns": 90,
            "rows": 30,
        }
        socket.send(json.dumps({**first, **hello}))
        return socket


def word(socket: websocket.WebSocket) -> tuple[str, str]:
    """Return the next word of the portal's own, past what the shell prints."""
    while True:
        message = socket.recv()
        if isinstance(message, str) and message:
            body = json.loads(message)
            return body["type"], body["text"]
        assert message, "the connection was closed without a word"


def printed(socket: websocket.WebSocket, wanted: bytes) -> None:
    """Read until the shell has printed this."""
    found = b""
    while wanted not in found:
        message = socket.recv()
        assert isinstance(message, bytes), message
        found += message


def audit(portal: Served) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what was noted of shells: who, what, details."""
    with portal.app.app_context():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("shell.%")).order_by(AuditEntry.id)
        )
        return [
            (item.user_name, item.action, {change["field"]: change["after"] for change in item.changes})
            for item in entries
        ]


def test_a_developer_types_and_reads_and_both_ends_are_noted(portal: Served, backend: ExecServer) -> None:
    socket = Browser(portal, "grace").open()
    assert word(socket) == ("ready", "")
    printed(socket, b"$ ")
    socket.send_binary("grüße\n".encode())
    printed(socket, "grüße\n".encode().upper())
    socket.send(json.dumps({"columns": 120, "rows": 40}))
    socket.send("no size")
    socket.send_binary(b"exit\n")
    assert word(socket) == ("end", "the shell has ended")
    socket.close()
    assert backend.sizes == [{"Width": 90, "Height": 30}, {"Width": 120, "Height": 40}]
    asked = backend.asked[0]
    assert asked.path == f"/api/v1/namespaces/shop/pods/{POD}/exec"
    assert asked.args["container"] == "web"
    assert asked.args.getlist("command") == ["/bin/sh"]
    assert asked.headers["Authorization"] == "Bearer token-of-shop-croft-developer", "not the portal's own"
    begin, end = audit(portal)
    assert begin == ("grace", "shell.open", {"pod": POD, "container": "web", "shell": "/bin/sh"})
    assert end[:2] == ("grace", "shell.close")
    assert end[2]["ended"] == "the shell has ended"
    assert "grüße" not in json.dumps(audit(portal)), "what was typed is nobody's business"


def test_who_may_not_gets_no_connection(portal: Served, backend: ExecServer) -> None:
    def refused(browser: Browser, path: str = PATH, **more: Any) -> int:
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            browser.connect(path, **more)
        return caught.value.status_code

    assert refused(Browser(portal, "linus")) == 403, "a viewer"
    assert refused(Browser(portal, "grace"), PATH.replace("shop", "lab")) == 404, "another project"
    assert refused(Browser(portal, None)) == 401
    ada = Browser(portal, "ada")
    assert refused(ada, origin="http://web.shop.localhost:8080") == 403, "a page of an application"
    assert refused(ada, suppress_origin=True) == 403
    assert ada.http.get(f"{PATH}/socket").status_code == 400, "no WebSocket"
    assert backend.asked == []
    assert Browser(portal, "linus").http.get(PATH).status_code == 403
    assert audit(portal) == []


@pytest.mark.parametrize(
    ("hello", "sentence"),
    [
        ({"csrf": "wrong"}, "page is too old"),
        ({"pod": "other"}, "no pod 'other'"),
        ({"container": "nope"}, "no pod|No pod"),
        ({"shell": "/bin/rm"}, "first message"),
        ({"pod": "../../secrets"}, "first message"),
    ],
)
def test_a_wrong_first_message_ends_it(
    portal: Served, backend: ExecServer, hello: dict[str, str], sentence: str
) -> None:
    kind, text = word(Browser(portal, "ada").open(**hello))
    assert kind == "end"
    assert re.search(sentence, text), text
    assert backend.asked == []


def test_what_keeps_a_shell_from_opening_is_told_in_words(portal: Served, backend: ExecServer) -> None:
    ada = Browser(portal, "ada")
    backend.without_shell = True
    socket = ada.open()
    assert word(socket)[0] == "ready"
    kind, text = word(socket)
    assert (kind, text.partition(";")[0]) == ("end", "the image of container 'web' has no /bin/sh")
    backend.without_shell = False
    for refusal, sentence in (
        ((403, "pods is forbidden"), "does not allow"),
        ((404, "not found"), "the pod is gone"),
        ((500, "container web is not running"), "does not run"),
    ):
        backend.refuse = refusal
        kind, text = word(ada.open())
        assert kind == "end"
        assert sentence in text
    backend.refuse = None
    portal.cluster.without_accounts.add("shop")
    assert "save its settings" in word(ada.open())[1]
    portal.cluster.down = True
    assert "cannot be read" in word(ada.open())[1]


def test_limits_and_lost_rights_close_it(
    portal: Served, backend: ExecServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "CHECK_S", 0.1)
    grace = Browser(portal, "grace")
    socket = grace.open()
    assert word(socket)[0] == "ready"
    with portal.app.app_context():
        role = select(User.id).where(User.name == "grace").scalar_subquery()
        db.session.execute(update(Membership).where(Membership.user_id == role).values(role="viewer"))
        db.session.commit()
    assert "You are a viewer" in word(socket)[1]
    with portal.app.app_context():
        db.session.execute(update(Membership).values(role="developer"))
        db.session.commit()
    socket = grace.open()
    assert word(socket)[0] == "ready"
    with portal.app.app_context():
        db.session.execute(delete(UserSession))
        db.session.commit()
    assert word(socket)[1] == "you are signed out"
    until(lambda: backend.open_now == 0)
    monkeypatch.setattr(shell, "IDLE_S", 0)
    socket = Browser(portal, "ada").open()
    assert word(socket)[0] == "ready"
    assert "nothing was typed" in word(socket)[1]
    monkeypatch.setattr(shell, "IDLE_S", 60)
    monkeypatch.setattr(shell, "LONGEST_S", 0)
    socket = Browser(portal, "ada").open()
    assert word(socket)[0] == "ready"
    assert "the longest" in word(socket)[1]


def test_a_browser_that_leaves_ends_the_command(portal: Served, backend: ExecServer) -> None:
    socket = Browser(portal, "ada").open()
    assert word(socket)[0] == "ready"
    until(lambda: backend.open_now == 1)
    socket.close()
    until(lambda: backend.open_now == 0)
    until(lambda: len(audit(portal)) == 2)
    assert audit(portal)[1][2]["ended"] == "the browser left"


def test_the_page_says_what_is_missing(portal: Served) -> None:
    ada = Browser(portal, "ada")
    assert "terminal's files are not on this server" in ada.http.get(PATH).text
    files = portal.app.extensions["croft_browser_files"]
    files._versions["xterm.js"] = "x"
    page = ada.http.get(PATH).text
    assert POD in page
    assert ada.csrf in page
    set_pods(portal.cluster)
    assert "No container runs" in ada.http.get(PATH).text
