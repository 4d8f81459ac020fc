"""The queries of a panel, asked side by side: what fails says so, and the others are there all the same."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from webapp.monitoring.legend import series_name
from webapp.monitoring.prometheus import Prometheus, Scope, too_slow
from webapp.monitoring.schema import Annotation, Panel, Target
from webapp.monitoring.times import SCRAPE_INTERVAL_S, Window
from webapp.monitoring.variables import Choices, interpolate
from webapp.problems import Problem

# Enough for the places of webapp.monitoring.limits, most of whose panels have one or two queries.
_THREADS = 48
MAX_MARKS = 100
_executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="prometheus")


@dataclass(frozen=True)
class Series:
    """One series. `values` by moment in seconds since 1970; an instant query has one."""

    labels: Mapping[str, str]
    values: Mapping[int, float]


@dataclass(frozen=True)
class Answer:
    """What came of one target: series, or the problem that stands for them."""

    target: Target
    series: tuple[Series, ...] = ()
    problem: Problem | None = None
    expression: str = field(default="", repr=False)


@dataclass(frozen=True)
class Mark:
    """Something that happened, in seconds since 1970 and in words."""

    moment: int
    words: str


def run_all(
    prometheus: Prometheus,
    scope: Scope,
    panels: Sequence[Panel],
    choices: Choices,
    window: Window,
    until: float,
) -> list[list[Answer]]:
    """Ask all queries of some panels, and wait for them until `until` (as time.monotonic() counts)."""
    asked: list[list[tuple[Target, Future[Answer]]]] = [
        [
            (target, _executor.submit(_ask, prometheus, scope, panel, target, choices, window, until))
            for target in panel.targets
            if not target.hide
        ]
        for panel in panels
    ]
    futures = [future for pairs in asked for _, future in pairs]
    wait(futures, timeout=max(0.0, until - time.monotonic()))
    return [[_result(target, future) for target, future in pairs] for pairs in asked]


def _result(target: Target, future: Future[Answer]) -> Answer:
    if future.done():
        return future.result()
    future.cancel()
    return Answer(target, problem=too_slow())


def marks(
    prometheus: Prometheus,
    scope: Scope,
    annotations: Sequence[Annotation],
    choices: Choices,
    window: Window,
    until: float,
) -> list[Mark]:
    """Return where the dashboard's annotations begin to have a value. Raises Problem as Prometheus does."""
    found = []
    for item in annotations:
        expression = interpolate(item.expr, choices, window)
        for one in prometheus.query_range(scope, expression, window, until):
            moments = _values(one.get("values", ())).keys()
            words = f"{series_name(item.title_format or ' ', one['metric'])}: "
            words += series_name(item.text_format, one["metric"])
            # A value that goes on is still the same event.
            found += [Mark(at, words) for at in moments if at - window.step not in moments]
    return sorted(found, key=lambda mark: mark.moment)[:MAX_MARKS]


def _ask(
    prometheus: Prometheus,
    scope: Scope,
    panel: Panel,
    target: Target,
    choices: Choices,
    window: Window,
    until: float,
) -> Answer:
    interval = int((target.interval or panel.interval or f"{SCRAPE_INTERVAL_S}s").removesuffix("s"))
    expression = interpolate(target.expr, choices, window, max(interval, SCRAPE_INTERVAL_S))
    try:
        if target.instant:
            found = prometheus.query(scope, expression, window.now, until)
            series = tuple(Series(item["metric"], _values([item["value"]])) for item in found)
        else:
            found = prometheus.query_range(scope, expression, window, until)
            series = tuple(Series(item["metric"], _values(item.get("values", ()))) for item in found)
    except Problem as problem:
        return Answer(target, problem=problem, expression=expression)
    return Answer(target, series, expression=expression)


def _values(pairs: Any) -> dict[int, float]:
    return {round(moment): float(text) for moment, text in pairs}
