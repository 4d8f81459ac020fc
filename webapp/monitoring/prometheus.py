"""What Prometheus knows, asked over HTTP: within two seconds, or not at all.

There are two ways in. An administrator's questions go to Prometheus itself. A member's go to
prom-label-proxy, which puts `namespace="<project>"` into every selector; which project, it learns from a
header that nobody but this module sets.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode

from webapp.monitoring.times import Window
from webapp.problems import Problem

NAMESPACE_HEADER = "X-Croft-Namespace"
LIMIT_S = 2.0
MAX_BYTES = 10_000_000
# Prometheus gives up a little earlier, so that it can still say so.
_EVALUATION = 0.95
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_PIECE = 64 * 1024
_NOTHING = b'{"status":"success","data":[]}'
_CONNECTIONS = 48
Fields: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Scope:
    """Whose series may be seen: those of one project, or (None) all of them."""

    project: str | None


class Prometheus:
    """A client of Prometheus and of the label proxy in front of it; either address may be empty.

    `limit_s`: seconds after which a question is given up.
    """

    def __init__(self, prometheus_url: str, label_proxy_url: str, limit_s: float = LIMIT_S) -> None:
        self.limit_s = limit_s
        self._urls = {False: prometheus_url.rstrip("/"), True: label_proxy_url.rstrip("/")}
        self._connections: Any = None

    def deadline(self) -> float:
        """Return until when a request that begins now may wait (as time.monotonic() counts)."""
        return time.monotonic() + self.limit_s

    def installed(self, scope: Scope) -> bool:
        """Tell whether there is anything to ask."""
        return bool(self._urls[scope.project is not None])

    def query(
        self, scope: Scope, expression: str, at: float, until: float | None = None
    ) -> list[dict[str, Any]]:
        """Return the series of an instant query, each with `metric` and `value`.

        A scalar comes as one series without labels. Raises Problem as `ask` does.
        """
        fields = (("query", expression), ("time", f"{at:.3f}"))
        data = self._data(scope, "query", fields, until)
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return data["result"] if data["resultType"] == "vector" else []

    def query_range(
        self, scope: Scope, expression: str, window: Window, until: float | None = None
    ) -> list[dict[str, Any]]:
        """Return the series of a range query, each with `metric` and `values`; raises as `ask` does."""
        fields = (
            ("query", expression),
            ("start", str(window.start)),
            ("end", str(window.end)),
            ("step", str(window.step)),
        )
        return self._data(scope, "query_range", fields, until)["result"]

    def label_values(
        self, scope: Scope, label: str, match: str, window: Window, until: float | None = None
    ) -> list[str]:
        """Return the values of a label on the series that `match` selects (empty: on all of them)."""
        fields = [("start", str(window.start)), ("end", str(window.end))]
        if match:
            fields.append(("match[]", match))
        return self._data(scope, f"label/{label}/values", fields, until)

    def ask(self, scope: Scope, path: str, fields: Fields, until: float | None = None) -> bytes:
        """Return what is answered to a read of /api/v1/<path>: JSON, as Prometheus wrote it.

        It waits for `limit_s` at most, and not beyond `until` (as time.monotonic() counts).

        Raises Problem: monitoring-not-installed, monitoring-unreachable, query-timeout, query-refused,
        too-many-samples, answer-too-large.
        """
        base = self._urls[scope.project is not None]
        if not base:
            raise Problem(
                "monitoring-not-installed",
                "Monitoring is not installed on this cluster.",
            )
        headers = {} if scope.project is None else {NAMESPACE_HEADER: scope.project}
        if path in ("query", "query_range"):
            fields = [*fields, ("timeout", f"{self.limit_s * _EVALUATION * 1000:.0f}ms")]
        latest = self.deadline()
        end = latest if until is None else min(latest, until)
        status, body = self._send(f"{base}/api/v1/{path}", fields, headers, end)
        if status == 204:
            # What Prometheus says of exemplars when the query selects no series at all.
            return _NOTHING
        if status != 200:
            raise _refusal(status, body)
        return body

    def _data(self, scope: Scope, path: str, fields: Fields, until: float | None) -> Any:
        return json.loads(self.ask(scope, path, fields, until))["data"]

    def _send(self, url: str, fields: Fields, headers: dict[str, str], end: float) -> tuple[int, bytes]:
        """Send one request; once more when a connection that was kept had been closed meanwhile."""
        from urllib3.exceptions import HTTPError, ProtocolError, TimeoutError

        for attempt in (1, 2):
            try:
                return self._exchange(url, fields, headers, end)
            except TimeoutError as error:
                raise _silent() if _no_connection(error) else too_slow() from error
            except ProtocolError as error:
                if attempt == 2:
                    raise _silent() from error
            except (HTTPError, OSError) as error:
                raise _silent() from error
        raise AssertionError("the second attempt returns or raises")

    def _exchange(self, url: str, fields: Fields, headers: dict[str, str], end: float) -> tuple[int, bytes]:
        from urllib3 import Timeout

        sent = urlencode(fields)
        # A query may be longer than an address may be. Lists (series, labels) take no form: for want of a
        # selector in the address the label proxy would add one of the whole project beside those in the form.
        in_body = url.endswith(("/query", "/query_range", "/query_exemplars"))
        response = self._pool().request(
            "POST" if in_body else "GET",
            url if in_body else f"{url}?{sent}",
            body=sent if in_body else None,
            headers=headers | (_FORM if in_body else {}),
            retries=False,
            redirect=False,
            preload_content=False,
            timeout=Timeout(total=max(0.05, end - time.monotonic())),
        )
        pieces, size = [], 0
        try:
            while piece := response.read1(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_BYTES:
                    raise Problem(
                        "answer-too-large",
                        f"The answer is larger than {MAX_BYTES // 1_000_000} MB; ask for a longer step, a "
                        "shorter time or fewer series.",
                    )
                if time.monotonic() > end:
                    raise too_slow()
        except Problem:
            # What is still to come would otherwise be read by whoever gets the connection next.
            response.close()
            raise
        response.release_conn()
        return response.status, b"".join(pieces)

    def _pool(self) -> Any:
        if self._connections is None:
            import urllib3

            self._connections = urllib3.PoolManager(num_pools=2, maxsize=_CONNECTIONS)
        return self._connections


def _no_connection(error: Exception) -> bool:
    from urllib3.exceptions import ConnectTimeoutError

    return isinstance(error, ConnectTimeoutError)


def _silent() -> Problem:
    return Problem("monitoring-unreachable", "Monitoring does not answer now; try again in a minute.")


def too_slow() -> Problem:
    """Return the problem for what took too long."""
    return Problem(
        "query-timeout",
        f"The query took longer than {LIMIT_S:.0f} seconds and was given up; try a shorter time.",
    )


def _refusal(status: int, body: bytes) -> Problem:
    """Return the problem for an answer that is none."""
    try:
        told = json.loads(body)
        kind, words = str(told["errorType"]), str(told["error"])
    except (ValueError, KeyError, TypeError):
        return _silent()
    if kind in ("timeout", "canceled"):
        return too_slow()
    if "too many samples" in words:
        return Problem(
            "too-many-samples",
            "The query would read too many samples; ask for a shorter time or fewer series.",
        )
    if status in (400, 422):
        return Problem("query-refused", f"Prometheus refuses the query: {words[:500]}.")
    return _silent()
