"""How the worker learns at once, and nearly for free, that there may be something in the queue for it."""

import logging
import sqlite3
import time
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from webapp.jobs.events import CHANNEL

log = logging.getLogger(__name__)


class Wakeup(Protocol):
    """Tells whether the database may have changed since the last question."""

    @property
    def interval(self) -> float:
        """Seconds after which to ask again; a change is noticed so late at most."""

    def fileno(self) -> int | None:
        """Return a descriptor that becomes readable on news, None when there is none."""

    def changed(self) -> bool:
        """Whether there may be news since the last call."""

    def close(self) -> None:
        """Give back what is held."""


class SqliteWakeup:
    """Asks the database file's version, which changes with every commit of another connection.

    It costs some microseconds and no lock (https://www.sqlite.org/pragma.html#pragma_data_version), so that
    asking ten times a second is no load.
    """

    interval = 0.1

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._seen = -1

    def fileno(self) -> int | None:
        """Files have nothing to wait for."""
        return None

    def changed(self) -> bool:
        """Whether another connection has committed since the last call; true the first time."""
        seen = self._connection.execute("PRAGMA data_version").fetchone()[0]
        changed = seen != self._seen
        self._seen = seen
        return changed

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class PostgresWakeup:
    """Listens on the channel that services notify.

    Every few seconds it says "changed" unasked, in case a notification was lost; every second while it
    cannot listen (a connection pooler in transaction mode does not pass notifications on).
    """

    _RETRY = 5.0

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._listener: Any = None
        self._retry_at = 0.0
        self._ask_at = 0.0
        self._listen()

    @property
    def interval(self) -> float:
        """How long a job may wait when its notification was lost."""
        return 1.0 if self._listener is None else 5.0

    def fileno(self) -> int | None:
        """Return the connection's socket, None while there is no connection."""
        return None if self._listener is None else self._listener.fileno()

    def changed(self) -> bool:
        """Whether a notification has come, or it is time to look without one."""
        news = time.monotonic() >= self._ask_at
        if self._listener is None:
            self._listen()
        else:
            try:
                news = bool(list(self._listener.notifies(timeout=0))) or news
            except self._engine.dialect.loaded_dbapi.Error as error:
                log.warning("no more notifications from the database, asking instead: %s", error)
                self.close()
        if news:
            self._ask_at = time.monotonic() + self.interval
        return news

    def _listen(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        self._retry_at = time.monotonic() + self._RETRY
        try:
            connection = self._engine.connect()
            connection.detach()
            listener: Any = connection.connection.dbapi_connection
            listener.rollback()
            listener.autocommit = True
            listener.cursor().execute(f"LISTEN {CHANNEL}")
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error) as error:
            log.warning("cannot listen to the database, asking instead: %s", error)
            return
        self._connection, self._listener = connection, listener

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._listener = None


def wakeup_for(engine: Engine) -> Wakeup:
    """Return what fits the database. Raises ValueError for an SQLite database in memory, which no worker
    can share.
    """
    if engine.dialect.name == "postgresql":
        return PostgresWakeup(engine)
    if not engine.url.database or engine.url.database == ":memory:":
        raise ValueError(
            "the worker needs a database that it shares with the web process: a file, or PostgreSQL"
        )
    return SqliteWakeup(engine.url.database)
