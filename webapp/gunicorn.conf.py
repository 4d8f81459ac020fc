"""How gunicorn serves the portal: one process, many threads.

Pages with live progress hold a thread each, and SQLite likes one process; a second process would double the
memory.
"""

import os
import tempfile
from typing import Any

# In a pod the service has to reach it; on a developer's machine nobody else should.
_address = "0.0.0.0" if "KUBERNETES_SERVICE_HOST" in os.environ else "127.0.0.1"  # noqa: S104
bind = os.environ.get("CROFT_BIND", f"{_address}:8000")
workers = 1
worker_class = "gthread"
# More than webapp.live.slots lets stay open (256), so that pages are served beside all of them.
threads = int(os.environ.get("CROFT_THREADS", "320"))
timeout = 60
graceful_timeout = 10
keepalive = 30
# Heartbeats in memory: a slow disk must not look like a hung worker.
_memory = "/dev/shm"  # noqa: S108
worker_tmp_dir = _memory if os.access(_memory, os.W_OK) else tempfile.gettempdir()
accesslog = "-"
# Without the query, which may hold what was typed.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'
errorlog = "-"
limit_request_line = 8190
limit_request_fields = 100
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Serve the metrics beside the portal, from the one process that counts: it has all requests in it."""
    from webapp.metrics import serving

    app = worker.wsgi
    serving.serve(serving.web_registry(app), app.config["CROFT"].metrics_port)
