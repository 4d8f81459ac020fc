"""Logs and changes of the stated cluster."""

import queue
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from webapp.cluster.logs import Line, LogMissing, LogQuery, PodGone
from webapp.cluster.watch import Change

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    """Return the time so many seconds after START, as a log has it."""
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}000Z"


class StatedLogs:
    """What containers have written, by pod and container; tests add to it while streams follow."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.lines: dict[tuple[str, str, bool], list[Line]] = defaultdict(list)
        self.ended: set[tuple[str, str]] = set()
        self.missing: dict[tuple[str, str], str] = {}
        self.gone: set[str] = set()
        self.open_now = 0
        self.queries: list[tuple[str, LogQuery]] = []

    def write(
        self, pod: str, *texts: str, start: float = 0, container: str = "web", previous: bool = False
    ) -> None:
        """Add lines, one a second from `start` on."""
        with self.news:
            lines = self.lines[pod, container, previous]
            lines.extend(Line(at(start + index), text) for index, text in enumerate(texts))
            self.news.notify_all()

    def end(self, pod: str, container: str = "web") -> None:
        """End the container: logs that follow it end too."""
        with self.news:
            self.ended.add((pod, container))
            self.news.notify_all()

    def open(self, pod: str, query: LogQuery) -> "StatedLog":
        """Open a log as the Kubernetes API does."""
        self.queries.append((pod, query))
        if pod in self.gone:
            raise PodGone(f'pods "{pod}" not found')
        if message := self.missing.get((pod, query.container)):
            raise LogMissing(message)
        return StatedLog(self, pod, query)


class StatedLog:
    """One open log."""

    def __init__(self, logs: StatedLogs, pod: str, query: LogQuery) -> None:
        self.logs, self.pod, self.query = logs, pod, query
        self.closed = False

    def batches(self) -> Iterator[list[Line]]:
        """Yield what was written, then what is being written."""
        key = (self.pod, self.query.container, self.query.previous)
        self.logs.open_now += 1
        try:
            lines = list(self.logs.lines[key])
            begin = 0
            if self.query.since is not None:
                since = f"{self.query.since:%Y-%m-%dT%H:%M:%S}"
                begin = sum(line.time < since for line in lines)
            if self.query.tail is not None:
                begin = max(begin, len(lines) - self.query.tail)
            while True:
                with self.logs.news:
                    fresh = self.logs.lines[key][begin:]
                    over = not self.query.follow or (key[0], key[1]) in self.logs.ended or self.closed
                    if not fresh and not over:
                        self.logs.news.wait(5)
                        continue
                begin += len(fresh)
                if fresh:
                    yield fresh
                elif over:
                    return
        finally:
            self.logs.open_now -= 1

    def close(self) -> None:
        """End it."""
        with self.logs.news:
            self.closed = True
            self.logs.news.notify_all()


class StatedChanges:
    """Changes that tests make."""

    def __init__(self) -> None:
        self.queues: dict[str, list[queue.Queue[Change]]] = defaultdict(list)

    def touch(
        self, project: str, application: str | None = None, kind: str = "pods", name: str = "x"
    ) -> None:
        """Tell everybody who follows the kind that an object has changed."""
        for waiting in self.queues[kind]:
            waiting.put(Change(kind, project, name, application))

    def follow(self, kind: str) -> Iterator[Change | None]:
        """Yield changes; None ten times a second."""
        waiting: queue.Queue[Change] = queue.Queue()
        self.queues[kind].append(waiting)
        try:
            while True:
                yield None
                try:
                    yield waiting.get(timeout=0.1)
                except queue.Empty:
                    continue
        finally:
            self.queues[kind].remove(waiting)
