"""Rehearse an upgrade of the portal's database on a copy; the original is only read.

`DB=<file or URL> python -m webapp.upgrade_check` (make upgrade-check DB=…). The address comes through the
environment, because it may hold a password. SQLite is copied into a temporary folder, PostgreSQL with pg_dump
into a temporary database on the same server. Prints what each revision took and the rows of every table
before and after. Exits with 1 and a sentence when the upgrade would fail.
"""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from psycopg import pq
from sqlalchemy import URL, Engine, create_engine, func, inspect, make_url, select, table, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from webapp import backup
from webapp.config import HOME
from webapp.database_revision import Standing, standing
from webapp.db import database_address


class CheckError(Exception):
    """The upgrade cannot be rehearsed, or would fail; the text says why."""


def main() -> None:
    """Rehearse on the database that DB names."""
    address = os.environ.get("DB") or os.environ.get("CROFT_DATABASE_URL")
    if not address:
        sys.exit("DB is not set: make upgrade-check DB=<SQLite file, or postgresql://…>")
    try:
        rehearse(address)
    except (CheckError, backup.BackupError) as error:
        sys.exit(f"upgrade-check: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"upgrade-check: the upgrade would fail: {getattr(error, 'orig', None) or error}")


def rehearse(address: str) -> None:
    """Copy the database at `address` (a file or URL), upgrade the copy, print the tables.

    Raises CheckError, BackupError, or SQLAlchemyError when a revision fails.
    """
    with _copy(address) as engine:
        with engine.connect() as connection:
            now = standing(connection, HOME)
        if now.newer:
            raise CheckError(str(now.trouble))
        if now.found is None:
            raise CheckError(f"{_shown(address)} is no database of the portal: it has no revision")
        if now.current:
            print(f"The database is at revision {now.newest} already; there is nothing to migrate.")
            return
        rows = _rows(engine)
        _print_table(("revision", "seconds"), _upgrade(engine, now))
        after = _rows(engine)
        names = sorted(rows.keys() | after.keys())
        print()
        _print_table(
            ("table", "rows before", "rows after"),
            [(name, str(rows.get(name, "-")), str(after.get(name, "-"))) for name in names],
        )
        print(f"\nThe upgrade from {now.found} to {now.newest} works on a copy; the original is untouched.")


def _upgrade(engine: Engine, now: Standing) -> list[tuple[str, str]]:
    config = AlembicConfig(HOME / "migrations" / "alembic.ini")
    config.set_main_option("script_location", str(HOME / "migrations"))
    config.attributes.update(configure_logger=False, connection=engine)
    taken = []
    for number in range(int(now.found or 0) + 1, int(now.newest) + 1):
        start = time.monotonic()
        try:
            command.upgrade(config, f"{number:04d}")
        except (CommandError, RuntimeError) as error:
            raise CheckError(f"the upgrade would fail at revision {number:04d}: {error}") from error
        taken.append((f"{number:04d}", f"{time.monotonic() - start:.2f}"))
    return taken


def _rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        return {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}


@contextmanager
def _copy(address: str) -> Iterator[Engine]:
    try:
        url = (
            make_url(database_address(address))
            if "://" in address
            else URL.create("sqlite", database=address)
        )
    except ArgumentError as error:
        raise CheckError("DB is neither a file nor a URL like postgresql://user@host/croft") from error
    with tempfile.TemporaryDirectory(prefix="croft-upgrade-check-") as folder:
        if url.drivername.startswith("postgresql"):
            with _postgresql_copy(url, Path(folder)) as copied:
                yield from _engine(copied)
        else:
            source = Path(url.database or "")
            if not source.is_file():
                raise CheckError(f"there is no file {source}")
            target = Path(folder) / "portal.db"
            backup.copy(source, target)
            yield from _engine(URL.create("sqlite", database=str(target)))


def _engine(url: URL) -> Iterator[Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _postgresql_copy(url: URL, folder: Path) -> Iterator[URL]:
    """Copy the database into a new one on the same server, which is dropped at the end."""
    name = f"croft_upgrade_check_{uuid.uuid4().hex[:8]}"
    # Not within a transaction: databases are made and dropped outside of one.
    maintenance = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with maintenance.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            dump = folder / "dump.sql"
            _run(url, "pg_dump", "--no-owner", "--no-privileges", "--file", str(dump))
            copied = url.set(database=name)
            _run(copied, "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
                 "--file", str(dump))  # fmt: skip
            yield copied
        finally:
            with maintenance.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        maintenance.dispose()


def _run(url: URL, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools; the address travels in the environment, not on the command line."""
    try:
        done = subprocess.run(
            [program, "--no-password", *arguments],
            env={**os.environ, **libpq_environment(url)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CheckError(
            f"{program} is missing: install PostgreSQL's client tools (Debian's package postgresql-client), "
            "of the server's version or newer"
        ) from error
    if done.returncode:
        raise CheckError(f"{program} failed: {done.stderr.strip()[-1000:]}")


def libpq_environment(url: URL) -> dict[str, str]:
    """Return the address as the environment variables that libpq reads (PGHOST, PGPASSWORD, …)."""
    given = url.get_dialect()().create_connect_args(url)[1]
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar
    }
    return {variables[key]: str(value) for key, value in given.items() if key in variables}


def _print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = (cell.ljust(width) if not i else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        print("  ".join(cells).rstrip())


def _shown(address: str) -> str:
    return make_url(address).render_as_string() if "://" in address else address


if __name__ == "__main__":
    main()
