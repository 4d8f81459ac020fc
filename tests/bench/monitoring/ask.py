"""How long Prometheus takes to answer: queries over ranges, and rules at one moment."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tests.bench.monitoring.dashboards import Query, fill, window
from tests.bench.monitoring.prometheus import NAMESPACE_HEADER, Server
from webapp.monitoring.variables import Choices

RANGES = {"1 h": 3600, "6 h": 6 * 3600, "24 h": 24 * 3600}
# So many queries of one page are under way at a time.
AT_A_TIME = 6


@dataclass
class Row:
    """A query over one range. `times`: seconds of each answer; `series`: how many the last one had.

    `cpu`: the processor's seconds that the servers took for all answers, which other work on the machine
    hardly changes. `problem`: what Prometheus says when it refuses the query.
    """

    query: Query
    range: str
    send: Callable[[], httpx.Response]
    servers: tuple[Server, ...]
    times: list[float] = field(default_factory=list)
    cpu: float = 0.0
    series: int = 0
    problem: str = ""

    def ask(self) -> None:
        """Ask once and keep the time; what is refused is not asked again."""
        if self.problem:
            return
        before, start = self._cpu(), time.perf_counter()
        answer = self.send()
        self.times.append(time.perf_counter() - start)
        self.cpu += self._cpu() - before
        if answer.status_code != 200:
            self.problem = answer.json()["error"]
        else:
            self.series = len(answer.json()["data"]["result"])

    def _cpu(self) -> float:
        return sum(server.cpu_s() for server in self.servers)


class Asker:
    """Asks the first of `servers` about the time before `end` (seconds since 1970).

    `namespace` goes into the header that the label proxy reads.
    """

    def __init__(self, servers: tuple[Server, ...], end: int, namespace: str = "") -> None:
        self.end, self._servers = end, servers
        headers = {NAMESPACE_HEADER: namespace} if namespace else {}
        self._client = httpx.Client(base_url=servers[0].url, headers=headers, timeout=120, trust_env=False)

    def row(self, query: Query, choices: Choices, range_name: str) -> Row:
        """Return a query with its variables filled in, ready to be asked."""
        chosen_time = window(RANGES[range_name], self.end)
        form = {"query": fill(query, choices, chosen_time)}
        if query.instant:
            path, moments = "/api/v1/query", {"time": chosen_time.now}
        else:
            path = "/api/v1/query_range"
            moments = {"start": chosen_time.start, "end": chosen_time.end, "step": chosen_time.step}
        form |= {name: str(value) for name, value in moments.items()}
        return Row(query, range_name, lambda: self._client.post(path, data=form), self._servers)

    def label_values(self, label: str, selector: str) -> list[str]:
        """Return the values of a label on the series that a selector (may be empty) matches, over an hour."""
        params: dict[str, str | int] = {"start": self.end - RANGES["1 h"], "end": self.end}
        if selector:
            params["match[]"] = selector
        answer = self._client.get(f"/api/v1/label/{label}/values", params=params)
        return answer.raise_for_status().json()["data"]


def measure(rows: list[Row], rounds: int) -> None:
    """Ask every row `rounds` times, in turn, so that a slow moment of the machine falls on all."""
    for _ in range(rounds):
        for row in rows:
            row.ask()


def page(rows: list[Row], rounds: int) -> float:
    """Return the median seconds until all queries of a page are answered, AT_A_TIME of them at a time."""
    times = []
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for _ in range(rounds):
            start = time.perf_counter()
            list(pool.map(lambda row: row.send(), rows))
            times.append(time.perf_counter() - start)
    return statistics.median(times)
