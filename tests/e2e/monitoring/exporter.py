"""Answers /metrics on port 8080 as an application that lies about where it runs; runs in the cluster.

Environment: SAMPLES, how many series of `mon_many` it shows beside the others.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LABELS = 'namespace="{0}",job="node",pod="{0}",instance="{0}",workload="{0}",node="{0}"'.format("mon-stolen")


def page() -> str:
    """Return the metrics as Prometheus reads them."""
    many = [f'mon_many{{number="{number}"}} 1' for number in range(int(os.environ.get("SAMPLES", "0")))]
    return "\n".join(
        [
            "mon_honest 1",
            f"mon_faked{{{LABELS}}} 1",
            f"container_cpu_usage_seconds_total{{{LABELS}}} 1",
            *many,
            "",
        ]
    )


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


ThreadingHTTPServer(("", 8080), Handler).serve_forever()
