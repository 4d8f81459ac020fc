"""How many questions to Prometheus run at once: each holds one of the server's threads for up to two seconds.

Nobody waits for a place, as waiting would hold a thread as well; static/monitoring asks again after a moment.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from webapp.problems import Problem

# webapp/gunicorn.conf.py has 64 threads beside those of open streams; some have to be left for pages.
MOST = 40
MOST_EACH = 8


class Places:
    """Counts the questions that are being answered, by user."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    @contextmanager
    def taken(self, user_id: int) -> Iterator[None]:
        """Hold one of the user's places. Raises Problem too-many-queries when there is none."""
        with self._lock:
            if self._taken[user_id] >= self._most_each:
                raise _full(f"{self._most_each} of your queries are running, which is the most of one user")
            if self._taken.total() >= self._most:
                raise _full(f"{self._most} queries are running, which is the most of all users")
            self._taken[user_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[user_id] -= 1
                if not self._taken[user_id]:
                    del self._taken[user_id]


def _full(words: str) -> Problem:
    return Problem("too-many-queries", f"{words}; try again in a moment.", headers={"Retry-After": "2"})
