"""`make bench-portal`: how long a well filled portal takes to answer, on SQLite and on PostgreSQL.

Prints tables and writes docs/benchmarks-portal.json and docs/benchmarks-portal.md. ROUNDS (6) and EACH (10)
say how often each request is sent. ONLY=jobs measures the worker alone and keeps the other numbers of the
last run. ONLY=sqlite or ONLY=postgresql measures one database, MATCH=jobs the addresses that hold this alone;
these two write nothing.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bench import jobs, logs, portal_data, portal_report, streams, web
from tests.bench.apiserver import PROJECTS, application_name, project_name
from tests.bench.requests import Row, Visitor, measure, rows_of
from tests.ports import free_port

ROUNDS, EACH = int(os.environ.get("ROUNDS", "6")), int(os.environ.get("EACH", "10"))
MATCH = os.environ.get("MATCH", "")
DATABASES = ("sqlite", "postgresql")
DOCS = web.ROOT / "docs"


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'portal.db'}"
    else:
        with postgres.server() as url:
            yield url


def answers(kind: str, folder: Path, api_port: int) -> dict[str, Any]:
    """Fill a portal on a database of this kind and measure all that it answers."""
    folder.mkdir()
    with database(kind, folder) as url:
        environment = web.settings(folder, url, api_port, free_port())
        app = web.prepare(environment)
        start = time.monotonic()
        counts = portal_data.populate(app)
        print(f"croft: {kind}: filled in {time.monotonic() - start:.0f} s: {counts}", flush=True)
        with web.serve(environment, folder / "web.log") as process:
            member = Visitor(process, portal_data.MEMBER, [n for n in range(PROJECTS) if n % 20 < 2])
            administrator = Visitor(process, portal_data.ADMINISTRATOR, list(range(0, PROJECTS, 7)))
            before = process.memory_mb()
            found = [row for visitor in (member, administrator) for row in rows_of(app, visitor)]
            rows = [row for row in found if isinstance(row, Row) and MATCH in row.name]
            measure(process, rows, ROUNDS, EACH)
            others = beside(process) if kind == "sqlite" and not MATCH else {}
            return {
                "rows": rows,
                "others": others,
                "left_out": sorted({row for row in found if isinstance(row, str)}),
                "counts": counts,
                "memory_mb": (before, process.memory_mb()),
            }


def beside(process: web.Web) -> dict[str, float]:
    """Measure what stays open: streams of events, and a long log."""
    names = [project_name(number) for number in range(PROJECTS) if number % 20 < 2]
    cookie = streams.sign_in(process.url, portal_data.MEMBER, portal_data.PASSWORD)
    log = f"/projects/{names[0]}/applications/{application_name(0)}/logs/stream"
    found = logs.measure(process, cookie, log)
    paths = [f"/projects/{name}/changes" for name in names]
    return found | streams.measure(process, cookie, paths, f"/projects/{names[0]}")


def jobs_of_cluster() -> AbstractContextManager[dict[str, float]]:
    """Measure the worker on the cluster whose state folder CROFT_STATE_DIR names; nothing without one.

    The cluster is tidied up when the numbers have been used. Raises jobs.TidyingError then.
    """
    folder = os.environ.get("CROFT_STATE_DIR")
    if not folder or MATCH:
        print("croft: no cluster is up (CROFT_STATE_DIR), so the worker is not measured", flush=True)
        return nullcontext({})
    return jobs.measured(Path(folder))


def tell(numbers: portal_report.Numbers, kinds: list[str]) -> None:
    """Print what was measured beside the requests, write the report, and print what is above an aim."""
    print("\n".join(portal_report.singles(numbers)))
    if len(kinds) == len(DATABASES) and not MATCH:
        portal_report.write(numbers, DOCS)
    for line in (*portal_report.missed(numbers), *numbers["refused"]):
        print(f"croft: look at {line}", flush=True)


def main() -> None:
    """Measure, print, and write the report. Exits with a sentence when the cluster could not be tidied up."""
    only = os.environ.get("ONLY")
    if only not in (None, "jobs", *DATABASES):
        sys.exit(f"croft: ONLY={only} is none of jobs, {', '.join(DATABASES)}")
    if only == "jobs" and not os.environ.get("CROFT_STATE_DIR"):
        # Or else the last run's numbers would be written again, with the date of today.
        sys.exit("croft: ONLY=jobs measures on a cluster, and none is up (CROFT_STATE_DIR)")
    kinds = list(DATABASES) if only in (None, "jobs") else [only]
    numbers = portal_report.last(DOCS) if only == "jobs" else requests_of(kinds)
    try:
        with jobs_of_cluster() as of_jobs:
            tell(numbers | of_jobs, kinds)
    except jobs.TidyingError as error:
        sys.exit(f"croft: everything is measured and told, but the cluster is not tidied up: {error}")


def requests_of(kinds: list[str]) -> portal_report.Numbers:
    """Measure and print what the portal answers on these databases."""
    with tempfile.TemporaryDirectory() as name, web.stand_in() as api_port:
        # PostgreSQL runs as another user, who must be able to look into the folder.
        os.chmod(name, 0o755)  # noqa: S103
        found = {kind: answers(kind, Path(name, kind), api_port) for kind in kinds}
    how = f"Each request was sent {ROUNDS * EACH} times, one after another, in {ROUNDS} turns over all."
    numbers = portal_report.numbers_of(found) | {"how": how}
    # Told before the cluster is asked for anything, which may fail.
    print(portal_report.tables(numbers), flush=True)
    return numbers


if __name__ == "__main__":
    main()
