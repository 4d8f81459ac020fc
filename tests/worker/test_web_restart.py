"""A job's stream over restarts of the web process: no line is lost, and none comes twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from tests.worker.portal import CHECKOUT, PATIENCE, WorkerPortal
from webapp.auth.models import User
from webapp.db import db, writing
from webapp.jobs import queue
from webapp.jobs.events import NewEvent

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"


@contextmanager
def web(portal: WorkerPortal, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run the web process until the block ends; `more`: variables of its environment."""
    socket = portal.folder / "web.sock"
    environment = portal.environment | {
        "PYTHONPATH": str(CHECKOUT),
        "CROFT_HOME": str(CHECKOUT),
        "CROFT_BIND": f"unix:{socket}",
        "CROFT_KUBECONFIG": str(portal.folder / "kubeconfig"),
        **more,
    }
    with (portal.folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp.wsgi"],
            cwd="/",
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = environment["CROFT_BIND"]
    if address.startswith("unix:"):
        settings = {"transport": httpx.HTTPTransport(uds=str(socket)), "base_url": "http://croft.localhost"}
    else:
        settings = {"base_url": f"http://{address}", "headers": {"Host": "croft.localhost"}}
    with httpx.Client(timeout=20, trust_env=False, **settings) as client:
        try:
            WorkerPortal.until(lambda: _answers(client), "the web process answers")
            yield process, client
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _answers(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/healthz").is_success
    return False


def _read(client: httpx.Client, path: str, headers: dict[str, str], found: list[dict[str, Any]]) -> None:
    """Read the stream as a browser does, on from the last event that it has, to its end or its breaking."""
    after = {"Last-Event-ID": str(found[-1]["number"])} if found else {}
    accept = {"Accept": "text/event-stream"}
    with (
        suppress(httpx.TransportError),
        client.stream("GET", path, headers=headers | accept | after) as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))


def _write(portal: WorkerPortal, job_id: str, enough: threading.Event, written: list[str]) -> None:
    """Be the worker that does the job, line by line."""
    with portal.app.app_context():
        while not enough.wait(0.02):
            written.append(f"line {len(written)}")
            assert queue.add_events("w1", job_id, [NewEvent("log", written[-1])])
        assert queue.finish("w1", job_id, "succeeded", "All is said")
        db.session.remove()


def _cut(pid: int, number: int, found: list[dict[str, Any]], before: int) -> None:
    """Send a signal to the process and its children in the middle of the stream, once events have come."""
    WorkerPortal.until(lambda: len(found) > before + 5, "events come")
    os.killpg(pid, number)


def test_a_stream_goes_on_after_the_web_process_is_restarted_or_killed(portal: WorkerPortal) -> None:
    with writing() as session:
        session.execute(update(User).values(password_hash=PasswordHasher().hash(PASSWORD)))
    job_id = portal.enqueue("shop")
    assert queue.claim("w1") is not None
    path = f"/api/v1/jobs/{job_id}/events"
    found: list[dict[str, Any]] = []
    cuts, written, enough = [], [], threading.Event()
    writer = threading.Thread(target=_write, args=(portal, job_id, enough, written))
    headers: dict[str, str] = {}
    for cut in (signal.SIGTERM, signal.SIGKILL, None):
        with web(portal) as (process, client):
            if not headers:
                body = {"name": "ada", "password": PASSWORD}
                token = client.post("/api/v1/auth/token", json=body).json()["accessToken"]
                headers = {"Authorization": f"Bearer {token}"}
                writer.start()
            if cut is None:
                enough.set()
            else:
                threading.Thread(target=_cut, args=(process.pid, cut, found, len(found))).start()
            _read(client, path, headers, found)
            cuts.append(len(found))
    writer.join()
    assert 0 < cuts[0] < cuts[1] < len(written), "it was cut twice in the middle"
    assert [event["number"] for event in found] == list(range(1, len(found) + 1))
    assert [event["text"] for event in found if event["kind"] == "log"] == written
    assert found[-1]["data"] == {"state": "succeeded"}
