"""What the API and the pages share of logs: who may read them, and the three ways in which they go out."""

from collections.abc import Generator, Iterator
from contextlib import closing

from flask import Response, request

from webapp import cluster
from webapp.applications import queries
from webapp.applications.models import Application
from webapp.auth.models import User
from webapp.cluster.state import ClusterUnreachable, Pod
from webapp.db import db
from webapp.live import changes, follow, logs, sse
from webapp.live.board import Watch
from webapp.live.logs import LogLine, Wanted
from webapp.problems import Problem

# Characters of a download that are sent at a time.
_PIECE = 32 * 1024


def pods_for(user: User, project: str, application: str) -> tuple[Application, list[Pod]]:
    """Return the application and its pods as they are now.

    Raises Problem project-not-found, application-not-found or cluster-unreachable.
    """
    found = queries.get_for(user, project, application)
    try:
        return found, cluster.reader().pods(project, application)
    except ClusterUnreachable as error:
        raise Problem("cluster-unreachable", f"The pods cannot be read: {error}.") from error


def page(
    user: User, project: str, application: str, wanted: Wanted, limit: int
) -> tuple[list[LogLine], bool]:
    """Return the newest lines, and whether there are older ones.

    Raises Problem as `pods_for` does, and pod-not-found.
    """
    _, pods = pods_for(user, project, application)
    logs.check_chosen(pods, wanted)
    try:
        return logs.newest(cluster.reader(), project, pods, wanted, limit)
    except ClusterUnreachable as error:
        raise logs.silent(error) from error


def download(user: User, project: str, application: str, wanted: Wanted) -> Response:
    """Answer with the whole log as a text file, line by line as it is read. Raises Problem as `page` does."""
    _, pods = pods_for(user, project, application)
    logs.check_chosen(pods, wanted)
    lines = logs.read(cluster.reader(), project, pods, wanted)
    try:
        # Opens the logs, so that a cluster that is silent can still be told.
        first = next(lines, None)
    except ClusterUnreachable as error:
        raise logs.silent(error) from error
    db.session.remove()
    headers = {"Content-Disposition": f'attachment; filename="{project}-{application}.log"'}
    return Response(_pieces(first, lines), mimetype="text/plain", headers=headers)


def stream(user: User, project: str, application: str, wanted: Wanted, after: str) -> Response:
    """Answer with the log as an event stream that goes on after the id `after`, or Last-Event-ID.

    Raises Problem as `pods_for` does, bad-request for an id that is none of ours, and too-many-streams.
    """
    queries.get_for(user, project, application)
    after = request.headers.get("Last-Event-ID", "").strip() or after
    try:
        position = follow.unpack(after) if after else None
    except ValueError as error:
        raise Problem("bad-request", "Last-Event-ID must be the id of an event of this stream.") from error
    live = follow.LiveLog(cluster.reader(), project, application, wanted, position)
    board = changes.board()
    watch = Watch(live.wake, frozenset({"pods"}), project, application)
    # The session's connection goes back before the first byte is sent.
    db.session.remove()
    return sse.respond(follow.stream(live, lambda: board.enter(watch), lambda: board.leave(watch)))


def _pieces(first: LogLine | None, lines: Iterator[LogLine]) -> Generator[bytes, None, None]:
    with closing(lines):  # type: ignore[type-var]
        piece = [] if first is None else [logs.plain(first)]
        size = 0
        for line in lines:
            piece.append(logs.plain(line))
            size += len(piece[-1])
            if size > _PIECE:
                yield "".join(piece).encode()
                piece, size = [], 0
        yield "".join(piece).encode()
