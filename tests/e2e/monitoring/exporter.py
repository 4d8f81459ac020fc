"""Answers /metrics on port 8080 as an application that lies about where it runs; runs in the cluster.

Environment: SAMPLES, how many series of `mon_many` it shows beside the others. The portal takes no settings
with two braces in a row, so there are none here.
"""

import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAKED = "mon-stolen"
LIES = ("namespace", "job", "pod", "instance", "workload", "node")


def line(name: str, **labels: object) -> str:
    """Return one series with the value 1."""
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{chr(123)}{inside}{chr(125)} 1"


def page() -> str:
    """Return the metrics as Prometheus reads them."""
    lies = dict.fromkeys(LIES, FAKED) | {"job": "node"}
    many = [line("mon_many", number=number) for number in range(int(os.environ.get("SAMPLES", "0")))]
    faked = [line("mon_faked", **lies), line("container_cpu_usage_seconds_total", **lies)]
    return "\n".join([line("mon_honest"), *faked, *many, ""])


class Handler(BaseHTTPRequestHandler):
    """Gives the same page at every path."""

    def do_GET(self) -> None:
        """Answer with the metrics."""
        body = page().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# The first process of a container is ended by no signal that it does not wait for.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
