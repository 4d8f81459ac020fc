"""A shell in a container: who may have one, for how long, and what the audit log says of it.

It runs with a token of the project's own service account for the user's role, so that the portal's account
needs no such right, and what is typed is never stored.
"""

import hmac
import json
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, ValidationError
from simple_websocket import ConnectionClosed, Server
from sqlalchemy.exc import DBAPIError

from webapp import cluster
from webapp.applications import queries
from webapp.audit.services import record
from webapp.auth.models import User
from webapp.auth.services import user_of_session
from webapp.cluster import ClusterUnreachable
from webapp.cluster.execute import NO_SHELL, CannotStart, Execution, Target
from webapp.cluster.tokens import ACCOUNTS, request_token
from webapp.db import db, writing
from webapp.live import logs, services
from webapp.live.slots import slots
from webapp.problems import Problem
from webapp.projects.access import require_role, role_of
from webapp.schemas import Model

log = logging.getLogger(__name__)

SHELLS = ("/bin/sh", "/bin/bash")
# Seconds without a key, and in all, after which a shell is closed.
IDLE_S = 15 * 60
LONGEST_S = 4 * 60 * 60
# Seconds between looks whether session and role still hold.
CHECK_S = 5.0
HELLO_S = 10.0
MAX_MESSAGE = 64 * 1024
# Messages that wait because the container does not take them; above this the browser is cut off.
MAX_QUEUED = 256
TOKEN_S = 600


class Hello(Model):
    """The first message of a browser: what it wants, and the session's CSRF value."""

    csrf: str = Field(max_length=200)
    pod: str = Field(max_length=253, pattern=r"^[a-z0-9.-]+$")
    container: str = Field(max_length=63, pattern=r"^[a-z0-9-]+$")
    shell: str = Field(pattern=f"^({'|'.join(SHELLS)})$")
    columns: int = Field(80, ge=1, le=1000)
    rows: int = Field(24, ge=1, le=1000)


class Resize(Model):
    """The browser's terminal has a new size."""

    columns: int = Field(ge=1, le=1000)
    rows: int = Field(ge=1, le=1000)


