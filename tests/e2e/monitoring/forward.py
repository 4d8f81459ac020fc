"""A service of the cluster's monitoring on a port of this machine, by `kubectl port-forward`.

The network policies let no one but the portal and Grafana ask Prometheus. A forwarded port ends in the pod's
own network, on whichever node it is, so it needs no exception from them.
"""

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from tests.helm import helm_binary

MONITORING = "croft-monitoring"


class Forward:
    """HTTP to one service of croft-monitoring; follows it to the next pod when its pod ends."""

    def __init__(self, kubeconfig: str, service: str, port: int, namespace: str = MONITORING) -> None:
        self._command = [
            str(Path(helm_binary()).with_name("kubectl")),
            f"--kubeconfig={kubeconfig}",
            "port-forward",
            f"--namespace={namespace}",
            service,
            f":{port}",
        ]
        self._process: subprocess.Popen[str] | None = None
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._base = ""

    def request(self, path: str, *, method: str = "GET", patience: float = 60, **more: Any) -> httpx.Response:
        """Send a request and return what is answered; wait `patience` seconds for a pod that answers."""
        end = time.monotonic() + patience
        while True:
            try:
                if self._process is None or self._process.poll() is not None:
                    self._open()
                answer = self._http.request(method, self._base + path, **more)
                # While Prometheus reads its journal it answers, but not to questions.
                if answer.status_code != 503 or time.monotonic() > end:
                    return answer
            except (httpx.TransportError, ConnectionError):
                self.close()
                if time.monotonic() > end:
                    raise
            time.sleep(1)

    def close(self) -> None:
        """End the forwarding; the next request begins it anew."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _open(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", said)
        if not found:
            raise ConnectionError(f"{self._command[4]}: {said.strip()}")
        self._base = f"http://127.0.0.1:{found[1]}"
