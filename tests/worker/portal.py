"""A portal's database and its workers, as separate processes, for tests."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from webapp import db as database
from webapp import models  # noqa: F401 - without it, create_all makes the tables of some subjects alone
from webapp.auth.models import User
from webapp.config import load_config
from webapp.database_revision import newest_revision
from webapp.db import db, writing
from webapp.jobs import services
from webapp.jobs.models import Job, JobEvent
from webapp.projects.models import Project
from webapp.worker.processes import descendants, tagged

# Projects whose names say what the stand-in playbooks do; see home/playbooks/project.yml.
HOME = Path(__file__).parent / "home"
CHECKOUT = Path(__file__).parents[2]
PATIENCE = 30.0


class WorkerProcess:
    """A running `python -m webapp.worker`."""

    def __init__(self, environment: dict[str, str], log: Path, *arguments: str) -> None:
        self.log_path = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.worker", *arguments],
                env=environment,
                cwd=CHECKOUT,
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self.log_path.read_text()

    def family(self) -> set[int]:
        """Pids of all processes below it."""
        return descendants(self.process.pid)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


class WorkerPortal:
    """A database with one user, and the means to queue jobs, watch them and start workers."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.keys = [uuid.uuid4().hex * 2, uuid.uuid4().hex * 2, Fernet.generate_key().decode()]
        self.environment = {
            "PATH": os.environ["PATH"],
            "CROFT_DATABASE_URL": url,
            "CROFT_SECRET_KEY": self.keys[0],
            "CROFT_JWT_SECRET_KEY": self.keys[1],
            "CROFT_ENCRYPTION_KEYS": self.keys[2],
            "CROFT_HOME": str(HOME),
            "CROFT_JOB_DIR": str(folder / "jobs"),
        }
        self.app = Flask("worker-tests")
        database.init_app(self.app, load_config(self.environment))
        self._context = self.app.app_context()
        self._context.push()
        db.create_all()
        with writing() as session:
            # As the newest migration leaves it, for which a worker waits.
            newest = newest_revision(CHECKOUT / "migrations" / "versions")
            session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            session.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": newest})
        with writing() as session:
            session.add(User(name="ada", password_hash="-"))
        self.workers: list[WorkerProcess] = []

    def close(self) -> None:
        """End the workers and let go of the database."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.stop()
        db.session.remove()
        db.engine.dispose()
        self._context.pop()

    def worker(self, *arguments: str, **environment: str) -> WorkerProcess:
        """Start a worker and wait until it takes jobs."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        worker = WorkerProcess(self.environment | environment, log, *arguments)
        self.workers.append(worker)
        self.until(
            lambda: "started with" in worker.log or worker.process.poll() is not None, "the worker starts"
        )
        assert worker.process.poll() is None, worker.log
        return worker

    def user(self) -> User:
        """The user who asks for everything."""
        return db.session.scalars(select(User)).one()

    def project(self, name: str) -> None:
        """Make the project's row, as its services do."""
        with writing() as session:
            session.add(Project(name=name, owner_id=session.scalars(select(User.id)).one(), spec={}))

    def enqueue(
        self,
        project: str,
        description: str = "",
        *,
        kind: str = "project.update",
        application_name: str | None = None,
        **fields: Any,
    ) -> str:
        """Queue a job; return its id. `description` tells the stand-in playbook what to do.

        `fields` are added to the request; a field `request` replaces it.
        """
        subject = kind.split(".")[0]
        request = {subject: fields.get("request", {"name": project, "description": description, **fields})}
        with writing() as session:
            user = session.scalars(select(User)).one()
            job = services.enqueue(
                session,
                kind=kind,
                project_name=project,
                application_name=application_name,
                user=user,
                request=request,
            )
            return job.id

    def job(self, job_id: str) -> Job:
        """Return the job as it is now."""
        db.session.remove()
        return db.session.get_one(Job, job_id)

    def events(self, job_id: str) -> list[JobEvent]:
        """Return the job's events so far."""
        with Session(db.engine, expire_on_commit=False) as session:
            return services.events_after(session, job_id)

    def state_of(self, project: str) -> str | None:
        """Return the project's state; None when it is gone."""
        with Session(db.engine) as session:
            return session.scalar(select(Project.state).where(Project.name == project))

    def wait(self, job_id: str) -> Job:
        """Wait for the job's end and return it."""
        self.until(lambda: self.job(job_id).ended, f"job {job_id} ends")
        return self.job(job_id)

    def wait_for_process(self, job_id: str) -> set[int]:
        """Wait until the job's playbook runs its `sleep`; return the pids that carry the job's tag."""

        def sleeps() -> bool:
            for pid in tagged("CROFT_JOB_ID", job_id):
                with suppress(OSError):  # it has ended meanwhile
                    command = Path(f"/proc/{pid}/cmdline").read_bytes()
                    # Ansible itself ends its commands with a `sleep 0`.
                    if command.startswith(b"sleep\0") and command != b"sleep\x000\0":
                        return True
            return False

        self.until(sleeps, f"job {job_id} runs a program")
        return tagged("CROFT_JOB_ID", job_id)

    def abandon(self, job_id: str, worker: str, attempt: int = 1) -> None:
        """Make a job look as if `worker` had held it, and died long ago."""
        long_ago = database.utcnow().replace(year=2020)
        with writing() as session:
            values = {"state": "running", "worker": worker, "attempt": attempt, "heartbeat_at": long_ago}
            session.execute(update(Job).where(Job.id == job_id).values(values))

    @staticmethod
    def until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
        """Wait until `true()`. Raises AssertionError, naming `what`, after `patience` seconds."""
        deadline = time.monotonic() + patience
        while not true():
            assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
            time.sleep(0.02)
