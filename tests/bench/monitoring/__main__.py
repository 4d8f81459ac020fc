"""`make bench-monitoring`: how quickly dashboards are answered, and what monitoring costs.

Prints tables and writes docs/benchmarks-monitoring.json and docs/benchmarks-monitoring.md. ONLY=queries or
ONLY=cost measures one part; the other keeps its last numbers. ROUNDS (5) says how often each query is asked,
RESOLUTION (15) how many seconds the made-up samples are apart, MINUTES (3) how long the cluster is watched.
BENCH_DATA names a folder that keeps the made-up data for the next run, BENCH_BIN one that holds prometheus,
promtool and prom-label-proxy in the place of the bundle's.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.monitoring import cost, queries, report
from tests.bench.monitoring.dashboards import load
from tests.bench.web import ROOT

ROUNDS, RESOLUTION = int(os.environ.get("ROUNDS", "5")), int(os.environ.get("RESOLUTION", "15"))
MINUTES = float(os.environ.get("MINUTES", "3"))
PARTS = ("queries", "cost")


def part_queries() -> dict[str, Any]:
    """Measure the dashboards on made-up data; the data is removed unless BENCH_DATA keeps it."""
    kept = os.environ.get("BENCH_DATA")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept or name)
        made = folder / "made.json"
        if not made.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made.write_text(json.dumps(queries.prepare(folder, load(), RESOLUTION)))
        return queries.measure(folder, json.loads(made.read_text()), ROUNDS)


def part_cost() -> dict[str, Any]:
    """Measure the cluster whose state folder CROFT_STATE_DIR names; nothing without one."""
    folder = os.environ.get("CROFT_STATE_DIR")
    if not folder:
        print("croft: no cluster is up (CROFT_STATE_DIR), so its cost is not measured", flush=True)
        return {}
    return cost.measure(Path(folder), MINUTES * 60)


def main() -> None:
    """Measure, print, and write the report."""
    only = os.environ.get("ONLY")
    if only not in (None, *PARTS):
        raise SystemExit(f"croft: ONLY={only} is none of {', '.join(PARTS)}")
    numbers = report.last(ROOT / "docs")
    for name, measure in (("queries", part_queries), ("cost", part_cost)):
        if only in (None, name) and (found := measure()):
            numbers[name] = found
    print(report.tables(numbers))
    report.write(numbers, ROOT / "docs")
    for line in report.above(numbers):
        print(f"croft: look at {line}")


if __name__ == "__main__":
    main()
