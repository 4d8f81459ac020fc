"""An application with pods whose logs the test writes."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from tests.webapp.cluster import StatedCluster, pod, quota_use
from tests.webapp.cluster_live import START
from tests.webapp.conftest import Api
from tests.webapp.pages.conftest import Visit, Visitor
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.cluster.state import Container, Pod, Workload
from webapp.live.slots import slots
from webapp.openapi import Portal

LOGS = "/projects/shop/applications/web/logs"


def web_pod(
    name: str,
    *,
    restarts: int = 0,
    running: bool = True,
    age: float = 0,
    containers: tuple[str, ...] = ("web",),
) -> Pod:
    """Return a pod of the application web; `age`: seconds after START at which it was made."""
    made = START + timedelta(seconds=age)
    found = tuple(
        Container(item, "x:1", running, running, restarts, "runs", "", made if running else None)
        for item in containers
    )
    return replace(pod(name), created_at=made, restarts=restarts, containers=found)


@pytest.fixture
def visit(app: Portal) -> Visit:
    """Visitors of the pages by user's name."""
    return lambda name=None: Visitor(app, name)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def web(app: Portal, api: Api, cluster: StatedCluster) -> Iterator[StatedCluster]:
    """The cluster, in which ada's application web runs with two pods; dev is developer, eve is viewer.

    At the end nobody may be left who watches or reads.
    """
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)
    set_pods(cluster, web_pod("web-a-11111"), web_pod("web-a-22222"))
    yield cluster
    # A test that failed leaves its streams open: they would take the places of those after it.
    for events in list(Events.opened):
        events.close()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith(("watch-", "log-"))])
    assert slots.taken == 0


def set_pods(cluster: StatedCluster, *pods: Pod) -> None:
    """State which pods run, and tell those who follow."""
    cluster.running["shop"] = {"web": Workload(len(pods), pods)}
    cluster.changed.touch("shop", "web")


class Events:
    """An open event stream, read as a client does."""

    opened: ClassVar[list["Events"]] = []

    def __init__(self, api: Api, path: str, user: str = "eve", **headers: str) -> None:
        sent = {"Accept": "text/event-stream"} | {
            key.replace("_", "-"): text for key, text in headers.items()
        }
        self.response: Any = api(user).send("GET", path, headers=sent)
        assert self.response.status_code == 200, self.response.text
        assert self.response.mimetype == "text/event-stream"
        self._chunks: Iterator[bytes] = self.response.iter_encoded()
        self.last = ""
        Events.opened.append(self)

    def event(self) -> tuple[str, Any]:
        """Return name and data of the next event, past comments; ("", None) at the end."""
        for chunk in self._chunks:
            fields = dict(line.split(": ", 1) for line in chunk.decode().strip().split("\n") if ": " in line)
            if "data" in fields:
                self.last = fields.get("id", self.last)
                return fields.get("event", "message"), json.loads(fields["data"])
        return "", None

    def lines(self, count: int) -> list[str]:
        """Return the next `count` lines as "pod text", notes with a "#"."""
        found: list[str] = []
        while len(found) < count:
            _name, data = self.event()
            assert data is not None, f"the stream has ended after {found}"
            found += [
                f"{'#' if item['kind'] == 'note' else ''}{item['pod'][-5:]} {item['text']}"
                for item in data["items"]
            ]
        return found

    def close(self) -> None:
        """Hang up, once."""
        if self in Events.opened:
            Events.opened.remove(self)
            self.response.close()
