"""`ONLY=queries`: every query of every dashboard, on a real Prometheus with a day of a made-up cluster."""

import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.monitoring import ask, catalogue, generate, rules, selectors, world
from tests.bench.monitoring.dashboards import Dashboard, load, window
from tests.bench.monitoring.prometheus import Server, binary, chart_options, label_proxy, prometheus

SLOWEST = 15


def needed(found: list[Dashboard]) -> set[selectors.Metric]:
    """Return the metrics that the dashboards, their variables and the rules read, and what is recorded."""
    texts = rules.expressions()
    for dashboard in found:
        texts += dashboard.expressions()
    scraped = {metric for text in texts for metric in selectors.metrics(text, catalogue.JOBS)}
    return scraped | {selectors.Metric(catalogue.RECORDED, record) for record in rules.records()}


def prepare(folder: Path, found: list[Dashboard], resolution: int) -> dict[str, Any]:
    """Make a day of data below `folder`; return what it is, and the moment at which it ends."""
    start = time.monotonic()
    end = int(time.time()) // generate.BLOCK_S * generate.BLOCK_S
    lines = generate.lines(needed(found))
    print(f"croft: {len(lines):,} series, a sample every {resolution} or {2 * resolution} s", flush=True)
    samples = generate.make_blocks(lines, folder, end, resolution)
    size = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
    return {
        "end": end,
        "resolution_s": resolution,
        "nodes": world.NODES,
        "pods": len(world.pods()),
        "series": len(lines),
        "samples": samples,
        "disk_mb": size / 1e6,
        "prepared_s": time.monotonic() - start,
    }


@contextmanager
def servers(folder: Path) -> Iterator[tuple[Server, Server]]:
    """Run Prometheus on the data below `folder`, and the label proxy before it."""
    with (
        prometheus(folder, folder / "data", *chart_options()) as server,
        label_proxy(folder, server) as proxy,
    ):
        yield server, proxy


def measure(folder: Path, made: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Ask everything `rounds` times; return the numbers."""
    end = made["end"] - made["resolution_s"]
    with servers(folder) as (server, proxy):
        direct = ask.Asker((server,), end)
        fenced = ask.Asker((proxy, server), end, world.LARGE_PROJECT)
        boards = []
        for dashboard in load():
            boards.append(_dashboard(dashboard, direct, fenced, rounds))
            print(f"croft: {dashboard.uid} is measured", flush=True)
        groups = [group.numbers() for group in rules.groups(direct, rounds)]
        pairs = [_pair(*pair) for pair in rules.pairs(direct, rounds)]
        rows = [row for board in boards for row in board.pop("rows")]
        slowest = sorted(rows, key=lambda row: -row["p95_ms"])
        return {
            "made": f"{datetime.now(UTC):%Y-%m-%d}",
            "version": _version(),
            "rounds": rounds,
            "data": made,
            "dashboards": boards,
            "slowest": slowest[:SLOWEST],
            "refused": [row for row in rows if row["problem"]],
            "groups": groups,
            "pairs": pairs,
            "memory_mb": server.memory_mb(),
        }


def _dashboard(dashboard: Dashboard, direct: ask.Asker, fenced: ask.Asker, rounds: int) -> dict[str, Any]:
    """Measure one dashboard: by the label proxy when it is a project's, and then directly as well."""
    asker = fenced if dashboard.tenant else direct
    start = time.perf_counter()
    choices = dashboard.choices(asker.label_values, window(ask.RANGES["1 h"], asker.end))
    lookup = time.perf_counter() - start
    found = {name: [asker.row(query, choices, name) for query in dashboard.queries] for name in ask.RANGES}
    beside = {
        name: [direct.row(query, choices, name) for query in dashboard.queries]
        for name in ask.RANGES
        if dashboard.tenant
    }
    ask.measure([row for part in (found, beside) for rows in part.values() for row in rows], rounds)
    ranges = {
        name: _spread(rows) | {"page_ms": ask.page(rows, rounds) * 1000} for name, rows in found.items()
    }
    result: dict[str, Any] = {
        "uid": dashboard.uid,
        "tenant": dashboard.tenant,
        "queries": len(found["1 h"]),
        "lookup_ms": lookup * 1000,
        "ranges": ranges,
        "rows": [_row(row) for rows in found.values() for row in rows],
    }
    if beside:
        times = [sum(statistics.median(row.times) for row in rows) for rows in beside.values()]
        fenced_times = [sum(statistics.median(row.times) for row in rows) for rows in found.values()]
        result["proxy"] = {"direct_ms": sum(times) * 1000, "proxy_ms": sum(fenced_times) * 1000}
    return result


def _spread(rows: list[ask.Row]) -> dict[str, float]:
    times = [one * 1000 for row in rows for one in row.times]
    return {
        "p50_ms": statistics.median(times),
        "p95_ms": _p95(times),
        "max_ms": max(times),
        "cpu_ms": sum(row.cpu for row in rows) / len(times) * 1000,
    }


def _p95(times: list[float]) -> float:
    # What is refused is asked only once.
    return statistics.quantiles(times, n=20, method="inclusive")[18] if len(times) > 1 else times[0]


def _row(row: ask.Row) -> dict[str, Any]:
    times = [one * 1000 for one in row.times]
    return {
        "problem": row.problem,
        "dashboard": row.query.dashboard,
        "panel": row.query.panel,
        "range": row.range,
        "p50_ms": statistics.median(times),
        "p95_ms": _p95(times),
        "cpu_ms": row.cpu / len(times) * 1000,
        "series": row.series,
        "expression": row.query.expression,
    }


def _pair(recorded: ask.Row, raw: ask.Row) -> dict[str, Any]:
    return {
        "record": recorded.query.panel,
        "recorded_ms": statistics.median(recorded.times) * 1000,
        "raw_ms": statistics.median(raw.times) * 1000,
        "recorded_cpu_ms": recorded.cpu / len(recorded.times) * 1000,
        "raw_cpu_ms": raw.cpu / len(raw.times) * 1000,
        "series": recorded.series,
        "problem": raw.problem,
    }


def _version() -> str:
    told = subprocess.run(
        (binary("prometheus"), "--version"), text=True, check=True, capture_output=True
    ).stdout
    return told.split()[2]
