"""How many connections that stay open this process takes: each holds one of the server's threads.

Job events, changes, logs and shells share the places, so that pages are always served beside them.
"""

import threading

from webapp.problems import Problem

# webapp/gunicorn.conf.py has more threads than this; the rest serve pages and the API.
MOST = 256


class Slots:
    """Counts open connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Number of open connections."""
        return self._taken

    def take(self) -> bool:
        """Take a place; False when none is free. Every True needs a `give_back`."""
        with self._lock:
            if self._taken >= MOST:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Free a place."""
        with self._lock:
            self._taken -= 1


slots = Slots()


def full() -> Problem:
    """Return the problem for a connection that found no place."""
    return Problem(
        "too-many-streams",
        f"{MOST} live connections are open, which is the most; try again in a minute.",
        headers={"Retry-After": "60"},
    )
