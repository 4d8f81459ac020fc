"""Pages of what really runs: logs, and streams that keep pages fresh."""

import re
from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, current_app, g, render_template, request
from flask_jwt_extended import verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_sock import Sock
from jwt import PyJWTError
from simple_websocket import Server
from werkzeug.wrappers import Response

from webapp.applications.models import Application
from webapp.auth.services import user_of_session
from webapp.auth.sessions import current_user, login_required
from webapp.cluster.state import Pod
from webapp.config import Config
from webapp.live import changes, logs, services, shell
from webapp.live.logs import LogLine, Wanted
from webapp.problems import Problem
from webapp.projects import overview
from webapp.projects import services as projects

pages = Blueprint("live", __name__)
sock = Sock()

# Lines on a page without a script; with one, static/logs.js asks the stream for these and all to come.
SHOWN = 300
STREAM_TAIL = 2_000
_ESCAPES = re.compile(
    r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]"
)


@pages.get("/projects/<project>/applications/<application>/logs")
@login_required
def logs_page(project: str, application: str) -> str | tuple[str, int]:
    """Show the last lines of the application's log, with a form that chooses which."""
    found, pods, trouble = _pods(project, application)
    errors: dict[str, str] = {}
    lines: list[LogLine] = []
    truncated = False
    try:
        wanted = _wanted()
        if not trouble:
            lines, truncated = services.page(current_user, project, application, wanted, SHOWN)
    except Problem as problem:
        if problem.errors:
            errors = {error.field: error.message for error in problem.errors}
        else:
            trouble = problem.detail
    page = render_template(
        "live/logs.html",
        section="projects",
        project=found.project,
        application=found,
        pods=pods,
        containers=sorted({item.name for pod in pods for item in pod.containers}),
        chosen=request.args,
        errors=errors,
        lines=[(line, clean(line.text)) for line in lines],
        truncated=truncated,
        trouble=trouble,
        may=overview.rights(current_user, found.project),
        shown=SHOWN,
        names=short_names(lines),
        query=_query(),
    )
    return (page, 422) if errors else page


@pages.get("/projects/<project>/applications/<application>/logs/stream")
@login_required
def logs_stream(project: str, application: str) -> Response:
    """Answer with the log as an event stream; the query is that of the page."""
    wanted = replace(_wanted(), tail=STREAM_TAIL)
    return services.stream(current_user, project, application, wanted, request.args.get("after", ""))


@pages.get("/projects/<project>/applications/<application>/logs/download")
@login_required
def logs_download(project: str, application: str) -> Response:
    """Answer with the whole log as a text file; the query is that of the page."""
    return services.download(current_user, project, application, _wanted())


@pages.get("/projects/<project>/applications/<application>/shell")
@login_required
def shell_page(project: str, application: str) -> str:
    """Show a terminal, with a form that chooses the container."""
    found, pods, trouble = _pods(project, application)
    shell.check(current_user, project, application)
    running = [pod for pod in pods if any(item.running for item in pod.containers)]
    terminal = current_app.extensions["croft_browser_files"]
    return render_template(
        "live/shell.html",
        section="projects",
        project=found.project,
        application=found,
        targets=[(pod, item) for pod in running for item in pod.containers if item.running],
        chosen=request.args,
        shells=shell.SHELLS,
        trouble=trouble,
        terminal=terminal.has("xterm.js"),
        idle=shell.IDLE_S // 60,
    )


@pages.before_request
def check_socket() -> None:
    """Refuse a WebSocket of another site, or of somebody who may not, before it is opened."""
    if request.endpoint != "live.shell_socket":
        return
    config: Config = current_app.config["CROFT"]
    if request.headers.get("Origin") != config.external_url:
        raise Problem(
            "cross-site-request", f"This connection was opened from elsewhere than {config.external_url}."
        )
    # An expired cookie cannot be renewed here: there is no answer that could carry the new one.
    try:
        claims = (verify_jwt_in_request(locations=["cookies"]) or ({}, {}))[1]
    except (PyJWTError, JWTExtendedException) as error:
        raise Problem("not-authenticated", "Sign in, then load the page again.") from error
    user = user_of_session(claims["sub"], claims.get("family", ""))
    if user is None:
        raise Problem("not-authenticated", "This session has ended; sign in again.")
    g.user, g.family, g.csrf = user, claims["family"], claims["csrf"]
    arguments = request.view_args or {}
    shell.check(user, arguments["project"], arguments["application"])


@sock.route("/projects/<project>/applications/<application>/shell/socket", bp=pages)
def shell_socket(socket: Server, project: str, application: str) -> None:
    """Carry a shell over a WebSocket; static/shell.js is the other side."""
    shell.serve(socket, g.user.id, g.family, g.csrf, project, application)


@pages.get("/projects/<project>/changes")
@login_required
def project_changes(project: str) -> Response:
    """Answer with an event for each change of the project or of anything in it."""
    return changes.of_project(projects.get_for(current_user, project).name)


@pages.get("/projects/<project>/applications/<application>/changes")
@login_required
def application_changes(project: str, application: str) -> Response:
    """Answer with an event for each change of the application."""
    found = services.queries.get_for(current_user, project, application)
    return changes.of_project(found.project.name, found.name)


@pages.get("/jobs/changes")
@login_required
def job_changes() -> Response:
    """Answer with an event when a job that the user may see is queued, begins or ends."""
    return changes.of_jobs(current_user)


def clean(text: str) -> str:
    """Return the line without colours and other controls of terminals. static/logs.js does the same."""
    return _ESCAPES.sub("", text)


def short_names(lines: Sequence[LogLine]) -> dict[str, str]:
    """Return what stands before each pod's lines: the end of its name; nothing if there is one pod."""
    pods = sorted({line.pod for line in lines if line.pod})
    return {pod: pod.rpartition("-")[2] for pod in pods} if len(pods) > 1 else {}


def _pods(project: str, application: str) -> tuple[Application, list[Pod], str]:
    found = services.queries.get_for(current_user, project, application)
    try:
        return *services.pods_for(current_user, project, application), ""
    except Problem as problem:
        if problem.type.slug != "cluster-unreachable":
            raise
        return found, [], problem.detail


def _wanted() -> Wanted:
    """Return what the page's form asks for. Raises Problem validation-failed."""
    return Wanted(
        pod=request.args.get("pod") or None,
        container=request.args.get("container") or None,
        previous=bool(request.args.get("previous")),
        since=logs.parse_since(request.args.get("since", "")[:40]),
        search=request.args.get("search", "")[:200],
    )


def _query() -> dict[str, str]:
    """Return the form's fields that say something, for the links of the page."""
    names = ("pod", "container", "previous", "since", "search")
    return {name: request.args[name] for name in names if request.args.get(name)}
