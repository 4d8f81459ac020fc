"""Which requests the portal's benchmark sends, and how long their answers take."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from flask import Flask

from tests.bench import portal_data
from tests.bench.apiserver import PROJECTS, application_name, project_name
from tests.bench.web import Web
from tests.routes import Route, routes

TICK_S = 0.01
# Endpoints that are no page and no answer: what never ends, what goes elsewhere, what is measured by itself.
LEFT_OUT = re.compile(
    r"export_|csv|stream|changes|follow|logs$|shell|download|sign_in|sign_out|oidc|openapi|metrics"
)
# Further addresses of a page or answer: what users choose there.
MORE = {
    "projects.index": ("search=team+7", "sort=-updatedAt", "state=failed", "own=1"),
    "projects_api.list_projects": ("search=shop&sort=-updatedAt", "limit=100"),
    "audit.index": ("project=team-0021", "user=user-007"),
    "audit_api.list_entries": ("project=team-0021", "limit=100"),
    "jobs.index": ("state=failed", "kind=application.update"),
    "jobs_api.list_jobs": ("limit=100", "state=failed&limit=20"),
}
# What the rows of portal_data are called where an address names them.
CATALOG_ENTRY, REVISION = "postgresql", "2"


@dataclass
class Row:
    """One request, for many projects. `times` are in seconds, `cpu` in seconds of the web process."""

    name: str
    user: str
    send: Callable[[int], httpx.Response]
    times: list[float] = field(default_factory=list)
    cpu: float = 0.0
    problem: str = ""

    def numbers(self) -> dict[str, float]:
        """Return p50, p95, the longest and the processor's share, in milliseconds."""
        parts = statistics.quantiles(self.times, n=20, method="inclusive")
        return {
            "p50_ms": statistics.median(self.times) * 1000,
            "p95_ms": parts[18] * 1000,
            "max_ms": max(self.times) * 1000,
            "cpu_ms": self.cpu / len(self.times) * 1000,
        }


class Visitor:
    """A signed-in user: pages by cookies, the API by a token, each over a connection that stays open."""

    def __init__(self, web: Web, name: str, projects: list[int]) -> None:
        self.name, self.projects = name, projects
        self.pages = httpx.Client(base_url=web.url, timeout=30, trust_env=False)
        self.api = httpx.Client(base_url=web.url, timeout=30, trust_env=False)
        credentials = {"name": name, "password": portal_data.PASSWORD}
        if self.pages.post("/sign-in", data=credentials).status_code != 303:
            raise RuntimeError(f"{name} cannot sign in")
        tokens = self.api.post("/api/v1/auth/token", json=credentials).raise_for_status().json()
        self.api.headers["Authorization"] = f"Bearer {tokens['accessToken']}"

    def values(self, number: int) -> dict[str, str]:
        """Return what stands for the parameters of addresses in the request of this number."""
        project = self.projects[number % len(self.projects)]
        # The newest jobs are the last ones.
        job = portal_data.JOBS - PROJECTS + project
        return {
            "project": project_name(project),
            "application": application_name(number % 5),
            "job_id": portal_data.job_id(job),
            "job": portal_data.job_id(job),
            "entry": CATALOG_ENTRY,
            "slug": "validation-failed",
            "number": REVISION,
            "revision": REVISION,
            "name": "user-007",
            "user": "user-007",
        }


def rows_of(app: Flask, visitor: Visitor) -> Iterator[Row | str]:
    """Yield a row for everything that the portal answers to GET; the name alone of what cannot be asked."""
    for route in routes(app):
        if LEFT_OUT.search(route.endpoint) or not route.arguments <= set(visitor.values(0)):
            yield route.rule
            continue
        for query in ("", *MORE.get(route.endpoint, ())):
            yield Row(
                route.rule + (f"?{query}" if query else ""), visitor.name, _sender(visitor, route, query)
            )


def _sender(visitor: Visitor, route: Route, query: str) -> Callable[[int], httpx.Response]:
    client = visitor.api if route.is_api else visitor.pages

    def send(number: int) -> httpx.Response:
        path = route.path(visitor.values(number))
        return client.get(f"{path}?{query}" if query else path)

    return send


def measure(web: Web, rows: list[Row], rounds: int, each: int) -> None:
    """Send every request `rounds` times `each` times, in turn, so that a slow moment falls on all rows."""
    for row in rows:
        answer = row.send(0)
        if answer.status_code != 200:
            row.problem = str(answer.status_code)
    for turn in range(rounds):
        for row in rows:
            if row.problem:
                continue
            before = _cpu(web.pid)
            for number in range(turn * each, (turn + 1) * each):
                start = time.perf_counter()
                status = row.send(number).status_code
                row.times.append(time.perf_counter() - start)
                if status != 200:
                    row.problem = f"{status} in the middle"
            row.cpu += _cpu(web.pid) - before


def _cpu(pid: int) -> float:
    """Return the processor's seconds that a process and its children have used."""
    total = 0.0
    for child in [pid, *_children(pid)]:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) * TICK_S
    return total


def _children(pid: int) -> list[int]:
    found = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(grandchild for child in found for grandchild in _children(child))]
