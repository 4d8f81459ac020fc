"""Copies of a SQLite database, made while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

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
