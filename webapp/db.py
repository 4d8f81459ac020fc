"""The database: SQLAlchemy on SQLite or PostgreSQL, its column types, and writing transactions."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from sqlite3 import Connection as SQLiteConnection
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Engine, MetaData, Text, event
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator
from werkzeug.local import LocalProxy

from webapp.config import Config, ConfigurationError

BUSY_TIMEOUT_MS = 10_000
_WRITE = "croft_write"


class Base(DeclarativeBase):
    """Base of all tables. Constraints are named, so that migrations can find them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


def utcnow() -> datetime:
    """Return the present time in UTC, timezone-aware."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time: timezone-aware in Python, UTC in the database (SQLite keeps no time zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone (ValueError); store the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, timezone-aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedJSON(TypeDecorator[Any]):
    """A JSON value, encrypted with the portal's keys (Fernet; the first key encrypts, all decrypt)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encrypt the value; None stays NULL."""
        return None if value is None else _cipher().encrypt(json.dumps(value).encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Decrypt the value. Raises cryptography.fernet.InvalidToken when no key fits."""
        return None if value is None else json.loads(_cipher().decrypt(value.encode()))


def _cipher() -> MultiFernet:
    cipher = current_app.extensions.get("croft_cipher")
    if cipher is None:
        raise ConfigurationError("CROFT_ENCRYPTION_KEYS is not set, so nothing secret can be read or stored")
    return cipher


def database_address(url: str) -> str:
    """Return the URL as SQLAlchemy wants it: PostgreSQL gets the one driver that is installed."""
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def init_app(app: Flask, config: Config) -> None:
    """Attach the database and the encryption keys. Raises ConfigurationError for a bad key."""
    if config.encryption_keys:
        try:
            app.extensions["croft_cipher"] = MultiFernet([Fernet(key) for key in config.encryption_keys])
        except ValueError as error:
            raise ConfigurationError(
                "CROFT_ENCRYPTION_KEYS holds something that is no Fernet key: make one with `python -c 'from "
                "cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`"
            ) from error
    url = database_address(config.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    if url.startswith("postgresql"):
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 60}
    db.init_app(app)
    app.extensions["migrate"] = LocalProxy(lambda: load_migrations(app, config))


def load_migrations(app: Flask, config: Config) -> Any:
    """Load Flask-Migrate and its command `db`: Alembic takes 11 MB, and no request needs it."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(config.home / "migrations"))
    return app.extensions["migrate"]


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, SQLiteConnection):
        return
    # SQLAlchemy sends BEGIN itself (see below); the driver would send it too late, after the first reads.
    connection.isolation_level = None
    # The driver's own waiting comes first: switching to WAL needs a lock as well.
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writing = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing() -> Iterator[Session]:
    """Run a block in one transaction that reads and then writes; commit at its end or roll back.

    SQLite takes its write lock at the start (BEGIN IMMEDIATE): a transaction that has read first and then
    wants to write fails at once when another one has written meanwhile. Objects read before are read again,
    so that decisions rest on what the lock protects; on PostgreSQL lock the rows that matter with
    `with_for_update()`.
    """
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("a writing transaction must begin before anything is changed")
    session.rollback()
    session.connection(execution_options={_WRITE: True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
