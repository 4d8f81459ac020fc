"""Jobs whose worker is dead: end what is left of them, then give them back to the queue."""

import logging
import shutil
from collections.abc import Collection
from pathlib import Path

from sqlalchemy.orm import Session

from webapp.db import db
from webapp.jobs import queue
from webapp.worker.environment import WORKER_TAG
from webapp.worker.folder import WorkerFolder
from webapp.worker.processes import kill, tagged

log = logging.getLogger("croft.worker")

WHAT_HAPPENED = "The worker stopped while this job was running"


def end_earlier_life(folder: WorkerFolder, base: Path) -> None:
    """Before anything is claimed: end the processes and remove the files of dead workers here, and recover
    their jobs.

    Dead are the worker whose folder this one has inherited, and those below `base` whose folders nobody
    holds.
    """
    dead = {folder.worker}
    _end_processes(folder.worker)
    folder.clear()
    for other in folder.abandoned(base):
        dead.add(other.worker)
        _end_processes(other.worker)
        shutil.rmtree(other.path)
        other.release()
    with Session(db.engine) as session:
        lost = queue.lost_jobs(session, dead)
    for job in lost:
        _recover(folder.worker, job)


def recover_lost(worker: str, own: Collection[str]) -> None:
    """Recover jobs of workers that have not been heard of; leave those that this worker runs (`own`)."""
    with Session(db.engine) as session:
        lost = [job for job in queue.lost_jobs(session) if job.id not in own]
    for job in lost:
        # If it lived on this machine, something of it may be left here. (What was ours has been ended
        # before.)
        if job.worker != worker:
            _end_processes(job.worker)
        _recover(worker, job)


def _recover(worker: str, job: queue.LostJob) -> None:
    if queue.take_over(worker, job):
        state = queue.recover(worker, job.id, WHAT_HAPPENED)
        log.warning("job %s of worker %s, which is dead: %s", job.id, job.worker, state)


def _end_processes(worker: str) -> None:
    left = tagged(WORKER_TAG, worker)
    if left:
        log.warning("ending %d processes that worker %s left", len(left), worker)
        kill(left)
