"""Server-Sent Events of a job: in order, resumable, cheap, and gone with the client."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.conftest import Api
from webapp.auth.models import User
from webapp.db import db, writing
from webapp.jobs import queue, services, stream
from webapp.jobs.events import NewEvent
from webapp.openapi import Portal


@pytest.fixture
def job_id(app: Portal) -> str:
    """A running job of ada, with two events."""
    with app.app_context():
        with writing() as session:
            ada = session.scalars(select(User).where(User.name == "ada")).one()
            new = services.enqueue(
                session, kind="project.create", project_name="shop", user=ada, request={"project": {}}
            )
        job_id = new.id
        queue.claim("w1")
    return job_id


class Stream:
    """An open stream, read as a client does."""

    def __init__(self, api: Api, job_id: str, query: str = "", **headers: str) -> None:
        headers = {"Accept": "text/event-stream"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        self.response: Any = api("ada").send("GET", f"/jobs/{job_id}/events{query}", headers=headers)
        assert self.response.status_code == 200
        assert self.response.mimetype == "text/event-stream"
        self._chunks: Iterator[bytes] = self.response.iter_encoded()

    def chunk(self) -> str:
        """Return the next piece that was sent; empty at the end."""
        return next(self._chunks, b"").decode()

    def event(self) -> dict[str, Any]:
        """Return the next event, past comments."""
        while not (chunk := self.chunk()).startswith("id:"):
            assert chunk, "the stream has ended"
        number, data = chunk.strip().split("\n")
        body = json.loads(data.removeprefix("data: "))
        assert number == f"id: {body['number']}"
        return body

    def close(self) -> None:
        """Hang up."""
        self.response.close()


def _later(app: Portal, action: Callable[[], Any]) -> threading.Thread:
    """Do something in another thread, a little later."""

    def act() -> None:
        time.sleep(0.2)
        with app.app_context():
            action()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def _watching() -> int:
    return sum(thread.name == "job-events" for thread in threading.enumerate())


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_come_as_they_happen_and_the_stream_ends_with_the_job(
    app: Portal, api: Api, job_id: str
) -> None:
    opened = Stream(api, job_id)
    assert opened.chunk() == "retry: 1000\n\n"
    assert [opened.event()["number"] for _number in range(2)] == [1, 2]
    begun = time.monotonic()
    writer = _later(app, lambda: queue.add_events("w1", job_id, [NewEvent("task", "Größe\nprüfen")]))
    event = opened.event()
    assert time.monotonic() - begun < stream.HEARTBEAT / 2, "it came with the next heartbeat"
    assert (event["number"], event["kind"], event["text"]) == (3, "task", "Größe\nprüfen")
    writer.join()
    writer = _later(app, lambda: queue.finish("w1", job_id, "succeeded", "Done"))
    assert opened.event()["data"] == {"state": "succeeded"}
    assert opened.chunk() == ""
    writer.join()
    _until(lambda: _watching() == 0)


def test_a_stream_goes_on_after_the_last_event_that_was_seen(app: Portal, api: Api, job_id: str) -> None:
    with app.app_context():
        queue.add_events("w1", job_id, [NewEvent("task", "three"), NewEvent("ok", "four")])
    for opened in (
        Stream(api, job_id, Last_Event_ID="3"),
        Stream(api, job_id, "?after=3"),
        Stream(api, job_id, "?after=1", Last_Event_ID="3"),
    ):
        assert opened.event()["number"] == 4
        opened.close()
    with app.app_context():
        queue.finish("w1", job_id, "failed", "No")
    opened = Stream(api, job_id, Last_Event_ID="4")
    assert opened.event()["number"] == 5
    assert opened.chunk() == ""

    accept = {"Accept": "text/event-stream"}
    done = api("ada").send("GET", f"/jobs/{job_id}/events", headers={**accept, "Last-Event-ID": "5"})
    assert (done.status_code, done.data) == (204, b""), "a browser does not come back"
    for bad in ("x", "-1", "1" * 30):
        answer = api("ada").send("GET", f"/jobs/{job_id}/events", headers={**accept, "Last-Event-ID": bad})
        assert answer.status_code == 400


def test_a_waiting_stream_holds_no_connection_and_shows_that_it_lives(
    app: Portal, api: Api, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)
    opened = Stream(api, job_id)
    opened.event(), opened.event()
    assert opened.chunk() == ": still here\n\n"
    with app.app_context():
        watching = stream.watcher()
        engine = db.engine
    # The watcher's own look takes one for a moment; no stream does.
    _until(lambda: engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    assert (watching.count, _watching()) == (1, 1)
    opened.close()
    assert watching.count == 0
    _until(lambda: _watching() == 0)


def test_many_streams_share_one_watcher_and_too_many_end_early(
    app: Portal, api: Api, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.live.slots.MOST", 3)
    streams = [Stream(api, job_id) for _number in range(3)]
    for opened in streams:
        opened.event(), opened.event()
    assert _watching() == 1
    crowded = Stream(api, job_id)
    assert [crowded.event()["number"], crowded.event()["number"]] == [1, 2]
    assert crowded.chunk() == "", "it ends with what there is; the browser comes back"
    with app.app_context():
        queue.add_events("w1", job_id, [NewEvent("log", "for all")])
    assert [opened.event()["text"] for opened in streams] == ["for all"] * 3
    for opened in streams:
        opened.close()
    _until(lambda: _watching() == 0)


def test_an_old_stream_ends_so_that_the_browser_signs_in_anew(
    api: Api, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_AGE", 0.0)
    opened = Stream(api, job_id)
    assert [opened.event()["number"], opened.event()["number"]] == [1, 2]
    assert opened.chunk() == ""
