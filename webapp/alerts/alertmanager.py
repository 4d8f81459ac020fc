"""What fires now, asked of Alertmanager over HTTP, in bounded time.

Protocol: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (GET /api/v2/alerts).
"""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

# Seconds that a page of alerts waits, and a page that only tells how many there are.
LIMIT_S = 2.0
BRIEF_S = 0.5
# Seconds for which those other pages do not ask again after there was no answer.
PAUSE_S = 15.0
MAX_BYTES = 10_000_000
_PIECE = 64 * 1024
_THREADS = 8


class AlertsUnknown(Exception):
    """What fires cannot be told; the text says why."""


class NotInstalled(AlertsUnknown):
    """There is no monitoring that could tell."""


class Status(BaseModel):
    """What Alertmanager does about an alert. Its own format: fields that are not known are none of ours."""

    model_config = ConfigDict(extra="ignore")

    # active, suppressed (silenced, or inhibited by another alert), or unprocessed (it has just come).
    state: str


class Alert(BaseModel):
    """An alert as Alertmanager tells of it."""

    model_config = ConfigDict(extra="ignore")

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    status: Status
    starts_at: AwareDatetime = Field(alias="startsAt")

    @property
    def silenced(self) -> bool:
        """Whether somebody, or another alert, keeps it from being told of."""
        return self.status.state == "suppressed"


_ALERTS = TypeAdapter(list[Alert])


class Alertmanager:
    """Reads alerts at `url`; empty where monitoring is not installed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._connections: Any = None
        self._silent_until = 0.0

    @property
    def installed(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self._url)

    def alerts(self, labels: Mapping[str, str], limit_s: float = LIMIT_S) -> list[Alert]:
        """Return the alerts that have all these labels, whether silenced or not. Raises AlertsUnknown.

        It waits for `limit_s` seconds at most, the look-up of the name included.
        """
        if not self._url:
            raise NotInstalled("monitoring is not installed on this cluster")
        try:
            found = self._ask(labels, limit_s).result(limit_s)
        except (TookTooLong, OSError, _http_error()) as error:
            raise self._silent("Alertmanager does not answer") from error
        except (ValueError, ValidationError) as error:
            raise self._silent("Alertmanager's answer cannot be understood") from error
        self._silent_until = 0.0
        # Whatever it makes of the matchers: what is shown to members is decided here.
        return [alert for alert in found if labels.items() <= alert.labels.items()]

    def brief(self, labels: Mapping[str, str]) -> list[Alert]:
        """Do the same for a page that has other things to show: shorter, and not while there is no answer."""
        if time.monotonic() < self._silent_until:
            raise AlertsUnknown("Alertmanager did not answer a moment ago")
        return self.alerts(labels, BRIEF_S)

    def _silent(self, why: str) -> AlertsUnknown:
        self._silent_until = time.monotonic() + PAUSE_S
        return AlertsUnknown(why)

    def _ask(self, labels: Mapping[str, str], limit_s: float) -> "Future[list[Alert]]":
        with self._lock:
            if self._threads is None:
                from urllib3 import PoolManager

                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="alerts")
                self._connections = PoolManager(maxsize=_THREADS, retries=False)
            return self._threads.submit(self._fetch, labels, time.monotonic() + limit_s)

    def _fetch(self, labels: Mapping[str, str], end: float) -> list[Alert]:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("nobody waits for it any more")
        response = self._connections.request(
            "GET",
            f"{self._url}/api/v2/alerts",
            fields=[("filter", f"{name}={json.dumps(value)}") for name, value in labels.items()],
            timeout=left,
            redirect=False,
            preload_content=False,
        )
        try:
            body = bytearray()
            while piece := response.read1(_PIECE):
                body += piece
                if len(body) > MAX_BYTES or time.monotonic() > end:
                    raise ValueError("the answer is too large, or too slow")
        finally:
            response.close()
        if response.status != 200:
            raise ValueError(f"Alertmanager answered {response.status}")
        return _ALERTS.validate_json(bytes(body))


def _http_error() -> type[Exception]:
    """Return what urllib3's errors have in common; it is loaded at the first use."""
    from urllib3.exceptions import HTTPError

    return HTTPError
