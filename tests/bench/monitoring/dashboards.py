"""The queries of the dashboards, with variables and time filled in by the portal's own code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.monitoring import world
from tests.bench.web import ROOT
from webapp.monitoring import dashboards, times, variables
from webapp.monitoring.schema import Panel, Target

FOLDER = ROOT / "grafana" / "dashboards"
# What a visitor has chosen, where a variable takes one value only; elsewhere everything is chosen.
CHOSEN = {"namespace": world.LARGE_PROJECT, "node": world.node_name(0)}
RETENTION_DAYS = 15


@dataclass(frozen=True)
class Query:
    """One query. `instant`: only the last moment is asked for; `interval`: seconds between its samples."""

    dashboard: str
    panel: str
    expression: str
    instant: bool
    interval: int = times.SCRAPE_INTERVAL_S


class Dashboard:
    """A dashboard as it is committed."""

    def __init__(self, read: dashboards.Dashboard) -> None:
        self.uid, self.tenant = read.uid, read.tenant
        self._variables = read.variables
        self.queries = tuple(
            _query(read.uid, panel, target) for panel in read.panels for target in panel.targets
        )

    def expressions(self) -> Iterator[str]:
        """Yield the texts that name series: of queries, and of what can be chosen for variables."""
        yield from (query.expression for query in self.queries)
        yield from (variable.query for variable in self._variables)

    def choices(self, ask: variables.AskValues, window: times.Window) -> variables.Choices:
        """Return what is chosen for each variable. Raises ValueError when nothing can be chosen for one."""
        single = {one.name for one in self._variables if not one.include_all}
        asked = {name: [value] for name, value in CHOSEN.items() if name in single}
        chosen = variables.choose(self._variables, asked, {}, ask, window)
        for name, one in chosen.items():
            if not one.values and not one.variable.all_value:
                raise ValueError(f"{self.uid}: ${name} has no values")
        return chosen


def load() -> list[Dashboard]:
    """Return all dashboards. Raises SystemExit when there are none, or the portal cannot read one."""
    found = dashboards.load(FOLDER)
    if not found or len(found) < len(list(FOLDER.glob("*.json"))):
        raise SystemExit(f"croft: {FOLDER} has no dashboards, or some that cannot be read: make dashboards")
    return [Dashboard(read) for read in found.values()]


def window(seconds: int, end: int) -> times.Window:
    """Return the time of so many seconds before `end`, in the portal's steps."""
    return times.window(f"now-{seconds}s", "now", retention_days=RETENTION_DAYS, now=end)


def fill(query: Query, choices: Mapping[str, variables.Chosen], chosen_time: times.Window) -> str:
    """Return the query's PromQL."""
    return variables.interpolate(query.expression, choices, chosen_time, query.interval)


def _query(dashboard: str, panel: Panel, target: Target) -> Query:
    interval = target.interval or panel.interval or f"{times.SCRAPE_INTERVAL_S}s"
    seconds = max(times.SCRAPE_INTERVAL_S, int(interval.removesuffix("s")))
    return Query(dashboard, panel.title, target.expr, target.instant, seconds)
