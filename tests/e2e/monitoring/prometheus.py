"""Asking a Prometheus server, the cluster's own or one that a test started."""

import time
from collections.abc import Callable
from typing import Any

import httpx

Json = dict[str, Any]
# Sends a request for a path with `data=` or `params=`.
Request = Callable[..., httpx.Response]


class Prometheus:
    """The HTTP API of one server. Raises AssertionError with what it says when it refuses."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def query(self, expression: str, at: float | None = None) -> list[Json]:
        """Return the series of an instant vector, each {"metric": labels, "value": [time, text]}."""
        form = {"query": expression, "time": str(at or time.time()), "timeout": "20s"}
        data = self._data("/api/v1/query", method="POST", data=form)
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        found: list[Json] = data["result"]
        return found

    def value(self, expression: str, at: float | None = None) -> float:
        """Return the value of an expression that has to give one series."""
        found = self.query(expression, at)
        assert len(found) == 1, f"{len(found)} series instead of one: {expression}: {found}"
        return float(found[0]["value"][1])

    def range(self, expression: str, start: float, end: float, step: float = 15) -> list[Json]:
        """Return the series over a time, each {"metric": labels, "values": [[time, text], …]}."""
        form = {"query": expression, "start": str(start), "end": str(end), "step": str(step)}
        found: list[Json] = self._data("/api/v1/query_range", method="POST", data=form)["result"]
        return found

    def tree(self, expression: str) -> Json:
        """Return the expression as Prometheus parses it: nodes with `type` and what belongs to it."""
        return self._data("/api/v1/parse_query", method="POST", data={"query": expression})

    def alerts(self, name: str, **labels: str) -> list[Json]:
        """Return the alerts of a rule that are pending or firing, with `labels`, `state`, `annotations`."""
        wanted = {"alertname": name, **labels}.items()
        return [
            alert for alert in self._data("/api/v1/alerts")["alerts"] if wanted <= alert["labels"].items()
        ]

    def groups(self) -> list[Json]:
        """Return the groups of rules that are loaded."""
        found: list[Json] = self._data("/api/v1/rules")["groups"]
        return found

    def targets(self, job: str, **labels: str) -> list[Json]:
        """Return the targets of a job, with `labels`, `health` and `lastError`."""
        wanted = {"job": job, **labels}.items()
        found = self._data("/api/v1/targets", params={"state": "active"})["activeTargets"]
        return [target for target in found if wanted <= target["labels"].items()]

    def _data(self, path: str, **more: Any) -> Any:
        answer = self.request(path, **more)
        assert answer.status_code == 200, f"{path} {more}: {answer.status_code}: {answer.text[:1000]}"
        return answer.json()["data"]
