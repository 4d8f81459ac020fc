"""A live log: containers followed by a thread each, merged by time, with pods that come and go on the way.

A position tells, for each container, the time of the last line that was sent and how many lines of exactly
that time: a stream that goes on from it has neither gaps nor doubles.
"""

import base64
import binascii
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from webapp.cluster.logs import Line, Log, LogMissing, LogQuery, PodGone
from webapp.cluster.state import ClusterReader, ClusterUnreachable, Pod
from webapp.live import sse
from webapp.live.logs import LogLine, Source, Wanted, note, sources, words

# Lines that wait for the reader, for each container; a container that is ahead is read no further.
MAX_WAITING = 600
MAX_WAITING_TEXT = 256 * 1024
MAX_BATCH = 500
MAX_BATCH_TEXT = 256 * 1024
# Seconds for which a line waits for older ones of containers that have just been read.
PATIENCE = 0.2
# Seconds until a container that says nothing is no longer waited for.
SETTLE = 0.7
RETRY = 2.0
MAX_POSITION = 6_000


@dataclass
class Place:
    """How far a container's log was read: the time of the last line, and how many lines had exactly that."""

    time: str = ""
    count: int = 0


Position = dict[Source, Place]


def pack(position: Position) -> str:
    """Return a position as the id of an event."""
    rows = [[source.pod, source.container, place.time, place.count] for source, place in position.items()]
    return base64.urlsafe_b64encode(json.dumps(rows, separators=(",", ":")).encode()).decode()


def unpack(text: str) -> Position:
    """Return the position behind an id. Raises ValueError for anything that is no id of ours."""
    if len(text) > MAX_POSITION:
        raise ValueError("too long")
    try:
        rows = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        found = {
            Source(str(pod), str(container)): Place(_checked_time(moment), int(count))
            for pod, container, moment, count in rows
        }
    except (binascii.Error, UnicodeError, TypeError, KeyError) as error:
        raise ValueError("no position") from error
    return found


def _checked_time(text: str) -> str:
    if text:
        datetime.fromisoformat(text[:19])
    return text


