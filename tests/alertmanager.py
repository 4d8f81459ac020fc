"""A real Alertmanager on 127.0.0.1, for tests: alerts are posted to it as Prometheus would."""

import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.bundles import bundled
from tests.worker.receivers import free_port

PATIENCE = 30.0


def alertmanager_binary() -> str:
    """Return the path of the binary: CROFT_ALERTMANAGER, or the newest finished bundle's."""
    given = os.environ.get("CROFT_ALERTMANAGER")
    if given:
        assert Path(given).is_file(), f"CROFT_ALERTMANAGER names {given}, which is not there"
        return given
    return str(bundled("alertmanager"))


class AlertmanagerProcess:
    """A running Alertmanager that brings what it hears to `webhook`, with the token in `token_file`."""

    def __init__(
        self, folder: Path, webhook: str = "http://127.0.0.1:9/", token_file: Path | None = None
    ) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "alertmanager.yml"
        hook: dict[str, Any] = {"url": webhook, "send_resolved": True}
        if token_file is not None:
            hook["http_config"] = {
                "authorization": {"type": "Bearer", "credentials_file": str(token_file)},
            }
        config.write_text(
            yaml.safe_dump(
                {
                    "route": {
                        "receiver": "portal",
                        "group_by": ["namespace"],
                        "group_wait": "0s",
                        "group_interval": "1s",
                        # It tells everything again and again.
                        "repeat_interval": "1s",
                    },
                    "receivers": [{"name": "portal", "webhook_configs": [hook]}],
                }
            )
        )
        self.log = folder / "alertmanager.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    alertmanager_binary(),
                    f"--config.file={config}",
                    f"--storage.path={folder / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
            )
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
        deadline = time.monotonic() + PATIENCE
        while not self._ready():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return self._http.get("/-/ready").is_success
        except httpx.TransportError:
            return False

    def tell(
        self,
        labels: dict[str, str],
        annotations: dict[str, str] | None = None,
        *,
        since: datetime | None = None,
        over: bool = False,
    ) -> None:
        """Post one alert, as Prometheus does while it fires and once it is over."""
        now = datetime.now(UTC)
        since = since or now - timedelta(minutes=5)
        end = now if over else now + timedelta(minutes=5)
        alert = {
            "labels": labels,
            "annotations": annotations or {},
            "startsAt": since.isoformat(),
            "endsAt": end.isoformat(),
        }
        self._http.post("/api/v2/alerts", json=[alert]).raise_for_status()

    def silence(self, name: str, value: str) -> None:
        """Silence the alerts with this label for an hour."""
        now = datetime.now(UTC)
        body = {
            "matchers": [{"name": name, "value": value, "isRegex": False}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "ops",
            "comment": "known",
        }
        self._http.post("/api/v2/silences", json=body).raise_for_status()

    def close(self) -> None:
        """End it."""
        self._http.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
