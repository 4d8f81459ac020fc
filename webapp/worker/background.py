"""What the worker does beside its jobs, in threads of their own: each turn is short, and a failing one is
logged and tried again.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask

from webapp.db import db

log = logging.getLogger("croft.worker")

_AFTER_FAILURE = 10.0
_FAREWELL = 3.0


@dataclass(frozen=True)
class Task:
    """`act` is called every `interval` seconds, and again at once when it says that there is more to do."""

    name: str
    interval: float
    act: Callable[[], bool]


@contextmanager
def running(app: Flask, tasks: Sequence[Task]) -> Iterator[None]:
    """Let the tasks run while the block does. Threads end with the process, if not before."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_turns, args=(app, task, stop), name=task.name, daemon=True) for task in tasks
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_FAREWELL)


def _turns(app: Flask, task: Task, stop: threading.Event) -> None:
    wait = 0.0
    while not stop.wait(wait):
        with app.app_context():
            try:
                wait = 0.0 if task.act() else task.interval
            except Exception:  # a task's failure must end neither the others nor the jobs
                log.exception("%s failed; trying again in %g s", task.name, _AFTER_FAILURE)
                wait = _AFTER_FAILURE
            finally:
                db.session.remove()
