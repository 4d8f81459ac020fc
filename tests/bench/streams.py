"""What 200 open event streams cost the web process, and whether pages are still served beside them.

`python -m tests.bench.streams <url> <pid of the web process> <name> <file with the password> <path>…`
measures a portal that runs; the benchmark calls `measure`. Paths are those of streams, opened in turn.
"""

import re
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.bench.web import Web

STREAMS = 200
PAGES = 40


def measure(web: Web, cookie: str, paths: Sequence[str], page: str, count: int = STREAMS) -> dict[str, float]:
    """Open `count` streams at once, as a browser with this cookie does, and measure.

    Returns MB of resident memory before, with all of them open and after, the megabytes they added, and the
    milliseconds of `page` (median and slowest) meanwhile. Raises RuntimeError when a stream is refused.
    """
    # What the first streams load and start is part of the price; what the first pages load is not.
    _times(web.url, cookie, page, 3)
    before = web.memory_mb()
    opened = [_open(web.url, cookie, path) for path in islice(cycle(paths), count)]
    try:
        time.sleep(3)
        for stream in opened:
            if not _is_open(stream):
                raise RuntimeError("a stream was closed while it was measured")
        during = web.memory_mb()
        took = _times(web.url, cookie, page, PAGES)
        peak = web.memory_mb()
    finally:
        for stream in opened:
            stream.close()
    # A stream notices at its next heartbeat that nobody listens.
    time.sleep(12)
    return {
        "streams": count,
        "streams_before_mb": before,
        "streams_open_mb": max(during, peak),
        "streams_closed_mb": web.memory_mb(),
        "streams_added_mb": max(during, peak) - before,
        "streams_page_median_ms": statistics.median(took),
        "streams_page_slowest_ms": max(took),
    }


def sign_in(url: str, name: str, password: str) -> str:
    """Return the header Cookie of a new session on the pages. Raises RuntimeError."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        client.get("/sign-in")
        answer = client.post("/sign-in", data={"name": name, "password": password})
        if answer.status_code != 303:
            raise RuntimeError(f"sign-in answered {answer.status_code}")
        return "; ".join(f"{key}={value}" for key, value in client.cookies.items())


def _open(url: str, cookie: str, path: str) -> socket.socket:
    """Open one stream; return its connection once the answer has begun."""
    parts = urlsplit(url)
    connection = socket.create_connection(("127.0.0.1", parts.port or 80), timeout=20)
    headers = (f"Host: {parts.netloc}", "Accept: text/event-stream", f"Cookie: {cookie}", "", "")
    connection.sendall("\r\n".join((f"GET {path} HTTP/1.1", *headers)).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        if not piece:
            break
        answer += piece
    if not re.match(rb"HTTP/1\.1 200 ", answer) or b"text/event-stream" not in answer:
        raise RuntimeError(f"{path}: {answer[:300]!r}")
    return connection


def _is_open(stream: socket.socket) -> bool:
    stream.setblocking(False)
    try:
        while piece := stream.recv(65536):
            if piece.endswith(b"0\r\n\r\n"):
                return False
    except BlockingIOError:
        return True
    return False


def _times(url: str, cookie: str, page: str, count: int) -> list[float]:
    """Return the milliseconds that a page took, one after another."""
    found = []
    with httpx.Client(base_url=url, trust_env=False, headers={"Cookie": cookie}) as client:
        for _number in range(count):
            start = time.perf_counter()
            answer = client.get(page)
            found.append((time.perf_counter() - start) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{page} answered {answer.status_code}")
    return found


def main() -> None:
    """Measure the portal that the command line names, and print."""
    url, pid, name, password, *paths = sys.argv[1:]
    cookie = sign_in(url, name, Path(password).read_text().strip())
    numbers = measure(Web(url, {}, int(pid)), cookie, paths, "/projects")
    for key, value in numbers.items():
        print(f"{key}: {value:.1f}")


if __name__ == "__main__":
    main()