@dataclass(eq=False)
class Follower:
    """Reads one container in a thread of its own and hands its lines on."""

    source: Source
    news: threading.Condition
    place: Place
    wanted: Wanted
    open_log: Callable[[LogQuery], Log]
    # Lines with how many of exactly their time there were up to them, and notes (0).
    waiting: deque[tuple[LogLine, int]] = field(default_factory=deque)
    # Characters in `waiting`.
    size: int = 0
    stopped: bool = False
    # The pod is gone: what is left of its log is read, and then a note says so.
    leaving: bool = False
    finished: bool = False
    # When the container last said something; None while it has not said anything yet.
    heard: float | None = None
    begun: float = field(default_factory=time.monotonic)
    # What is known of the container: a start that is not the one read last is a reason to read again.
    started_at: datetime | None = None
    restarts: int = 0
    _read_start: datetime | None = None
    _read_restarts: int | None = None
    _log: Log | None = None
    _said: str = ""

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name=f"log-{self.source.pod}", daemon=True).start()

    def stop(self) -> None:
        """End it; the thread goes within a moment."""
        with self.news:
            self.stopped = True
            log = self._log
            self.news.notify_all()
        if log is not None:
            log.close()

    @property
    def is_behind(self) -> bool:
        """Whether lines older than those of other containers may still come."""
        if self.waiting or self.finished:
            return False
        now = time.monotonic()
        return now - self.begun < SETTLE if self.heard is None else now - self.heard < PATIENCE

    def leave(self) -> None:
        """Read what is left and end."""
        with self.news:
            self.leaving = True
            self.news.notify_all()

    def _run(self) -> None:
        try:
            while not self.stopped:
                self._read_start = self.started_at
                if self._has_restarted():
                    self._read(replace(self._query(), previous=True, follow=False))
                self._read_restarts = self.restarts
                done = self._read(self._query())
                with self.news:
                    self.heard = self.heard or time.monotonic()
                    if self.wanted.previous:
                        return
                    # Ended with its container: wait until that starts again. Cut off: go on soon.
                    pause = None if done and self.started_at is None else RETRY
                    self.news.wait_for(self._has_reason, pause)
                if self.leaving and not self.stopped:
                    self._say("pod has ended and is gone")
                    return
        finally:
            with self.news:
                self.finished = True
                self.news.notify_all()

    def _has_reason(self) -> bool:
        """Tell whether there is something else to do than to wait."""
        return self.stopped or self.leaving or self.started_at != self._read_start

    def _has_restarted(self) -> bool:
        """Tell whether lines of the container before this one may still be due."""
        if self.wanted.previous or not self.restarts or not self.place.time:
            return False
        return self.restarts != self._read_restarts

    def _query(self) -> LogQuery:
        if self.place.time:
            since = datetime.fromisoformat(f"{self.place.time[:19]}+00:00")
            return LogQuery(
                self.source.container, self.wanted.previous, since, None, not self.wanted.previous
            )
        return LogQuery(
            self.source.container,
            self.wanted.previous,
            self.wanted.since,
            self.wanted.tail,
            not self.wanted.previous,
        )

    def _read(self, query: LogQuery) -> bool:
        """Read one log to its end; False when it could not be read."""
        try:
            log = self.open_log(query)
        except PodGone:
            self.leaving = True
            return True
        except LogMissing as missing:
            self._say(words(missing))
            return True
        except ClusterUnreachable as error:
            self._say(f"cannot be read now: {error}")
            return False
        with self.news:
            self._log = log
            if self.stopped:
                log.close()
                return True
        self._said = ""
        # So many lines of exactly the last time were sent already.
        skip = self.place.count
        resumed = self.place.time
        first = "" if self.wanted.since is None else f"{self.wanted.since:%Y-%m-%dT%H:%M:%S.%f}000Z"
        for batch in log.batches():
            fresh = []
            for line in batch:
                if line.time and line.time < (resumed or first):
                    continue
                if line.time and line.time == resumed and skip > 0:
                    skip -= 1
                    continue
                fresh.append(self._advance(line))
            if not self._hand_on(fresh):
                break
        return True

    def _advance(self, line: Line) -> tuple[LogLine, int]:
        # A word of the kubelet's own has no time: it belongs where it came.
        moment = line.time or self.place.time
        if not line.time:
            pass
        elif moment == self.place.time:
            self.place.count += 1
        else:
            self.place.time, self.place.count = moment, 1
        return LogLine(moment, self.source.pod, self.source.container, line.text), self.place.count

    def _hand_on(self, lines: list[tuple[LogLine, int]]) -> bool:
        """Put lines where the stream takes them, and wait while too many are there; False when it is over."""
        with self.news:
            self.heard = time.monotonic()
            taken = [entry for entry in lines if self.wanted.takes(entry[0])]
            self.waiting.extend(taken)
            self.size += sum(len(line.text) for line, _count in taken)
            if lines:
                self.news.notify_all()
            self.news.wait_for(lambda: self.stopped or self._has_room())
            return not self.stopped

    def _has_room(self) -> bool:
        return len(self.waiting) < MAX_WAITING and self.size < MAX_WAITING_TEXT

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            with self.news:
                self.heard = time.monotonic()
                self.waiting.append((note(self.source, text), 0))
                self.news.notify_all()


