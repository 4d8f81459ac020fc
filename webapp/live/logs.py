"""Logs of an application: which containers have one, and their lines merged by time."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge

from webapp.cluster.logs import Line, LogMissing, LogQuery
from webapp.cluster.state import ClusterReader, ClusterUnreachable, Pod
from webapp.db import utcnow
from webapp.problems import Problem

# Containers whose logs are merged; more would make neither sense nor speed.
MAX_SOURCES = 20
_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """What a reader asked for. `tail`: last lines of each container; None for all."""

    pod: str | None = None
    container: str | None = None
    previous: bool = False
    since: datetime | None = None
    tail: int | None = None
    search: str = ""

    def takes(self, line: "LogLine") -> bool:
        """Tell whether a line has the text that is searched for (notes always do)."""
        return not self.search or line.note or self.search in line.text


@dataclass(frozen=True)
class Source:
    """One container that may have a log."""

    pod: str
    container: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one container, or (`note`) what is to be said about its log."""

    time: str
    pod: str
    container: str
    text: str
    note: bool = False


def parse_since(text: str) -> datetime | None:
    """Return the moment that "15m", "1h30m" or an RFC 3339 time means; None for empty text.

    A time without a zone is taken as UTC. Raises Problem validation-failed.
    """
    text = text.strip()
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    try:
        if match:
            days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return utcnow() - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Problem(
            "validation-failed",
            f"'{text[:40]}' is no time: write how long ago, like 15m or 2h, or a time like "
            "2026-01-31T12:00:00Z.",
            field="since",
        ) from error


def sources(pods: list[Pod], wanted: Wanted) -> list[Source]:
    """Return the containers that the reader asked for, at most MAX_SOURCES, those of the newest pods."""
    chosen = [pod for pod in pods if wanted.pod in (None, pod.name)]
    found = [
        Source(pod.name, container.name)
        for pod in sorted(chosen, key=lambda pod: pod.created_at, reverse=True)
        for container in pod.containers
        if wanted.container in (None, container.name) and (not wanted.previous or container.restarts)
    ]
    return sorted(found[:MAX_SOURCES], key=lambda source: (source.pod, source.container))


def check_chosen(pods: list[Pod], wanted: Wanted) -> None:
    """Raise Problem pod-not-found when the pod or container that was asked for is not there."""
    if wanted.pod is not None and wanted.pod not in {pod.name for pod in pods}:
        detail = f"The application has no pod '{wanted.pod[:64]}' now; leave `pod` out to see all of them."
        raise Problem("pod-not-found", detail)
    names = {container.name for pod in pods for container in pod.containers}
    if wanted.container is not None and names and wanted.container not in names:
        known = ", ".join(sorted(names))
        detail = f"No pod of the application has a container '{wanted.container[:64]}'; it has: {known}."
        raise Problem("pod-not-found", detail)


def read(reader: ClusterReader, project: str, pods: list[Pod], wanted: Wanted) -> Iterator[LogLine]:
    """Yield the lines of all chosen containers in order of time, and notes where one has no log.

    Lines are read as they are asked for, so the whole is never in memory. Raises ClusterUnreachable, but only
    at the beginning: what is cut later ends with a note.
    """
    chosen = sources(pods, wanted)
    logs = []
    notes = []
    try:
        for source in chosen:
            query = LogQuery(source.container, wanted.previous, wanted.since, wanted.tail)
            try:
                logs.append((source, reader.log(project, source.pod, query)))
            except LogMissing as missing:
                notes.append(note(source, words(missing)))
        # A generator's own `finally` does not run before it has begun; the opened ones are closed here.
        yield from notes
        lines = (_lines(source, log.batches(), wanted.since) for source, log in logs)
        yield from (line for line in merge(*lines, key=lambda line: line.time) if wanted.takes(line))
    finally:
        for _source, log in logs:
            log.close()


def newest(
    reader: ClusterReader, project: str, pods: list[Pod], wanted: Wanted, limit: int
) -> tuple[list[LogLine], bool]:
    """Return the last `limit` lines, and whether there are older ones. Raises ClusterUnreachable."""
    if wanted.tail is None and not wanted.search:
        wanted = replace(wanted, tail=limit + 1)
    kept: deque[LogLine] = deque(maxlen=limit)
    count = 0
    for line in read(reader, project, pods, wanted):
        kept.append(line)
        count += 1
    return list(kept), count > limit


def note(source: Source, text: str) -> LogLine:
    """Return a line that tells about a log instead of being in it."""
    return LogLine(f"{utcnow():%Y-%m-%dT%H:%M:%S.%f}000Z", source.pod, source.container, text, note=True)


def words(missing: LogMissing) -> str:
    """Say in words why there is no log."""
    text = str(missing)
    if "previous terminated container" in text:
        return "was never restarted, so it has no previous log"
    if "waiting to start" in text:
        return f"has not started yet: {text.rpartition(': ')[2]}"
    return f"has no log now: {text}"


def plain(line: LogLine) -> str:
    """Return the line as text, as the download has it."""
    where = f"{line.pod}/{line.container}"
    return f"# {line.time} {where} {line.text}\n" if line.note else f"{line.time} {where} {line.text}\n"


def silent(error: ClusterUnreachable) -> Problem:
    """Return the problem for logs that cannot be read now."""
    return Problem("cluster-unreachable", f"The logs cannot be read: {error}. Try again in a minute.")


def _lines(source: Source, batches: Iterator[list[Line]], since: datetime | None) -> Iterator[LogLine]:
    # Kubernetes takes whole seconds; what is older is left out here.
    first = f"{since:%Y-%m-%dT%H:%M:%S.%f}000Z" if since else ""
    time = first
    for batch in batches:
        for line in batch:
            if line.time and line.time < first:
                continue
            # A word of the kubelet's own has no time: it belongs where it came.
            time = line.time or time
            yield LogLine(time, source.pod, source.container, line.text)
