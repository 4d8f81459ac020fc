"""The tables of `make bench-portal`, for the terminal and for docs/benchmarks-portal.json and .md."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench.report import machine

Numbers: TypeAlias = dict[str, Any]
NAME = "benchmarks-portal.json"
AIM_MS = 100
# The worker is to be so many times as quick as its playbooks run by hand, one after another.
AIM_RATIO = 2
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# What the other measurements tell: (title, key, unit, aim).
SINGLES = (
    (
        "{streams:.0f} open event streams: memory added to the web process",
        "streams_added_mb",
        "MB",
        "under 100",
    ),
    ("a project's page beside them, median", "streams_page_median_ms", "ms", ""),
    ("{log_lines:,.0f} lines of a log through a page's stream", "log_lines_s", "s", ""),
    ("the same: memory added to the web process", "log_lines_added_mb", "MB", "does not grow"),
    ("{jobs:.0f} jobs over {job_projects:.0f} projects, by a worker with 2 slots", "jobs_portal_s", "s", ""),
    ("the same playbooks by hand, one after another", "jobs_by_hand_s", "s", ""),
    ("by hand ÷ by the worker", "jobs_ratio", "×", f"at least {AIM_RATIO}"),
    ("jobs that began before the one before them in their project had ended", "jobs_out_of_order", "", "0"),
)


def numbers_of(found: dict[str, dict[str, Any]]) -> Numbers:
    """Return what was measured as plain numbers: by request and user, then by database."""
    requests: dict[tuple[str, str], Any] = {}
    for kind, result in found.items():
        for row in result["rows"]:
            if not row.problem:
                entry = requests.setdefault((row.name, row.user), {"request": row.name, "user": row.user})
                entry[kind] = {key: round(value, 1) for key, value in row.numbers().items()}
    first = next(iter(found.values()))
    others = {key: round(value, 2) for result in found.values() for key, value in result["others"].items()}
    return {
        **others,
        "counts": first["counts"],
        "requests": list(requests.values()),
        "refused": sorted(
            {f"{row.name} ({row.problem}, {row.user})" for row in first["rows"] if row.problem}
        ),
        "left_out": first["left_out"],
        "memory_mb": {kind: [round(part) for part in result["memory_mb"]] for kind, result in found.items()},
    }


def missed(numbers: Numbers) -> list[str]:
    """Return what misses its aim: requests by their 95th percentile, and the worker."""
    found = [
        f"{row['request']} as {row['user']} on {TITLES[kind]}: {row[kind]['p95_ms']:.0f} ms"
        for row in numbers["requests"]
        for kind in TITLES
        if kind in row and row[kind]["p95_ms"] > AIM_MS
    ]
    if numbers.get("jobs_ratio", AIM_RATIO) < AIM_RATIO:
        found.append(f"the worker: only {numbers['jobs_ratio']:.1f} times as quick as by hand")
    if count := numbers.get("jobs_out_of_order"):
        found.append(f"the order of jobs: {count} began too early")
    return found


def tables(numbers: Numbers) -> str:
    """Return the tables of requests as Markdown: pages, and answers of the API."""
    pages = [row for row in numbers["requests"] if not row["request"].startswith("/api/")]
    api = [row for row in numbers["requests"] if row["request"].startswith("/api/")]
    return "\n".join(("## Pages", "", _table(pages), "", "## Answers of the API", "", _table(api)))


def singles(numbers: Numbers) -> list[str]:
    """Return the lines of the table of all that is no request; says so when the worker was not measured."""
    rest = [
        f"| {title.format(**numbers)} | {_amount(numbers[key], unit)} | {aim} |"
        for title, key, unit, aim in SINGLES
        if key in numbers
    ]
    head = ("## Streams and jobs", "", "| | measured | aim |", "| --- | ---: | ---: |") if rest else ()
    left_out = () if "jobs_ratio" in numbers else ("", "The worker was not measured: no cluster was up.")
    return [*head, *rest, *left_out]


def _amount(number: float, unit: str) -> str:
    return f"{number:.{0 if number >= 10 or not unit else 1}f} {unit}".strip()


def _table(rows: list[dict[str, Any]]) -> str:
    kinds = [kind for kind in TITLES if any(kind in row for row in rows)]
    head = "".join(f" {TITLES[kind]}: p50 | p95 | max | CPU |" for kind in kinds)
    lines = [f"| in ms | as |{head}", "| --- | --- |" + " ---: | ---: | ---: | ---: |" * len(kinds)]
    for row in rows:
        cells = "".join(_cells(row[kind]) if kind in row else " – | – | – | – |" for kind in kinds)
        lines.append(f"| `{row['request']}` | {row['user']} |{cells}")
    return "\n".join(lines)


def _cells(found: dict[str, float]) -> str:
    return f" {found['p50_ms']:.0f} | {found['p95_ms']:.0f} | {found['max_ms']:.0f} | {found['cpu_ms']:.0f} |"


def last(docs: Path) -> Numbers:
    """Return the numbers of the last run. Raises FileNotFoundError when there was none."""
    found: Numbers = json.loads((docs / NAME).read_text())
    return found


def write(numbers: Numbers, docs: Path) -> None:
    """Write benchmarks-portal.json and benchmarks-portal.md below `docs`."""
    target = docs / NAME
    target.write_text(json.dumps(numbers, indent=1) + "\n")
    counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in numbers["counts"].items())
    memory = ", ".join(
        f"{TITLES[kind]} {before} MB at first and {after} MB after all requests"
        for kind, (before, after) in numbers["memory_mb"].items()
    )
    over = missed(numbers)
    verdict = (
        f"Aims that were missed: {'; '.join(over)}."
        if over
        else f"No aim was missed; that of requests is a 95th percentile of {AIM_MS} ms."
    )
    rest = "\n".join(singles(numbers))
    text = f"""# Benchmarks of the portal

Made by `make bench-portal` on {datetime.now(UTC):%Y-%m-%d}: {machine()}. One web process (gunicorn, as in the
container) on a database with {counts}. What pages read live comes from a stand-in for the Kubernetes API: a
small HTTP server of its own (`tests/bench/apiserver.py`) with five applications of two pods in every project.
{numbers["how"]}
The member `ada` sees 100 of the projects, the administrator `root` all. CPU is the web process's own
time for one answer, which other work on the machine hardly changes.

{verdict} Resident memory of the web process: {memory}.

{tables(numbers)}

{rest}

The numbers as JSON: [benchmarks-portal.json](benchmarks-portal.json).
"""
    (docs / "benchmarks-portal.md").write_text(text)
