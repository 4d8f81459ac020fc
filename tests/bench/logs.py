"""100,000 lines of a log through a page's stream: how long they take, and what the web process grows by."""

import time

import httpx

from tests.bench.apiserver import LOG_LINES
from tests.bench.web import Web

MARK = b"served in"
LIMIT_S = 300


def measure(web: Web, cookie: str, path: str) -> dict[str, float]:
    """Follow the log at `path` until every line has come; return seconds, and MB that the process grew by.

    Raises TimeoutError when lines are missing after LIMIT_S.
    """
    before = peak = web.memory_mb()
    start, lines, rest, asked = time.monotonic(), 0, b"", 0.0
    headers = {"Cookie": cookie, "Accept": "text/event-stream"}
    with (
        httpx.Client(base_url=web.url, trust_env=False, timeout=30) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        answer.raise_for_status()
        for piece in answer.iter_raw():
            # A mark may be cut in two by the pieces that come.
            text = rest + piece
            lines += text.count(MARK)
            rest = text[-(len(MARK) - 1) :]
            if time.monotonic() - asked > 0.5:
                asked, peak = time.monotonic(), max(peak, web.memory_mb())
            if lines >= LOG_LINES:
                break
            if time.monotonic() - start > LIMIT_S:
                raise TimeoutError(f"{lines} of {LOG_LINES} lines came in {LIMIT_S} s")
    peak = max(peak, web.memory_mb())
    return {
        "log_lines": lines,
        "log_lines_s": time.monotonic() - start,
        "log_lines_added_mb": peak - before,
    }
