"""Waiting for what becomes true on a real cluster, within a limit."""

import time
from collections.abc import Callable
from typing import Any


def eventually(found: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask each second until the answer is true, and return it. Fails after `seconds` with `what`."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, f"after {seconds:.0f} s: {what}"
        time.sleep(1)
    return answer
