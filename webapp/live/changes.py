"""Streams that say only that something has changed: pages then fetch their own parts anew."""

import threading
import time
from collections.abc import Callable, Generator

from flask import Flask, Response, current_app
from sqlalchemy import or_, select

from webapp import cluster
from webapp.auth.models import User
from webapp.db import db
from webapp.jobs.models import Job
from webapp.live import sse
from webapp.live.board import Board, Watch, kinds_of_cluster
from webapp.projects.access import visible_to
from webapp.projects.models import Project

# Seconds between two events: a rollout changes many things at a time, and a page is drawn once for all.
PAUSE = 0.7
_KEY = "croft_board"


def init_app(app: Flask) -> None:
    """Give the application its board, on which nothing is watched yet, and the limits of WebSockets."""
    app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 25, "max_message_size": 64 * 1024}
    # The engine exists only within the application's context.
    with app.app_context():
        app.extensions[_KEY] = Board(db.engine, lambda: app.extensions[cluster.KEY])


def board() -> Board:
    """Return the application's board."""
    return current_app.extensions[_KEY]


def of_project(project: str, application: str | None = None) -> Response:
    """Answer with an event for each change of a project or of one application."""
    kinds = kinds_of_cluster() | {"database"}
    return _respond(lambda wake: Watch(wake, kinds, project, application))


def of_jobs(user: User) -> Response:
    """Answer with an event when a job that the user may see is queued, begins or ends."""
    projects = None if user.is_admin else _projects_of(user)
    return _respond(lambda wake: Watch(wake, frozenset({"database"}), projects=projects))


def _projects_of(user: User) -> frozenset[str]:
    names = set(db.session.scalars(select(Project.name).where(visible_to(user))))
    # The jobs of a project that is gone stay with those who asked for them.
    own = select(Job.project_name).where(
        or_(Job.state == "queued", Job.state == "running"), Job.user_id == user.id
    )
    return frozenset(names | set(db.session.scalars(own)))


def _respond(make: Callable[[Callable[[], None]], Watch]) -> Response:
    changed = threading.Event()
    watch = make(changed.set)
    watching = board()
    # The session's connection goes back before the first byte is sent.
    db.session.remove()
    return sse.respond(_stream(watching, watch, changed))


def _stream(watching: Board, watch: Watch, changed: threading.Event) -> Generator[bytes, None, None]:
    opened = time.monotonic()
    watching.enter(watch)
    try:
        yield sse.retry()
        while time.monotonic() - opened < sse.MAX_AGE:
            if changed.wait(sse.HEARTBEAT):
                changed.clear()
                yield sse.event({}, name="changed")
                time.sleep(PAUSE)
            else:
                yield sse.STILL_HERE
    finally:
        watching.leave(watch)
