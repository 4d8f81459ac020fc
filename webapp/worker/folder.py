"""The worker's private folder: its identity over restarts, its jobs' files, and its sign of life.

<CROFT_JOB_DIR>/worker-<n>/   0700, held by a lock on `lock` as long as the worker lives
    id                        the worker's name in the database; the next worker here inherits it, and its
    jobs alive                     touched by the worker's loop; `python -m webapp.worker --check` looks at
    its age home/                     HOME of the launcher jobs/<job>-<attempt>/     one job's
    private_data_dir, removed at its end
"""

import fcntl
import os
import shutil
import socket
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

MAX_WORKERS = 64
# The loop turns at least every HEARTBEAT seconds (webapp.worker.loop).
ALIVE_WITHIN = 30.0


class FolderError(Exception):
    """The folder cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class WorkerFolder:
    """A folder that this process has locked. `worker` is the worker's name in the database."""

    path: Path
    worker: str
    lock: int

    @classmethod
    def take(cls, base: Path) -> "WorkerFolder":
        """Lock the first free worker-<n> below `base`, made when there is none. Raises FolderError.

        Call `clear` once the processes of the worker that had it before are gone.
        """
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = base.stat()
        if status.st_uid not in (0, os.getuid()):
            raise FolderError(
                f"{base} belongs to another user (uid {status.st_uid}); set CROFT_JOB_DIR to one of your own"
            )
        for number in range(MAX_WORKERS):
            path = base / f"worker-{number}"
            path.mkdir(mode=0o700, exist_ok=True)
            status = path.lstat()
            if status.st_uid != os.getuid() or status.st_mode & 0o170077 != 0o040000:
                raise FolderError(
                    f"{path} is not a private folder of this user: remove it, or set CROFT_JOB_DIR"
                )
            folder = cls._lock(path)
            if folder is not None:
                folder.touch()
                return folder
        raise FolderError(f"{MAX_WORKERS} workers use {base} already")

    @classmethod
    def _lock(cls, path: Path) -> "WorkerFolder | None":
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return cls(path, _identity(path / "id"), lock)

    def abandoned(self, base: Path) -> "list[WorkerFolder]":
        """Return, locked, the folders of other workers that nobody holds any more."""
        others = (path for path in sorted(base.glob("worker-*")) if path != self.path)
        mine = (path for path in others if path.lstat().st_uid == os.getuid())
        return [folder for path in mine if (folder := WorkerFolder._lock(path)) is not None]

    @property
    def home(self) -> Path:
        """HOME of the launcher."""
        return self.path / "home"

    def job(self, job_id: str, attempt: int) -> Path:
        """Return the folder of one attempt at a job; it does not exist yet."""
        return self.path / "jobs" / f"{job_id}-{attempt}"

    def clear(self) -> None:
        """Remove what is left of earlier jobs, and make the empty folders. Raises OSError."""
        for path in (self.path / "jobs", self.home):
            if path.exists():
                shutil.rmtree(path)
            path.mkdir(mode=0o700)

    def touch(self) -> None:
        """Say that the worker is alive."""
        (self.path / "alive").touch()

    def release(self) -> None:
        """Give the folder up: the next worker there is a new one."""
        (self.path / "alive").unlink(missing_ok=True)
        os.close(self.lock)


def youngest_sign_of_life(base: Path) -> float | None:
    """Return how many seconds ago a worker below `base` gave its last sign of life; None when none ever
    did.
    """
    ages = [time.time() - path.stat().st_mtime for path in base.glob("worker-*/alive")]
    return min(ages, default=None)


def _identity(path: Path) -> str:
    if path.exists():
        return path.read_text().strip()
    worker = f"{socket.gethostname()[:90]}-{uuid.uuid4().hex[:8]}"
    path.write_text(worker)
    return worker
