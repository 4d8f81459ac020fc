"""Copies of a SQLite database, made while it is in use, and the way back.

`python -m webapp.backup` lists the copies beside the portal's database, `… copy NAME` makes one more (never
removed by the portal), `… restore NAME` puts one in the database's place.
"""

import argparse
import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from webapp.config import ConfigurationError, load_config

KEPT = 3


class BackupError(Exception):
    """The copy could not be made; the text says why."""


def copy(source: Path, target: Path) -> None:
    """Write what `source` holds now to `target`, through SQLite's backup API.

    The copy is whole even while others write, and what the write-ahead log holds is in it. It appears under
    its name only once it is complete and sound; nobody but its owner may read it. Raises BackupError.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(partial)) as made,
        ):
            original.backup(made)
            # A copy of a database in WAL mode would leave -wal and -shm files beside itself when it is read.
            made.execute("PRAGMA journal_mode=DELETE")
            found = made.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise BackupError(f"{source} is damaged: {found}")
        os.replace(partial, target)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def before(source: Path, revision: str) -> Path:
    """Copy a database to `<file>.before-<revision>` beside it, keep the newest three such copies.

    Returns the copy's path. Raises BackupError.
    """
    target = source.with_name(f"{source.name}.before-{revision}")
    copy(source, target)
    made = sorted(source.parent.glob(f"{source.name}.before-[0-9]*"), key=lambda path: path.stat().st_mtime)
    for old in made[:-KEPT]:
        old.unlink()
    return target


def restore(source: Path, target: Path) -> None:
    """Put what `source` holds in place of what `target` holds, in one transaction.

    Whoever has `target` open reads the old or the new contents, nothing between. Raises BackupError.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(f"{target.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as made,
        ):
            found = original.execute("PRAGMA quick_check").fetchone()[0]
            if found != "ok":
                raise BackupError(f"{source} is damaged: {found}")
            original.backup(made)
            made.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be restored to {target}: {error}") from error


def copies(file: Path) -> list[Path]:
    """Return the copies beside a database, newest first."""
    found = (path for path in file.parent.glob(f"{file.name}.*") if path.suffix not in (".partial",))
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def main() -> None:
    """List, copy or restore. Exits with a sentence when that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m webapp.backup", description=__doc__)
    parser.add_argument("action", nargs="?", choices=("list", "copy", "restore"), default="list")
    parser.add_argument(
        "name", nargs="?", default="", help="what follows the database's name, like before-0005"
    )
    arguments = parser.parse_args()
    try:
        url = make_url(load_config(complete=False).database_url)
        if not url.drivername.startswith("sqlite"):
            sys.exit("croft: the database is PostgreSQL: use pg_dump and pg_restore (docs/upgrades.md)")
        file = Path(url.database or "")
        if arguments.action == "list":
            for path in copies(file):
                made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                name = path.name.removeprefix(f"{file.name}.")
                print(f"{name:20} {made:%Y-%m-%d %H:%M} {path.stat().st_size} bytes")
            return
        if not arguments.name or "/" in arguments.name:
            sys.exit("croft: name the copy, like before-0005")
        beside = file.with_name(f"{file.name}.{arguments.name}")
        if arguments.action == "copy":
            copy(file, beside)
        else:
            restore(beside, file)
        print(f"croft: {arguments.action} of {file}: {beside}")
    except (BackupError, ConfigurationError) as error:
        sys.exit(f"croft: {error}")


if __name__ == "__main__":
    main()
