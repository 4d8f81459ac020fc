"""Uses a known amount of everything, and tells how much; runs as an application in the cluster.

Environment (each may be left out): CPU (cores), MEMORY (bytes), WRITE (bytes/s to /data, past the page
cache), SEND (bytes/s) to TO (host:port). Listens on port 8080 and throws away what is sent there. Prints a
line of JSON each second, see `told`.
"""

import json
import mmap
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

BLOCK = 256 * 1024
FILE = 64  # blocks in the file that is written round and round
STEP = 0.02

start = time.monotonic()
counted = {"written": 0, "sent": 0, "received": 0}
kept: list[bytearray] = []


def paced(name: str, rate: float) -> bool:
    """Wait until the next block is due, so that `counted[name]` grows by `rate` bytes a second."""
    while counted[name] > rate * (time.monotonic() - start):
        time.sleep(STEP)
    return True


def write(rate: float) -> None:
    """Write blocks straight to the disk; a page cache would write them later, in nobody's name."""
    block = mmap.mmap(-1, BLOCK)
    block.write(b"x" * BLOCK)
    file = os.open("/data/written", os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
    while paced("written", rate):
        counted["written"] += os.pwrite(file, block, counted["written"] // BLOCK % FILE * BLOCK)


def send(rate: float, host: str, port: int) -> None:
    """Send bytes to the other pod; connect anew when it is not there yet."""
    chunk = b"x" * 16384
    while True:
        try:
            with socket.create_connection((host, port), timeout=5) as there:
                while paced("sent", rate):
                    there.sendall(chunk)
                    counted["sent"] += len(chunk)
        except OSError as error:
            print(f"{host}: {error}", file=sys.stderr, flush=True)
            time.sleep(1)


def receive(here: socket.socket) -> None:
    """Take and throw away what one connection sends; a probe sends nothing."""
    with here:
        while got := here.recv(65536):
            counted["received"] += len(got)


def listen() -> None:
    """Serve port 8080."""
    with socket.create_server(("", 8080)) as server:
        while True:
            here, _ = server.accept()
            threading.Thread(target=receive, args=(here,), daemon=True).start()


def anonymous() -> int:
    """Return the bytes of memory that are this process's own."""
    with open("/proc/self/status") as status:
        (line,) = [line for line in status if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024


def told() -> str:
    """Return what was used so far: CPU in seconds, the rest in bytes."""
    used = {"time": time.time(), "cpu": time.process_time(), "memory": anonymous(), **counted}
    return json.dumps(used)


def tell() -> None:
    """Print each second, however busy the rest is."""
    while True:
        print(told(), flush=True)
        time.sleep(1)


def main() -> None:
    """Start what the environment asks for; burn what is left of the CPU time, whatever the rest needs."""
    wanted = os.environ.get
    memory = bytearray(int(wanted("MEMORY", "0")))
    memory[:: mmap.PAGESIZE] = b"x" * len(memory[:: mmap.PAGESIZE])
    kept.append(memory)
    begin: list[tuple[Callable[..., None], tuple[object, ...]]] = [(listen, ()), (tell, ())]
    if rate := float(wanted("WRITE", "0")):
        begin.append((write, (rate,)))
    if rate := float(wanted("SEND", "0")):
        host, _, port = os.environ["TO"].partition(":")
        begin.append((send, (rate, host, int(port))))
    for work, arguments in begin:
        threading.Thread(target=work, args=arguments, daemon=True).start()
    cores = float(wanted("CPU", "0"))
    begun, before = time.monotonic(), time.process_time()
    while True:
        while time.process_time() - before < cores * (time.monotonic() - begun):
            sum(range(1000))
        time.sleep(STEP)


# The first process of a container is ended by no signal that it does not wait for.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
main()