@dataclass
class Shell:
    """One session between a browser and a container."""

    socket: Server
    execution: Execution
    user_id: int
    family: str
    project: str
    application: str
    begun: float = field(default_factory=time.monotonic)
    typed: float = field(default_factory=time.monotonic)
    checked: float = field(default_factory=time.monotonic)

    def run(self) -> str:
        """Carry what is typed and printed until one side ends; return why it ended, in words."""
        reader = threading.Thread(target=self._print, name="shell-output", daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                if reason := self._over():
                    return reason
                message = self.socket.receive(timeout=1)
                if message is not None:
                    self._take(message)
            return _ending(self.execution.outcome) if self.socket.connected else "the browser left"
        except ConnectionClosed:
            return "the browser left"
        except ConnectionError:
            return _ending(self.execution.outcome)
        finally:
            self.execution.close()
            reader.join(timeout=5)
            self.execution.release()

    def _print(self) -> None:
        try:
            for data in self.execution.output():
                self.socket.send(data)
        except (ConnectionClosed, OSError):
            # The browser has gone; the other thread notices by itself.
            self.execution.close()

    def _take(self, message: str | bytes) -> None:
        self.typed = time.monotonic()
        if isinstance(message, bytes):
            self.execution.type(message)
            return
        try:
            size = Resize.model_validate_json(message)
        except ValidationError:
            return
        self.execution.resize(size.columns, size.rows)

    def _over(self) -> str:
        now = time.monotonic()
        if now - self.typed > IDLE_S:
            return f"nothing was typed for {IDLE_S // 60} minutes"
        if now - self.begun > LONGEST_S:
            return f"it was open for {LONGEST_S // 3600} hours, which is the longest"
        if len(self.socket.input_buffer) > MAX_QUEUED:
            return "more was sent than the container takes"
        if now - self.checked > CHECK_S:
            self.checked = now
            return self._refused()
        return ""

    def _refused(self) -> str:
        """Return why the user may not go on, read anew from the database; empty when they may."""
        try:
            return _still_allowed(self.user_id, self.family, self.project, self.application)
        except DBAPIError as error:
            log.warning("a shell cannot be checked now: %s", str(error.orig).strip())
            return ""
        finally:
            db.session.remove()


def serve(socket: Server, user_id: int, family: str, csrf: str, project: str, application: str) -> None:
    """Serve one browser, from its first message to the end. The caller has checked `check`."""
    if not slots.take():
        return _tell(socket, "end", "too many live connections are open; try again in a minute")
    try:
        hello = _hello(socket, csrf)
        execution = _start(user_id, project, application, hello)
    except (Problem, CannotStart) as error:
        slots.give_back()
        return _tell(socket, "end", error.detail if isinstance(error, Problem) else str(error))
    began = {"pod": hello.pod, "container": hello.container, "shell": hello.shell}
    shell = Shell(socket, execution, user_id, family, project, application)
    reason = "the portal failed"
    try:
        _audit(user_id, "shell.open", project, application, began)
        _tell(socket, "ready", "")
        execution.resize(hello.columns, hello.rows)
        reason = shell.run()
    except ConnectionError:
        reason = _ending(execution.outcome)
    finally:
        execution.close()
        slots.give_back()
        seconds = round(time.monotonic() - shell.begun)
        end = {**began, "seconds": seconds, "ended": reason.format(**began)}
        _audit(user_id, "shell.close", project, application, end)
    _tell(socket, "end", reason.format(**began))


def check(user: User, project: str, application: str) -> None:
    """Raise Problem unless the user may have a shell in the application's containers."""
    found = queries.get_for(user, project, application)
    require_role(user, found.project, "developer")
    if user.must_change_password:
        raise Problem("role-too-low", "Choose a password of your own first.")


def _hello(socket: Server, csrf: str) -> Hello:
    message = socket.receive(timeout=HELLO_S)
    try:
        hello = Hello.model_validate_json(message or "")
    except ValidationError as error:
        raise Problem("bad-request", "The first message must say which container is wanted.") from error
    if not hmac.compare_digest(hello.csrf, csrf):
        raise Problem("csrf-failed", "The page is too old; load it again.")
    return hello


def _start(user_id: int, project: str, application: str, hello: Hello) -> Execution:
    """Begin the shell. Raises Problem or CannotStart."""
    try:
        user = db.session.get_one(User, user_id)
        found, pods = services.pods_for(user, project, application)
        logs.check_chosen(pods, logs.Wanted(pod=hello.pod, container=hello.container))
        role = role_of(user, found.project) or ""
        reader = cluster.reader()
        server, authority = reader.access()
        token = request_token(project, ACCOUNTS[role], TOKEN_S).token
    except ClusterUnreachable as error:
        raise CannotStart(str(error)) from error
    except LookupError as error:
        raise CannotStart(
            "this project was made by an older version of Croft: save its settings once, and it has what a "
            "shell needs"
        ) from error
    finally:
        db.session.remove()
    command = (hello.shell,)
    target = Target(server, authority, token, project, hello.pod, hello.container, command)
    try:
        return Execution(target)
    except ClusterUnreachable as error:
        raise CannotStart(str(error)) from error


def _still_allowed(user_id: int, family: str, project: str, application: str) -> str:
    """Return why the user may not go on; empty when they may."""
    user = user_of_session(str(user_id), family)
    if user is None:
        return "you are signed out"
    try:
        check(user, project, application)
    except Problem as problem:
        return problem.detail
    return ""


def _audit(user_id: int, action: str, project: str, application: str, what: dict[str, Any]) -> None:
    try:
        with writing() as session:
            user = session.get_one(User, user_id)
            record(session, user, action, project=project, object_name=application, after=what)
    finally:
        db.session.remove()


def _tell(socket: Server, kind: str, text: str) -> None:
    """Send a word of the portal's own; whoever has left needs none."""
    try:
        socket.send(json.dumps({"type": kind, "text": text}))
    except (ConnectionClosed, OSError):
        return


def _ending(outcome: str | None) -> str:
    if outcome == NO_SHELL:
        return "the image of container '{container}' has no {shell}; many small images hold no shell at all"
    return outcome or "the shell has ended"
