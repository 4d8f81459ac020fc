"""The worker's loop: one thread that waits for news from the database, the launcher and its jobs."""

import logging
import os
import selectors
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.config import Config
from webapp.db import db
from webapp.jobs import queue
from webapp.metrics.series import JOB_WAIT
from webapp.worker import ending
from webapp.worker.children import LauncherClient, LauncherGone
from webapp.worker.environment import launcher_environment
from webapp.worker.folder import WorkerFolder
from webapp.worker.processes import become_subreaper, kill_descendants
from webapp.worker.recovery import end_earlier_life, recover_lost
from webapp.worker.running import RunningJob, prepare
from webapp.worker.stopping import StopSignals
from webapp.worker.wakeup import wakeup_for

log = logging.getLogger("croft.worker")

HEARTBEAT = 5.0
# Without a heartbeat for so long, another worker may soon take our jobs: end them first.
_LEASE = queue.STALE_AFTER - 2 * HEARTBEAT
_BATCH = 0.1
_DATABASE_RETRY = 1.0
_MAX_LAUNCHES = 3


class WorkerError(Exception):
    """The worker cannot go on; the text says why."""


class Worker:
    """Claims jobs and runs them, at most `config.worker_slots` at a time. Needs an application context.

    `grace`: seconds that running jobs have to end by themselves when the worker is told to stop.
    """

    def __init__(self, config: Config, folder: WorkerFolder, grace: float = 20.0) -> None:
        self._config = config
        self._folder = folder
        self._name = folder.worker
        self._jobs: dict[str, RunningJob] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup = wakeup_for(db.engine)
        self._wakeup_fd: int | None = None
        self._launcher: LauncherClient | None = None
        self._launches = 0
        self._ready = False
        self._stop = StopSignals(grace)
        self._look_at = 0.0
        self._must_look = True
        self._touch_at = 0.0
        self._beat_at = 0.0
        self._beaten_at = time.monotonic()
        self._database_at = 0.0

    def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises WorkerError, and SQLAlchemy's errors while starting."""
        become_subreaper()
        self._stop.listen()
        self._selector.register(self._stop, selectors.EVENT_READ, self._stop.drain)
        end_earlier_life(self._folder, self._config.job_dir)
        self._launch()
        log.info("worker %s started with %d slots", self._name, self._config.worker_slots)
        try:
            while self._jobs or not self._stop.asked:
                self._turn()
        finally:
            self._wakeup.close()
            if self._launcher is not None:
                self._launcher.close()
            kill_descendants()
            self._sign_off()
        log.info("worker %s stopped", self._name)

    def _sign_off(self) -> None:
        try:
            queue.sign_off(self._name)
        except DBAPIError as error:
            # Its sign of life gets old, which says the same a little later.
            log.warning("the database does not answer: %s", str(error.orig).strip())
        finally:
            db.session.remove()

    def _turn(self) -> None:
        for key, _events in self._selector.select(self._patience()):
            key.data()
        now = time.monotonic()
        if now >= self._touch_at:
            self._folder.touch()
            self._touch_at = now + 1.0
        self._watch_clocks(now)
        if now < self._database_at:
            return
        try:
            self._write(now)
            if now >= self._beat_at:
                self._beat(now)
            self._look(now)
        except DBAPIError as error:
            log.warning("the database does not answer, trying again: %s", str(error.orig).strip())
            self._database_at = now + _DATABASE_RETRY
        finally:
            db.session.remove()

    def _patience(self) -> float:
        """Return how long to wait for news at most."""
        now = time.monotonic()
        if now < self._database_at:
            return self._database_at - now
        stop = self._stop.deadline
        moments = [self._beat_at, self._look_at]
        for job in self._jobs.values():
            moments += [job.written_at + _BATCH] if job.events else []
            # What has been killed makes itself heard.
            if job.reason is None:
                moments += [job.deadline] if stop is None else [job.deadline, stop]
        return max(0.0, min(moments) - now)

    # The launcher and its jobs

    def _launch(self) -> None:
        self._launches += 1
        if self._launches > _MAX_LAUNCHES:
            raise WorkerError("the process that runs playbooks ends before it is ready; its message is above")
        environment = launcher_environment(self._name, self._folder.home, self._config.home)
        self._ready = False
        self._launcher = LauncherClient(environment, self._folder.home)
        self._selector.register(self._launcher.control, selectors.EVENT_READ, self._hear)

    def _hear(self) -> None:
        assert self._launcher is not None  # noqa: S101 - registered together with it
        try:
            message = self._launcher.receive()
        except LauncherGone as error:
            self._relaunch(str(error))
            return
        if "ready" in message:
            self._ready, self._launches, self._must_look = True, 0, True
        elif message["ended"] in self._jobs:
            self._jobs[message["ended"]].ended = message

    def _relaunch(self, why: str) -> None:
        log.error("%s; starting another one", why)
        assert self._launcher is not None  # noqa: S101 - it has just spoken
        self._selector.unregister(self._launcher.control)
        self._launcher.control.close()
        kill_descendants()
        for job in self._jobs.values():
            job.ended = job.ended or {"code": None, "left": ""}
        self._launch()

    def _start(self, claimed: queue.ClaimedJob) -> None:
        assert self._launcher is not None  # noqa: S101 - nothing is claimed without it
        folder = self._folder.job(claimed.id, claimed.attempt)
        deadline = time.monotonic() + self._config.job_timeout
        job = RunningJob(claimed, folder, -1, deadline)
        self._jobs[claimed.id] = job
        log.info("job %s (%s %s) starts", claimed.id, claimed.kind, claimed.project_name)
        try:
            job.pipe = self._launcher.run(prepare(folder, claimed, self._config))
        except LauncherGone:
            # The next turn hears of it and makes another; this job gets its second chance.
            job.ended = {"code": None, "left": ""}
            return
        except OSError as error:
            log.exception("job %s could not be started", claimed.id)
            job.end = {"status": "error", "message": f"The job could not be started: {error}", "result": None}
            job.ended = {"code": None, "left": ""}
            return
        self._selector.register(job.pipe, selectors.EVENT_READ, self._reader(job))

    def _reader(self, job: RunningJob) -> Callable[[], None]:
        def read() -> None:
            if not job.read():
                self._selector.unregister(job.pipe)
                os.close(job.pipe)
                job.pipe = -1

        return read

    def _kill(self, job: RunningJob, reason: str) -> None:
        if job.reason is None and self._launcher is not None:
            job.reason = reason
            log.info("job %s is being ended: %s", job.job.id, reason)
            # When the launcher has gone, its job has too, and the next turn hears of it.
            with suppress(LauncherGone):
                self._launcher.kill(job.job.id)

    def _watch_clocks(self, now: float) -> None:
        stop = self._stop.deadline
        for job in self._jobs.values():
            if job.ended is not None:
                continue
            if now - self._beaten_at > _LEASE:
                self._kill(job, "lost")
            elif now >= job.deadline:
                self._kill(job, "timeout")
            elif stop is not None and now >= stop:
                self._kill(job, "stop")

    # The database

    def _write(self, now: float) -> None:
        """Store new events (the first at once, then in batches), and end the jobs that have ended."""
        for job in list(self._jobs.values()):
            if job.gone:
                ending.conclude(self._name, job, self._config.job_timeout)
                del self._jobs[job.job.id]
                self._must_look = True
            elif job.events and now >= job.written_at + _BATCH:
                if job.reason != "lost" and not queue.add_events(self._name, job.job.id, job.events):
                    self._kill(job, "lost")
                job.events.clear()
                job.written_at = now

    def _beat(self, now: float) -> None:
        """Say that we live; end the jobs that are not ours any more; look for jobs of dead workers."""
        if self._jobs:
            kept = queue.heartbeat(self._name, list(self._jobs))
            for job in self._jobs.values():
                if job.job.id not in kept:
                    self._kill(job, "lost")
        if not self._stop.asked:
            queue.sign(self._name, self._config.worker_slots)
        self._beaten_at = now
        recover_lost(self._name, own=set(self._jobs))
        self._beat_at = now + HEARTBEAT

    def _look(self, now: float) -> None:
        """Look whether there is something to do, when there may be."""
        if now >= self._look_at or self._wakeup_fd is not None:
            self._must_look |= self._wakeup.changed()
            self._watch_wakeup()
            self._look_at = now + self._wakeup.interval
        if not self._must_look:
            return
        if self._jobs:
            with Session(db.engine) as session:
                for job_id in queue.cancel_requests(session, self._name):
                    if job_id in self._jobs:
                        self._kill(self._jobs[job_id], "cancel")
        while self._ready and not self._stop.asked and len(self._jobs) < self._config.worker_slots:
            claimed = queue.claim(self._name)
            if claimed is None:
                break
            if claimed.attempt == 1:
                JOB_WAIT.labels(claimed.kind).observe(claimed.waited)
            self._start(claimed)
        self._must_look = False

    def _watch_wakeup(self) -> None:
        descriptor = self._wakeup.fileno()
        if descriptor != self._wakeup_fd:
            if self._wakeup_fd is not None:
                with suppress(KeyError, ValueError):
                    self._selector.unregister(self._wakeup_fd)
            if descriptor is not None:
                self._selector.register(descriptor, selectors.EVENT_READ, lambda: None)
            self._wakeup_fd = descriptor
