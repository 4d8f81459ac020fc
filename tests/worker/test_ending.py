"""Jobs that do not end by themselves: cancelled, too long, or left by a worker that stops or dies."""

import os
import signal
import subprocess
import sys

import pytest

from tests.worker.portal import CHECKOUT, WorkerPortal
from webapp.jobs import services
from webapp.worker.processes import tagged

pytestmark = pytest.mark.slow


def test_cancelling_ends_every_process_of_the_job(portal: WorkerPortal) -> None:
    worker = portal.worker()
    portal.project("shop")
    job_id = portal.enqueue("shop", "sleep 300", kind="project.create")
    next_id = portal.enqueue("shop")
    portal.wait_for_process(job_id)
    family = worker.family()
    assert len(family) >= 5, "launcher, runner, playbook, its worker and the program"

    services.cancel(portal.user(), job_id)
    services.cancel(portal.user(), job_id)
    job = portal.wait(job_id)
    assert job.state == "cancelled"
    assert job.message.startswith("Cancelled at the task 'Run a program'.")
    assert not tagged("CROFT_JOB_ID", job_id)
    events = portal.events(job_id)
    assert [event.text for event in events].count("ada asked to cancel this job") == 1
    asked = next(event for event in events if event.text == "ada asked to cancel this job")
    assert (events[-1].created_at - asked.created_at).total_seconds() < 3
    assert not list((portal.folder / "jobs" / "worker-0" / "jobs").glob(f"{job_id}-*"))
    assert portal.wait(next_id).state == "succeeded", "the project is free for its next job"
    assert len(worker.family()) == 1


