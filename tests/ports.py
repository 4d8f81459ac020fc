"""Ports for servers that cannot be told to take any free one."""

import itertools
import os
import socket
from contextlib import suppress

# Below the ports that the kernel gives to others, and apart for each of pytest's processes: seconds may pass
# between the moment when a port is chosen and the one when its server takes it.
_MANY = 1_000
_FIRST = 29_000 + _MANY * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Two runs at the same time begin at different places.
_ports = itertools.islice(itertools.cycle(range(_FIRST, _FIRST + _MANY)), os.getpid() % _MANY, None)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens, and which was not returned lately."""
    for port in itertools.islice(_ports, _MANY):
        with socket.socket() as found, suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"something listens on each port from {_FIRST} to {_FIRST + _MANY - 1}")
