"""The launcher: a process without secrets that keeps Ansible loaded and forks a child for each job.

It talks with the worker over a socket (sequenced packets of JSON): the worker sends {"run": {…}} with the
write end of a pipe for the events, and {"kill": id}; it hears {"ready": pid} once, and for each job
{"ended": id, "code": …, "left": …} when none of the job's processes is left (`left` says what could not be
ended, else it is empty). When the worker goes away, the launcher ends all jobs and itself.
"""

import gc
import json
import os
import selectors
import shutil
import socket
import sys
import traceback
from dataclasses import dataclass
from typing import Any

from webapp.worker.processes import ProcessError, become_subreaper, kill, kill_descendants


@dataclass(frozen=True)
class _Child:
    pid: int
    pidfd: int
    job: str
    folder: str


class Launcher:
    """Serves one worker on `control` until it goes away."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Do what the worker asks; return when it has gone, with nothing of its jobs left."""
        self._send({"ready": os.getpid()})
        connected = True
        while connected:
            for key, _events in self._selector.select():
                if key.data is None:
                    connected = self._receive()
                else:
                    self._bury(key.data)
        kill_descendants()
        for child in self._children.values():
            shutil.rmtree(child.folder, ignore_errors=True)

    def _receive(self) -> bool:
        data, descriptors, _flags, _address = socket.recv_fds(self._control, 1 << 17, 1)
        if not data:
            return False
        request = json.loads(data)
        if "run" in request:
            self._fork(request["run"], descriptors[0])
        else:
            self._kill(request["kill"])
        return True

    def _fork(self, spec: dict[str, Any], pipe: int) -> None:
        pid = os.fork()
        if pid == 0:
            _be_job(spec, pipe)
        os.close(pipe)
        child = _Child(pid, os.pidfd_open(pid), spec["job"], spec["folder"])
        self._children[pid] = child
        self._selector.register(child.pidfd, selectors.EVENT_READ, child)

    def _kill(self, job: str) -> None:
        for child in self._children.values():
            if child.job == job:
                # The rest of the family becomes ours with its death, and is ended when we notice that.
                kill([child.pid])

    def _bury(self, child: _Child) -> None:
        """Reap a job's child, and end what it left: orphans that are below us and below no other job's
        child.
        """
        self._selector.unregister(child.pidfd)
        os.close(child.pidfd)
        del self._children[child.pid]
        _pid, status = os.waitpid(child.pid, 0)
        left = ""
        try:
            kill_descendants(spare=self._children)
        except ProcessError as error:
            left = str(error)
        self._send({"ended": child.job, "code": os.waitstatus_to_exitcode(status), "left": left})

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._control.send(json.dumps(message).encode())
        except BrokenPipeError:
            # The worker has gone; the next look at the socket says so.
            return


def _be_job(spec: dict[str, Any], pipe: int) -> None:
    """Be the child of one job, to the end of this process."""
    code = 1
    try:
        os.setsid()
        os.closerange(3, pipe)
        os.closerange(pipe + 1, os.sysconf("SC_OPEN_MAX"))
        gc.enable()
        # Imported by the launcher already.
        from webapp.worker.play import play

        code = play(spec, pipe)
    except BaseException as error:  # noqa: BLE001 - nothing may return into the copied launcher
        traceback.print_exc()
        end = {"status": "error", "message": f"The playbook could not be started: {error}", "result": None}
        os.write(pipe, json.dumps({"end": end}).encode() + b"\n")
    finally:
        os._exit(code)


def main() -> None:
    """Load Ansible with its settings in the environment, then serve the socket whose number is the
    argument.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    become_subreaper()
    from webapp.worker import preload

    preload.load()
    gc.collect()
    gc.freeze()
    gc.disable()
    Launcher(control).serve()


if __name__ == "__main__":
    main()