def test_a_waiting_job_is_cancelled_at_once(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    portal.project("shop")
    job_id = portal.enqueue("shop", kind="project.create", token="secret")
    job = services.cancel(portal.user(), job_id)
    assert (job.state, job.request) == ("cancelled", None)
    assert portal.state_of("shop") == "failed"
    worker = portal.worker()
    assert portal.wait(portal.enqueue("blog")).state == "succeeded"
    assert job_id not in worker.log


def test_a_job_has_a_time_limit(sqlite_portal: WorkerPortal) -> None:
    sqlite_portal.worker(CROFT_JOB_TIMEOUT="2")
    job_id = sqlite_portal.enqueue("shop", "sleep 300")
    job = sqlite_portal.wait(job_id)
    assert job.state == "failed"
    assert job.message == "The job was ended after 2 s, its time limit, at the task 'Run a program'"
    assert not tagged("CROFT_JOB_ID", job_id)


def test_a_job_of_a_killed_worker_is_ended_and_done_again(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    worker = portal.worker()
    job_id = portal.enqueue("shop", "first-time 300")
    portal.wait_for_process(job_id)
    before = worker.family()
    # The launcher as well: nobody is left to clean up. All stand still first: none sees another's end.
    mine = [pid for pid in (worker.process.pid, *before) if b"webapp.worker" in _command(pid)]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in mine:
            os.kill(pid, number)
    worker.process.wait(30)
    assert tagged("CROFT_JOB_ID", job_id), "its program runs on"

    second = portal.worker()
    assert "that worker" in second.log
    job = portal.wait(job_id)
    assert (job.state, job.attempt) == ("succeeded", 2)
    texts = [event.text for event in portal.events(job_id) if event.kind == "state"]
    assert texts == [
        "Waiting for a worker",
        "Started",
        "The worker stopped while this job was running; the job starts again",
        "Started again",
        "Project 'shop' has its new settings.",
    ]
    assert len(second.family()) == 1
    assert not any(_alive(pid) for pid in before)


def test_the_launcher_ends_with_a_killed_worker(sqlite_portal: WorkerPortal) -> None:
    worker = sqlite_portal.worker()
    job_id = sqlite_portal.enqueue("shop", "sleep 300")
    sqlite_portal.wait_for_process(job_id)
    before = worker.family()
    worker.stop(signal.SIGKILL)
    sqlite_portal.until(lambda: not any(_alive(pid) for pid in before), "all processes are gone")
    assert not list((sqlite_portal.folder / "jobs" / "worker-0" / "jobs").iterdir())


def test_a_job_whose_process_dies_gets_a_second_chance(sqlite_portal: WorkerPortal) -> None:
    worker = sqlite_portal.worker()
    job_id = sqlite_portal.enqueue("shop", "sleep 300")
    for attempt in (1, 2):
        sqlite_portal.wait_for_process(job_id)
        launcher, runner = _oldest(worker.family())
        _kill(runner if attempt == 1 else launcher)
        if attempt == 1:
            sqlite_portal.until(lambda: "Started again" in _texts(sqlite_portal, job_id), "it starts again")
    job = sqlite_portal.wait(job_id)
    assert (job.state, job.attempt) == ("failed", 2)
    assert job.message.startswith("The process that ran this job ended unexpectedly, for the second time.")
    assert "The process that ran this job ended unexpectedly (signal 9); the job starts again" in _texts(
        sqlite_portal, job_id
    )
    assert not tagged("CROFT_JOB_ID", job_id)
    assert sqlite_portal.wait(sqlite_portal.enqueue("blog")).state == "succeeded", "there is a new launcher"


def test_another_worker_takes_over_from_one_not_heard_of(postgres_portal: WorkerPortal) -> None:
    portal = postgres_portal
    job_id = portal.enqueue("shop")
    hopeless = portal.enqueue("blog")
    portal.abandon(job_id, "on-another-machine")
    portal.abandon(hopeless, "on-another-machine", attempt=2)
    portal.worker()
    job = portal.wait(job_id)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert portal.wait(hopeless).state == "failed"


def test_a_worker_told_to_stop_lets_jobs_end_or_puts_them_back(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    worker = portal.worker()
    job_id = portal.enqueue("shop", "sleep 1")
    portal.wait_for_process(job_id)
    waiting = portal.enqueue("shop")
    assert worker.stop() == 0
    assert portal.job(job_id).state == "succeeded"
    assert portal.job(waiting).state == "queued", "nothing new is begun"

    portal.wait(services.cancel(portal.user(), waiting).id)
    worker = portal.worker("--grace", "0.2")
    long_id = portal.enqueue("shop", "sleep 300")
    portal.wait_for_process(long_id)
    assert worker.stop() == 0
    job = portal.job(long_id)
    assert (job.state, job.attempt, job.worker) == ("queued", 0, None)
    assert job.request is not None
    assert portal.events(long_id)[-1].text == "The worker is being stopped; the job starts again later"
    assert not tagged("CROFT_JOB_ID", long_id)


def test_two_workers_share_the_queue(postgres_portal: WorkerPortal) -> None:
    portal = postgres_portal
    workers = [portal.worker(CROFT_WORKER_SLOTS="1") for _number in range(2)]
    assert workers[0].log.split("worker ")[1].split()[0] != workers[1].log.split("worker ")[1].split()[0]
    ids = [portal.enqueue(project, "sleep 0.5") for _round in range(2) for project in ("shop", "blog")]
    jobs = [portal.wait(job_id) for job_id in ids]
    assert [job.state for job in jobs] == ["succeeded"] * 4
    spans = {job.id: (job.started_at, job.finished_at) for job in jobs}
    for first, second in ((ids[0], ids[2]), (ids[1], ids[3])):
        assert spans[first][1] <= spans[second][0]  # type: ignore[operator]
    for job_id in ids:
        assert sum(f"job {job_id} (" in worker.log for worker in workers) == 1
    assert all("starts" in worker.log for worker in workers), "both had something to do"


def test_the_probe_tells_a_living_worker_from_none(sqlite_portal: WorkerPortal) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "webapp.worker", "--check"],
            env=sqlite_portal.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert check().returncode == 1
    worker = sqlite_portal.worker()
    assert check().returncode == 0
    worker.stop()
    gone = check()
    assert gone.returncode == 1
    assert "no worker runs" in gone.stderr


def _command(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _oldest(pids: set[int]) -> list[int]:
    """Return the two that were started first: the launcher and the job's runner."""
    started = {}
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            started[pid] = int(file.read().rpartition(")")[2].split()[19])
    return sorted(started, key=lambda pid: (started[pid], pid))[:2]


def _texts(portal: WorkerPortal, job_id: str) -> list[str]:
    return [event.text for event in portal.events(job_id)]
