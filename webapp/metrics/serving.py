"""Serve the metrics of web or worker on a port of their own, which only Prometheus may reach."""

import logging
import os
import threading
import time

from flask import Flask
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, start_http_server

from webapp.live.slots import slots
from webapp.metrics.jobs import JobCollector
from webapp.metrics.series import REGISTRY

log = logging.getLogger(__name__)

# Seconds between attempts to take the port, which a process that is being replaced may still hold.
_AGAIN = 1.0


def worker_registry() -> CollectorRegistry:
    """Return what a worker tells: what it counts, and what its process takes."""
    registry = CollectorRegistry()
    registry.register(REGISTRY)
    ProcessCollector(registry=registry)
    return registry


def web_registry(app: Flask) -> CollectorRegistry:
    """Return what the web process tells: the same as a worker, the queue of jobs, and open streams."""
    registry = worker_registry()
    registry.register(JobCollector(app))
    streams = Gauge("croft_streams_open", "Connections that stay open", registry=registry)
    streams.set_function(lambda: slots.taken)
    return registry


def serve(registry: CollectorRegistry, port: int) -> None:
    """Serve the registry on `port` from threads that end with the process; with port 0, do nothing.

    A port that is taken keeps nobody from working: it is tried again until it is free.
    """
    if port:
        threading.Thread(target=_open, args=(registry, port), name="metrics", daemon=True).start()


def _open(registry: CollectorRegistry, port: int) -> None:
    # Prometheus reaches a pod by its address; on a developer's machine nobody else should.
    address = "0.0.0.0" if "KUBERNETES_SERVICE_HOST" in os.environ else "127.0.0.1"  # noqa: S104
    told = False
    while True:
        try:
            start_http_server(port, address, registry)
        except OSError as error:
            if not told:
                log.warning("port %d cannot be taken for metrics, trying again: %s", port, error.strerror)
            told = True
            time.sleep(_AGAIN)
        else:
            log.info("metrics are served on %s:%d", address, port)
            return
