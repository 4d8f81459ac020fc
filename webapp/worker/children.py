"""The worker's end of the launcher: start it, give it jobs, hear what becomes of them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class LauncherGone(Exception):
    """The launcher has ended."""


class LauncherClient:
    """A running launcher. `control` becomes readable when there is something to `receive`."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # A session of its own: Ctrl-C on the worker's terminal is the worker's to handle.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "webapp.worker.launcher", str(theirs.fileno())],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def run(self, spec: Mapping[str, Any]) -> int:
        """Start a job (see webapp.worker.play); return the descriptor its events can be read from.

        Raises LauncherGone.
        """
        reading, writing = os.pipe()
        try:
            socket.send_fds(self.control, [json.dumps({"run": spec}).encode()], [writing])
        except OSError as error:
            os.close(reading)
            raise LauncherGone(str(error)) from error
        finally:
            os.close(writing)
        os.set_blocking(reading, False)
        return reading

    def kill(self, job: str) -> None:
        """Ask for the end of all of a job's processes; {"ended": …} comes when it is done. Raises
        LauncherGone.
        """
        try:
            self.control.send(json.dumps({"kill": job}).encode())
        except OSError as error:
            raise LauncherGone(str(error)) from error

    def receive(self) -> dict[str, Any]:
        """Return the launcher's next message. Raises LauncherGone."""
        try:
            data = self.control.recv(1 << 16)
        except OSError as error:
            raise LauncherGone(str(error)) from error
        if not data:
            raise LauncherGone(f"the launcher ended with code {self._process.wait(timeout=10)}")
        return json.loads(data)

    def close(self) -> None:
        """Let the launcher end its jobs and itself, and wait for that."""
        self.control.close()
        self._process.wait(timeout=10)
