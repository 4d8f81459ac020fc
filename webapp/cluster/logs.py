"""A container's log as the Kubernetes API gives it: lines with the times at which they were written.

Nothing is kept: lines are read as they come, from a connection that another thread may end at any time. What
one line may hold is bounded, whatever a container prints.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

# Longer lines are cut, with a word at their end that says so.
MAX_LINE = 16 * 1024
CHUNK = 16 * 1024
_STAMP = 64


class LogMissing(Exception):
    """There is no such log: the container has not started, or was never restarted; the text says why."""


class PodGone(LogMissing):
    """The pod itself is not there any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `time`: when it was written, UTC with nine digits after the point: they sort as texts."""

    time: str
    text: str


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which part of a container's log. `since`: whole seconds count; `tail`: so many last lines."""

    container: str
    previous: bool = False
    since: datetime | None = None
    tail: int | None = None
    follow: bool = False

    def parameters(self) -> list[tuple[str, str]]:
        """Return the query of the Kubernetes API."""
        found = [("container", self.container), ("timestamps", "true")]
        if self.previous:
            found.append(("previous", "true"))
        if self.since is not None:
            found.append(("sinceTime", self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
        if self.tail is not None:
            found.append(("tailLines", str(self.tail)))
        if self.follow:
            found.append(("follow", "true"))
        return found


class Log(Protocol):
    """An open log."""

    def batches(self) -> Iterator[list[Line]]:
        """Yield lines in the order in which they were written, as many at a time as have come."""

    def close(self) -> None:
        """End it; `batches` ends too, even while another thread waits in it. May be called twice."""


class KubernetesLog:
    """Log over an answer of urllib3 that is still being read."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def batches(self) -> Iterator[list[Line]]:
        """Yield lines as they come; ends with the log, or when the connection is cut."""
        import urllib3

        with closing(self._response):
            try:
                for lines in split(self._response.stream(CHUNK)):
                    yield [parse(line) for line in lines]
            except (urllib3.exceptions.HTTPError, OSError, ValueError):
                # Cut off, by the other side or by `close`: what has come is all there is.
                return

    def close(self) -> None:
        """End the connection."""
        try:
            self._response.shutdown()
        except (OSError, ValueError, RuntimeError):
            # Ended already, or not begun: then nobody waits in it.
            self._response.close()


def split(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the whole lines of each chunk; a line longer than MAX_LINE is cut, and says so."""
    most = MAX_LINE + _STAMP
    rest, dropped = b"", 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        room = most - len(rest)
        rest, dropped = rest + first[:room], dropped + max(0, len(first) - room)
        if not others:
            continue
        lines = [_cut(rest, dropped)]
        *whole, rest = others
        lines += [_cut(line[:most], len(line) - most) for line in whole]
        rest, dropped = rest[:most], max(0, len(rest) - most)
        yield lines
    if rest:
        yield [_cut(rest, dropped)]


def _cut(line: bytes, dropped: int) -> bytes:
    return line if dropped <= 0 else line + f" … ({dropped} more bytes)".encode()


def parse(raw: bytes) -> Line:
    """Return the line; one without a time (a word of the kubelet's own) has an empty one."""
    stamp, _, text = raw.partition(b" ")
    time = _time(stamp.decode("latin-1"))
    if not time:
        text = raw
    return Line(time, text.rstrip(b"\r").decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _time(stamp: str) -> str:
    if len(stamp) == 30 and stamp[-1] == "Z" and stamp[19] == ".":
        return stamp
    if len(stamp) < 20 or stamp[10] != "T":
        return ""
    # The node's own zone, or another number of digits; datetime keeps six of them, so they are put back.
    fraction = "".join(digit for digit in stamp[20:29] if digit.isdigit()) if stamp[19] == "." else ""
    rest = stamp[19:].lstrip(".0123456789")
    try:
        moment = datetime.fromisoformat(stamp[:19] + rest).astimezone(UTC)
    except ValueError:
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:0<9}Z"
