"""Find and end whole families of processes, also those that called setsid() or lost their parent (Linux
only).
"""

import contextlib
import ctypes
import os
import select
import signal
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


class ProcessError(Exception):
    """Processes could not be ended; the text names them."""


def become_subreaper() -> None:
    """Let orphans below this process become its own children, so that none gets out of sight. Raises
    OSError.
    """
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(number)}")


def descendants(root: int, spare: Collection[int] = ()) -> set[int]:
    """Return the pids of all living processes below `root`, without the families of `spare`."""
    children: dict[int, list[int]] = defaultdict(list)
    for pid, (parent, state) in _table().items():
        if state not in "ZX":
            children[parent].append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        for pid in children[waiting.pop()]:
            if pid not in spare and pid not in found:
                found.add(pid)
                waiting.append(pid)
    return found


def tagged(tag: str, value: str) -> set[int]:
    """Return the pids of living processes that were started with the environment variable `tag` set to
    `value`.
    """
    wanted = f"{tag}={value}".encode()
    found = set()
    for pid, (_parent, state) in _table().items():
        # A process that ends meanwhile, or belongs to someone else, is not ours to find.
        with contextlib.suppress(OSError):
            if state not in "ZX" and wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.add(pid)
    found.discard(os.getpid())
    return found


def kill(pids: Iterable[int], timeout: float = 5.0) -> None:
    """Kill the processes and wait until they are gone. Raises ProcessError when one is not after `timeout`
    seconds.
    """
    waiting: dict[int, int] = {}
    poller = select.poll()
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                waiting[descriptor] = pid
                poller.register(descriptor, select.POLLIN)
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        deadline = time.monotonic() + timeout
        while waiting and (left := deadline - time.monotonic()) > 0:
            for descriptor, _event in poller.poll(left * 1000):
                poller.unregister(descriptor)
                os.close(descriptor)
                del waiting[descriptor]
        if waiting:
            names = ", ".join(str(pid) for pid in waiting.values())
            raise ProcessError(f"processes {names} did not end within {timeout:g} s of SIGKILL")
    finally:
        for descriptor in waiting:
            os.close(descriptor)


def kill_descendants(spare: Collection[int] = (), timeout: float = 5.0) -> int:
    """Kill everything below this process but the families of the children `spare`, and reap it.

    Needs `become_subreaper`. Returns how many processes were killed. Raises ProcessError.
    """
    count = 0
    deadline = time.monotonic() + timeout
    # A process may have forked while its parent was being killed: look until nothing is left.
    while found := descendants(os.getpid(), spare):
        count += len(found)
        kill(found, max(0.0, deadline - time.monotonic()))
    for pid, (parent, state) in _table().items():
        if state == "Z" and parent == os.getpid() and pid not in spare:
            os.waitpid(pid, 0)
    return count


def _table() -> dict[int, tuple[int, str]]:
    """Return parent and state letter of every process (proc(5), /proc/<pid>/stat)."""
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            # The second field, the command in parentheses, may hold spaces and parentheses itself.
            fields = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()
            table[int(name)] = (int(fields[1]), fields[0])
    return table
