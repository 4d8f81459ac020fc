"""Bring the database to the newest revision and make the first administrator, before web and worker start.

Runs as the portal's init container. Reads the administrator's password from the file that
CROFT_ADMIN_PASSWORD_FILE names, and the name from the one that CROFT_ADMIN_NAME_FILE names
("admin" without it). An administrator that exists already is left alone.

A database that a newer version has migrated is left as it is, and the portal does not start on it. Before
anything is migrated, SQLite's file is copied beside itself; PostgreSQL cannot be copied from here, so an
operator may require (CROFT_DATABASE_BACKUP) that a backup is named first.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import Connection, Engine, text

from webapp import backup
from webapp.app import create_app
from webapp.auth import services as auth
from webapp.config import Config
from webapp.database_revision import Standing, standing
from webapp.db import db

# Any number that nobody else locks in the portal's own database.
LOCK = 0x43726F6674
# Seconds to wait for another replica that prepares the same database.
PATIENCE = 600


class RefusedError(Exception):
    """The portal must not start on this database; the text says why and what to do."""


def main() -> None:
    """Upgrade, then make the administrator. Exits with a sentence when that cannot be."""
    source = os.environ.get("CROFT_ADMIN_PASSWORD_FILE")
    if not source:
        sys.exit(
            "CROFT_ADMIN_PASSWORD_FILE is not set: name the file with the first administrator's password"
        )
    name_source = os.environ.get("CROFT_ADMIN_NAME_FILE")
    app = create_app()
    with app.app_context():
        try:
            with _alone(db.engine) as connection:
                migrate(connection, app.config["CROFT"])
                name = Path(name_source).read_text().strip() if name_source else "admin"
                if auth.find_user(name) is None:
                    auth.create_user(name, Path(source).read_text().strip(), is_admin=True)
                    db.session.commit()
                    _say(f"made the administrator '{name}'")
        except (RefusedError, backup.BackupError) as error:
            sys.exit(f"croft: the portal does not start: {error}")


def migrate(connection: Connection, config: Config) -> None:
    """Bring the database to the newest revision, after a backup when it holds anything.

    Raises RefusedError when it is newer than this version, or when a backup is required and none is named;
    BackupError when it cannot be copied. Nothing is changed then.
    """
    now = standing(connection, config.home)
    connection.rollback()
    if now.newer:
        raise RefusedError(now.trouble)
    if now.current:
        return
    if now.found is not None:
        _back_up(connection.engine, now, config)
    _say(f"migrates the database from revision {now.found or 'none'} to {now.newest}")
    upgrade(directory=str(config.home / "migrations"))


def _back_up(engine: Engine, now: Standing, config: Config) -> None:
    if engine.dialect.name == "sqlite":
        file = engine.url.database
        if file and file != ":memory:":
            _say(f"copied the database to {backup.before(Path(file), now.newest)}")
        return
    if config.database_backup == now.found:
        _say(f"goes on, for the operator has a backup of the database at revision {now.found}")
        return
    if config.database_backup == "optional":
        _say(
            f"WARNING: the database on {engine.dialect.name} is NOT backed up from here; the only backup is "
            "the one that its operator makes (docs/upgrades.md)"
        )
        return
    raise RefusedError(
        f"the database would be migrated from revision {now.found} to {now.newest}, and a backup is required "
        f'before that: make one with pg_dump, then set portal_database_backup to "{now.found}", the revision '
        "that the backup holds (docs/upgrades.md)"
    )


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Give a connection; on PostgreSQL, only one of several replicas has it, and the others wait.

    They ask again and again instead of waiting in the database: a statement that waits there is a
    transaction that some changes of tables would wait for in turn.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            end = time.monotonic() + PATIENCE
            while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
                connection.rollback()
                if time.monotonic() > end:
                    raise RefusedError(
                        f"another replica has been preparing the database for more than {PATIENCE} seconds"
                    )
                time.sleep(0.5)
            connection.rollback()
        yield connection


def _say(sentence: str) -> None:
    print(f"croft: {sentence}", flush=True)


if __name__ == "__main__":
    main()
