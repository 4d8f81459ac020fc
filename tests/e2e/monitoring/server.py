"""An ordinary application: answers, fails when asked to, writes to its volume; runs in the cluster.

Listens on port 8080: /fail answers 500, /metrics with the number of requests, all else 200. Writes a line to
/data/log each second. The portal takes no settings with two braces in a row, so there are none here.
"""

import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

counted = {"requests": 0}


class Handler(BaseHTTPRequestHandler):
    """Counts what it is asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a word."""
        counted["requests"] += 1
        body = f"web_requests_total {counted['requests']}\n".encode()
        self.send_response(500 if self.path == "/fail" else 200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: ten requests a second would be all that is in the log."""


def write() -> None:
    """Write past the page cache, which would write in nobody's name."""
    while True:
        with open("/data/log", "a") as file:
            file.write(f"{time.time()}\n")
            file.flush()
            os.fsync(file.fileno())
        with open("/data/log", "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.read()
        time.sleep(1)


# The first process of a container is ended by no signal that it does not wait for.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
threading.Thread(target=write, daemon=True).start()
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
