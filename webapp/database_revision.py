"""Which revision the database has, and how that compares with the newest one of this version."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

log = logging.getLogger(__name__)


class RevisionError(Exception):
    """The database does not fit this version of the portal; the text says why and what to do."""


def newest_revision(folder: Path) -> str:
    """Return the newest migration in `folder`. Files are numbered, so no Alembic has to be loaded."""
    return max(path.stem.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))


@dataclass(frozen=True)
class Standing:
    """The database's revision beside this version's newest one; `found` is None for an empty database."""

    found: str | None
    newest: str

    @property
    def current(self) -> bool:
        """Whether the database is as this version needs it."""
        return self.found == self.newest

    @property
    def newer(self) -> bool:
        """Whether a newer version of the portal has migrated the database. Numbers only ever grow."""
        return self.found is not None and self.found > self.newest

    @property
    def trouble(self) -> str | None:
        """What is wrong and what to do, in a sentence; None when nothing is."""
        if self.current:
            return None
        if self.newer:
            return (
                f"the database is at revision {self.found}, newer than this version of the portal, which "
                f"knows revisions up to {self.newest}: start the version that migrated it, or restore the "
                "backup that was made before (docs/upgrades.md)"
            )
        if self.found is None:
            return "the database was never set up: run `python -m webapp.prepare`"
        return (
            f"the database is at revision {self.found}, older than {self.newest}, which this version needs: "
            "run `python -m webapp.prepare`"
        )


def standing(connection: Connection, home: Path) -> Standing:
    """Compare the database with the migrations below `home`.

    Raises RuntimeError when it holds several revisions, which no version of the portal has ever made.
    """
    newest = newest_revision(home / "migrations" / "versions")
    if not inspect(connection).has_table("alembic_version"):
        return Standing(None, newest)
    found = list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    if len(found) > 1:
        raise RuntimeError(f"the database holds several revisions at once: {', '.join(sorted(found))}")
    return Standing(found[0] if found else None, newest)


def wait_until_current(engine: Engine, home: Path, patience: float) -> None:
    """Return once the database is as this version needs it; another process brings it there.

    Raises RevisionError at once when the database is newer, and after `patience` seconds when it is older.
    """
    end = time.monotonic() + patience
    told = ""
    while True:
        with engine.connect() as connection:
            now = standing(connection, home)
        trouble = now.trouble
        if trouble is None:
            return
        if now.newer or time.monotonic() > end:
            raise RevisionError(trouble)
        if trouble != told:
            log.warning("waiting: %s", trouble)
            told = trouble
        time.sleep(1)
