"""How Alembic runs the portal's migrations.

SQLite changes a table by building a new one, moving the rows and dropping the old one ("batch mode"). With
foreign keys enforced, dropping the old table deletes the rows that refer to it (ON DELETE CASCADE): so
enforcement is off while migrations run, and every reference is checked before the result is committed.

PostgreSQL commits each revision by itself, so that locks are short while the old version still serves, and
waits for no lock longer than LOCK_TIMEOUT: a revision that cannot have its lock fails, and the next attempt
goes on from there.
"""

from logging.config import fileConfig
from pathlib import Path
from typing import Any

from alembic import context
from flask import current_app, has_app_context
from sqlalchemy import Connection, Engine, text

from webapp import models
from webapp.db import Base

LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "10min"

config = context.config
if config.config_file_name is not None and config.attributes.get("configure_logger", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def engine() -> Engine:
    """Return the application's engine, or the one that a test hands over."""
    given: Any = config.attributes.get("connection")
    if given is not None:
        return given
    if not has_app_context():
        raise RuntimeError("run migrations with `flask --app webapp.wsgi db …`")
    return current_app.extensions["migrate"].db.engine


def number_revision(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Number new revisions (0002, 0003, …), and write none when nothing has changed."""
    if not directives:
        return
    script = directives[0]
    if (
        config.cmd_opts is not None
        and getattr(config.cmd_opts, "autogenerate", False)
        and script.upgrade_ops.is_empty()
    ):
        directives.clear()
        return
    numbers = [int(path.name[:4]) for path in (Path(__file__).parent / "versions").glob("[0-9]*_*.py")]
    script.rev_id = f"{max(numbers, default=0) + 1:04d}"


def migrate(connection: Connection) -> None:
    """Run the migrations that were asked for on an open connection; SQLite's in one transaction."""
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        # Alembic takes SQLite for unable to; with BEGIN sent by us (webapp/db.py) it rolls back tables as
        # well.
        transactional_ddl=True,
        transaction_per_migration=not sqlite,
        compare_type=True,
        compare_server_default=True,
        process_revision_directives=number_revision,
    )
    with context.begin_transaction():
        context.run_migrations()
        if sqlite:
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"the migration would leave rows that refer to nothing: {broken[:10]}")


def main() -> None:
    """Run the migrations; offline mode (SQL on paper) is not offered, SQLite could not be migrated by it."""
    if context.is_offline_mode():
        raise RuntimeError("migrations need a database: run them without --sql")
    with engine().connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # The pragma does nothing inside a transaction, so it is set on the driver's own connection.
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.close()
        else:
            connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
            connection.commit()
        try:
            migrate(connection)
        finally:
            connection.rollback()
            if sqlite:
                cursor = connection.connection.cursor()
                cursor.execute("PRAGMA foreign_keys=ON")
                cursor.close()
            else:
                connection.exec_driver_sql("RESET lock_timeout")
                connection.exec_driver_sql("RESET statement_timeout")
                connection.commit()


__all__ = ["models"]
main()
