"""Wakes open streams when something of theirs has changed, in the database or in the cluster.

One thread per process asks the database, and one per kind follows the cluster, for all streams together and
only while there are any.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from webapp.cluster.events import about
from webapp.cluster.state import ClusterReader, ClusterUnreachable
from webapp.cluster.watch import WATCHED, Change
from webapp.live.signature import read_signatures

log = logging.getLogger(__name__)

DATABASE_INTERVAL = 0.3
# Seconds until the cluster is asked again after it did not answer.
CLUSTER_PAUSE = 2.0


@dataclass(eq=False)
class Watch:
    """What one stream wants to know of. `project` None: the jobs of all `projects` (None: of everybody's).

    `kinds`: those of webapp.cluster.watch.WATCHED, and "database".
    """

    wake: Callable[[], None]
    kinds: frozenset[str]
    project: str | None = None
    application: str | None = None
    projects: frozenset[str] | None = None
    seen: dict[str, object] = field(default_factory=dict)

    def concerns(self, change: Change) -> bool:
        """Tell whether the change is about this watch's project or application."""
        if change.kind not in self.kinds or change.project != self.project:
            return False
        if self.application is None or change.application == self.application:
            return True
        return change.kind == "events" and about(change.name, self.application)


class Board:
    """The open watches of a process, and the threads that serve them."""

    def __init__(self, engine: Engine, reader: Callable[[], ClusterReader]) -> None:
        self._engine, self._reader = engine, reader
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._running: set[str] = set()

    def enter(self, watch: Watch) -> None:
        """Begin to wake a watch; needs a `leave`."""
        with self._lock:
            self._watches.add(watch)
            for kind in watch.kinds - self._running:
                self._running.add(kind)
                target = self._follow_database if kind == "database" else self._follow_cluster
                threading.Thread(target=target, args=(kind,), name=f"watch-{kind}", daemon=True).start()

    def leave(self, watch: Watch) -> None:
        """End a watch."""
        with self._lock:
            self._watches.discard(watch)

    def _of_kind(self, kind: str) -> list[Watch]:
        """Return who watches the kind; nobody ends its thread."""
        with self._lock:
            found = [watch for watch in self._watches if kind in watch.kinds]
            if not found:
                self._running.discard(kind)
            return found

    def _follow_cluster(self, kind: str) -> None:
        reader = self._reader()
        while watches := self._of_kind(kind):
            try:
                self._hand_on(kind, reader)
                return
            except ClusterUnreachable as error:
                log.warning("changes of %s are not seen: %s", kind, error)
            # What happened meanwhile is unknown: everybody looks once.
            for watch in watches:
                watch.wake()
            time.sleep(CLUSTER_PAUSE)

    def _hand_on(self, kind: str, reader: ClusterReader) -> None:
        """Wake watches until nobody watches the kind any more."""
        begun = False
        for change in reader.changes(kind):
            if change is None:
                watches = self._of_kind(kind)
                if not watches:
                    return
                # What came between the page and this moment has been seen by nobody.
                for watch in () if begun else watches:
                    watch.wake()
                begun = True
                continue
            with self._lock:
                concerned = [watch for watch in self._watches if watch.concerns(change)]
            for watch in concerned:
                watch.wake()

    def _follow_database(self, kind: str) -> None:
        while watches := self._of_kind(kind):
            try:
                signatures = read_signatures(self._engine, watches)
            except DBAPIError as error:
                log.warning("changes of the database are not seen: %s", str(error.orig).strip())
            else:
                for watch in watches:
                    now = signatures.of(watch.project, watch.application, watch.projects)
                    # The first look wakes too: what came between the page and it has been seen by nobody.
                    if watch.seen.get("database") != now:
                        watch.seen["database"] = now
                        watch.wake()
            time.sleep(DATABASE_INTERVAL)


def kinds_of_cluster() -> frozenset[str]:
    """Return every kind that is followed in the cluster."""
    return frozenset(WATCHED)