class LiveLog:
    """The merged log of an application's containers. `wake` may be called by any thread when pods change."""

    def __init__(
        self,
        reader: ClusterReader,
        project: str,
        application: str,
        wanted: Wanted,
        position: Position | None = None,
    ) -> None:
        self._reader, self._project, self._application = reader, project, application
        self._wanted = wanted
        self._news = threading.Condition()
        self._followers: dict[Source, Follower] = {}
        self._said: list[LogLine] = []
        self._looked = False
        self._changed = True
        self._told_empty = False
        self._told_silent = False
        self.position: Position = position or {}
        # What came while nobody listened is younger than all that was sent.
        self._gap = max((place.time for place in self.position.values()), default="")

    def wake(self) -> None:
        """Look at the pods again soon."""
        with self._news:
            self._changed = True
            self._news.notify_all()

    def close(self) -> None:
        """End all reading."""
        for follower in self._followers.values():
            follower.stop()

    @property
    def over(self) -> bool:
        """Whether nothing more can come: previous containers have been read to their ends."""
        return (
            self._wanted.previous
            and self._looked
            and not self._said
            and all(item.finished and not item.waiting for item in self._followers.values())
        )

    def take(self, timeout: float) -> list[LogLine]:
        """Return the next lines in order, at most MAX_BATCH; none when none came within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            if self._changed:
                self._look()
            with self._news:
                if self._said:
                    said, self._said = self._said, []
                    return said
                lines = self._merge()
                if lines:
                    self._news.notify_all()
                    return lines
                left = deadline - time.monotonic()
                if left <= 0 or self.over:
                    return []
                waits = any(item.waiting for item in self._followers.values())
                # A line that waits for others goes out soon, without anybody's call.
                self._news.wait_for(lambda: self._changed, min(left, PATIENCE / 2)) if waits else (
                    self._news.wait(left)
                )

    def _merge(self) -> list[LogLine]:
        """Return lines in order of time, as far as no older one can still come."""
        found: list[LogLine] = []
        size = 0
        followers = list(self._followers.values())
        while len(found) < MAX_BATCH and size < MAX_BATCH_TEXT:
            ready = [item for item in followers if item.waiting]
            if not ready or any(item.is_behind for item in followers):
                break
            first = min(ready, key=lambda item: item.waiting[0][0].time)
            line, count = first.waiting.popleft()
            first.size -= len(line.text) if count else 0
            size += len(line.text)
            if count:
                self.position[first.source] = Place(line.time, count)
            found.append(line)
        for source, item in list(self._followers.items()):
            if item.finished and not item.waiting and item.leaving:
                del self._followers[source]
        return found

    def _look(self) -> None:
        """Begin to read containers that have come, and end with those that have gone."""
        self._changed = False
        try:
            pods = self._reader.pods(self._project, self._application)
        except ClusterUnreachable as error:
            if not self._told_silent:
                self._told_silent = True
                self._say("", f"The cluster does not tell of its pods now: {error}")
            return
        self._told_silent = False
        wanted = {source: self._pod(pods, source) for source in sources(pods, self._wanted)}
        for source, pod in wanted.items():
            if source not in self._followers:
                self._begin(source, pod)
            else:
                self._tell(self._followers[source], pod)
        for source, item in list(self._followers.items()):
            if source not in wanted and not item.leaving:
                item.leave()
        self._forget(pods)
        if not wanted and not self._told_empty:
            self._told_empty = True
            self._say("", self._empty_words())
        self._told_empty = not wanted
        self._looked = True

    def _begin(self, source: Source, pod: Pod) -> None:
        wanted = self._wanted
        came_meanwhile = f"{pod.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" > self._gap != ""
        if self._looked or came_meanwhile:
            # It was not there before: all it says is new.
            wanted = replace(wanted, tail=None)
            self._say(source.pod, "pod has come", source.container)
        place = self.position.get(source, Place())
        follower = Follower(
            source,
            self._news,
            Place(place.time, place.count),
            wanted,
            lambda query: self._reader.log(self._project, source.pod, query),
        )
        self._tell(follower, pod)
        self._followers[source] = follower
        follower.start()

    def _tell(self, follower: Follower, pod: Pod) -> None:
        container = next(item for item in pod.containers if item.name == follower.source.container)
        with self._news:
            if follower.started_at != container.started_at:
                follower.started_at, follower.restarts = container.started_at, container.restarts
                self._news.notify_all()

    def _forget(self, pods: list[Pod]) -> None:
        """Keep no place of pods that are gone: an id must stay small."""
        names = {pod.name for pod in pods}
        for source in [item for item in self.position if item.pod not in names]:
            del self.position[source]

    def _empty_words(self) -> str:
        if self._wanted.previous:
            return "No container was restarted, so there is no previous log."
        return "No pod is there now; lines appear when one starts."

    def _say(self, pod: str, text: str, container: str = "") -> None:
        with self._news:
            self._said.append(note(Source(pod, container), text))

    @staticmethod
    def _pod(pods: list[Pod], source: Source) -> Pod:
        return next(pod for pod in pods if pod.name == source.pod)


def stream(
    live: LiveLog, enter: Callable[[], object], leave: Callable[[], object]
) -> Generator[bytes, None, None]:
    """Yield the log as Server-Sent Events: batches of lines, each with the position after it as its id.

    `enter` and `leave`: called when it begins and when it ends, to be woken when pods change.
    """
    opened = time.monotonic()
    enter()
    try:
        yield sse.retry()
        while time.monotonic() - opened < sse.MAX_AGE:
            lines = live.take(sse.HEARTBEAT)
            if lines:
                yield sse.event({"items": [body(line) for line in lines]}, number=pack(live.position))
            elif live.over:
                # A browser would come back for more; a script closes at this word.
                yield sse.event({"items": []}, name="end")
                return
            else:
                live.wake()
                yield sse.STILL_HERE
    finally:
        leave()
        live.close()


def body(line: LogLine) -> dict[str, object]:
    """Return a line as the API's model LogLineBody has it; thousands go out, so they are not validated."""
    return {
        "kind": "note" if line.note else "line",
        "time": line.time or None,
        "pod": line.pod,
        "container": line.container,
        "text": line.text,
    }
