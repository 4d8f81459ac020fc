"""The report of `make bench-monitoring`: two files below docs/, and what is above its aim."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench.monitoring import cost_tables, query_tables
from tests.bench.report import machine

Numbers: TypeAlias = dict[str, Any]
NAME = "benchmarks-monitoring"
AIM_MS, AIM_MB, AIM_CORES, AIM_SCRAPE_S = 300, 700, 0.15, 2


def last(docs: Path) -> Numbers:
    """Return the numbers of the last run, nothing when there was none."""
    path = docs / f"{NAME}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def above(numbers: Numbers) -> list[str]:
    """Return what is above its aim, a part of a sentence each."""
    found = []
    if "queries" in numbers:
        found += [
            f"{board['uid']} over {name}: 95th percentile {spread['p95_ms']:.0f} ms"
            for board in numbers["queries"]["dashboards"]
            for name, spread in board["ranges"].items()
            if spread["p95_ms"] > AIM_MS
        ]
        found += [
            f"{row['dashboard']}, {row['panel']} over {row['range']} is refused: {row['problem']}"
            for row in numbers["queries"]["refused"]
        ]
    return found + (_cost_above(numbers["cost"]) if "cost" in numbers else [])


def _cost_above(cost: Numbers) -> list[str]:
    found = []
    if (memory := cost_tables.total(cost, "memory_mb")) > AIM_MB:
        found.append(f"memory of all parts of monitoring: {memory:.0f} MB on each node")
    if (cores := cost_tables.total(cost, "cpu")) > AIM_CORES:
        found.append(f"CPU of all parts of monitoring: {cores:.2f} cores on each node")
    for job, one in cost["jobs"].items():
        if one["most_s"] > AIM_SCRAPE_S:
            found.append(f"scrapes of {job}: up to {one['most_s']:.1f} s")
        if one["up"] < one["targets"]:
            found.append(f"targets of {job}: only {one['up']:.0f} of {one['targets']:.0f} answer")
    return found


def tables(numbers: Numbers) -> str:
    """Return the tables of both parts as Markdown."""
    parts = []
    if "queries" in numbers:
        parts += query_tables.tables(numbers["queries"], AIM_MS)
    if "cost" in numbers:
        parts += cost_tables.tables(numbers["cost"], AIM_MB, AIM_CORES, AIM_SCRAPE_S)
    return "\n\n".join(parts)


def write(numbers: Numbers, docs: Path) -> None:
    """Write benchmarks-monitoring.json and benchmarks-monitoring.md below `docs`."""
    (docs / f"{NAME}.json").write_text(json.dumps(_rounded(numbers), indent=1) + "\n")
    over = above(numbers)
    verdict = f"Above the aims: {'; '.join(over)}." if over else "Nothing is above its aim."
    (docs / f"{NAME}.md").write_text(
        "# Benchmarks of monitoring\n\n"
        f"Made by `make bench-monitoring` on {datetime.now(UTC):%Y-%m-%d}: {machine()}.\n\n{verdict}\n\n"
        f"{tables(numbers)}\n\nThe numbers as JSON: [{NAME}.json]({NAME}.json).\n"
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
