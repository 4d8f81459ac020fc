"""SIGTERM and SIGINT: stop claiming, let running jobs end for a while; a second signal ends that."""

import logging
import signal
import socket
import time

log = logging.getLogger("croft.worker")


class StopSignals:
    """Whether, and how patiently, the worker is to stop. `grace`: seconds that running jobs have then."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._asked_at: float | None = None
        # Signals wake the loop through a socket: select() itself goes on after a handler has run.
        self._ours, self._theirs = socket.socketpair()

    def listen(self) -> None:
        """Take the signals from now on. For the main thread alone."""
        for side in (self._ours, self._theirs):
            side.setblocking(False)
        signal.set_wakeup_fd(self._theirs.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable on a signal; then call `drain`."""
        return self._ours.fileno()

    def drain(self) -> None:
        """Make the descriptor quiet again."""
        self._ours.recv(64)

    @property
    def asked(self) -> bool:
        """Whether the worker is to stop."""
        return self._asked_at is not None

    @property
    def deadline(self) -> float | None:
        """When (monotonic seconds) jobs that still run are put back; None while nobody asked."""
        return None if self._asked_at is None else self._asked_at + self._grace

    def _ask(self, _number: int, _frame: object) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            log.info("stopping; running jobs have %g s to end", self._grace)
        else:
            self._grace = 0.0
