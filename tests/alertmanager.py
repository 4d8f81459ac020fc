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
from tests.ports import free_port

PATIENCE = 30.0


def alertmanager_binary() -> str:
    """Return the path of the binary: CROFT_ALERTMANAGER, or the newest finished bundle's."""
    given = os.environ.get("CROFT_ALERTMANAGER")
    if given:
        assert Path(given).is_file(), f"CROFT_ALERTMANAGER names {given}, which is not there"
        return given
    return str(bundled("alertmanager"))


def to_portal(webhook: str = "http://127.0.0.1:9/", token_file: Path | None = None) -> str:
    """Return a configuration that brings everything to `webhook` at once, with the token in `token_file`."""
    hook: dict[str, Any] = {"url": webhook, "send_resolved": True}
    if token_file is not None:
        hook["http_config"] = {"authorization": {"type": "Bearer", "credentials_file": str(token_file)}}
    # It tells everything again and again.
    pace = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1s"}
    route = {"receiver": "portal", "group_by": ["namespace"], **pace}
    return yaml.safe_dump({"route": route, "receivers": [{"name": "portal", "webhook_configs": [hook]}]})


class AlertmanagerProcess:
    """A running Alertmanager with the configuration `config`, in YAML."""

    def __init__(self, folder: Path, config: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "alertmanager.yml"
        file.write_text(config)
        self.log = folder / "alertmanager.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    alertmanager_binary(),
                    f"--config.file={file}",
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

    def states(self, **labels: str) -> dict[str, str]:
        """Return the state of each alert with `labels`, by name: `active`, or `suppressed` by another one."""
        filters = [f'{name}="{value}"' for name, value in labels.items()]
        answer = self._http.get("/api/v2/alerts", params={"filter": filters}).raise_for_status()
        return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in answer.json()}

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
