"""`make bench-portal`: how long a well filled portal takes to answer, on SQLite and on PostgreSQL.

Prints tables and writes docs/benchmarks-portal.json and docs/benchmarks-portal.md. ROUNDS (6) and EACH (10)
say how often each request is sent. ONLY=sqlite or ONLY=postgresql measures one database, MATCH=jobs the
addresses that hold this alone; both write nothing.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bench import portal_data, portal_report, web
from tests.bench.apiserver import PROJECTS
from tests.bench.requests import Row, Visitor, measure, rows_of

ROUNDS, EACH = int(os.environ.get("ROUNDS", "6")), int(os.environ.get("EACH", "10"))
MATCH = os.environ.get("MATCH", "")
DATABASES = ("sqlite", "postgresql")


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
        environment = web.settings(folder, url, api_port, web.free_port())
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
            return {
                "rows": rows,
                "left_out": sorted({row for row in found if isinstance(row, str)}),
                "counts": counts,
                "memory_mb": (before, process.memory_mb()),
            }


def main() -> None:
    """Measure, print, and write the report."""
    kinds = [os.environ["ONLY"]] if "ONLY" in os.environ else list(DATABASES)
    with tempfile.TemporaryDirectory() as name, web.stand_in() as api_port:
        # PostgreSQL runs as another user, who must be able to look into the folder.
        os.chmod(name, 0o755)  # noqa: S103
        found = {kind: answers(kind, Path(name, kind), api_port) for kind in kinds}
    numbers = portal_report.numbers_of(found)
    print(portal_report.tables(numbers))
    if len(kinds) == len(DATABASES) and not MATCH:
        how = f"Each request was sent {ROUNDS * EACH} times, one after another, in {ROUNDS} turns over all."
        portal_report.write(numbers, web.ROOT / "docs", how)
    for line in (*portal_report.slow(numbers), *numbers["refused"]):
        print(f"croft: look at {line}")


if __name__ == "__main__":
    main()
