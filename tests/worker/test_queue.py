"""The job table as a queue, without a worker process: who gets what, and who may write."""

import threading
from collections import defaultdict

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.worker.portal import WorkerPortal
from webapp.applications.models import Application
from webapp.db import db, writing
from webapp.jobs import queue, services
from webapp.jobs.events import NewEvent
from webapp.projects.models import Project


def test_claims_are_in_order_and_one_at_a_time_per_project(portal: WorkerPortal) -> None:
    first, second = portal.enqueue("shop"), portal.enqueue("shop")
    other = portal.enqueue("blog")
    claimed = [queue.claim("w1"), queue.claim("w2"), queue.claim("w3")]
    assert [job.id if job else None for job in claimed] == [first, other, None]
    assert claimed[0] is not None
    assert claimed[0].request == {"project": {"name": "shop", "description": ""}}
    queue.finish("w1", first, "succeeded", "Done")
    job = queue.claim("w3")
    assert job is not None
    assert (job.id, job.attempt) == (second, 1)


def test_a_requeued_job_goes_before_the_later_ones_of_its_project(portal: WorkerPortal) -> None:
    first, _second = portal.enqueue("shop"), portal.enqueue("shop")
    queue.claim("w1")
    assert queue.recover("w1", first, "The worker stopped") == "queued"
    job = queue.claim("w2")
    assert job is not None
    assert (job.id, job.attempt) == (first, 2)


def test_many_workers_at_once_never_share_a_project(portal: WorkerPortal) -> None:
    projects = ["shop", "blog", "mail"]
    wanted = defaultdict(list)
    for _round in range(6):
        for project in projects:
            wanted[project].append(portal.enqueue(project))
    running: set[str] = set()
    done: dict[str, list[str]] = defaultdict(list)
    lock = threading.Lock()
    clashes: list[queue.ClaimedJob] = []

    def work(worker: str) -> None:
        with portal.app.app_context():
            while sum(len(ids) for ids in done.values()) < 18 and not clashes:
                job = queue.claim(worker)
                if job is None:
                    continue
                with lock:
                    if job.project_name in running:
                        clashes.append(job)
                    running.add(job.project_name)
                queue.add_events(worker, job.id, [NewEvent("log", worker)])
                with lock:
                    running.discard(job.project_name)
                    done[job.project_name].append(job.id)
                queue.finish(worker, job.id, "succeeded", "Done")

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not clashes
    assert done == wanted, "each job once, in its project's order"


def test_only_the_holder_may_write(portal: WorkerPortal) -> None:
    job_id = portal.enqueue("shop")
    queue.claim("w1")
    event = [NewEvent("log", "hello")]
    assert not queue.add_events("w2", job_id, event)
    assert not queue.finish("w2", job_id, "succeeded", "Done")
    assert not queue.put_back("w2", job_id, "why")
    assert queue.recover("w2", job_id, "why") is None
    assert queue.heartbeat("w2", [job_id]) == set()
    assert queue.heartbeat("w1", [job_id]) == {job_id}
    assert queue.add_events("w1", job_id, event)
    assert queue.finish("w1", job_id, "failed", "No")
    assert not queue.add_events("w1", job_id, event), "nothing comes after the end"
    assert [event.text for event in portal.events(job_id)] == [
        "Waiting for a worker",
        "Started",
        "hello",
        "No",
    ]


def test_a_lost_job_is_taken_over_once(portal: WorkerPortal) -> None:
    fresh, lost = portal.enqueue("blog"), portal.enqueue("shop")
    queue.claim("alive")
    portal.abandon(lost, "dead")
    with Session(db.engine) as session:
        found = queue.lost_jobs(session)
        mine = queue.lost_jobs(session, {"alive"})
    assert [(job.id, job.worker) for job in found] == [(lost, "dead")]
    assert {job.id for job in mine} == {fresh, lost}
    assert queue.take_over("w1", found[0])
    assert not queue.take_over("w2", found[0])
    assert queue.heartbeat("dead", [lost]) == set(), "it hears that the job is not its own any more"


def test_the_second_death_is_the_last(portal: WorkerPortal) -> None:
    portal.project("shop")
    job_id = portal.enqueue("shop", kind="project.create")
    for _attempt in range(2):
        queue.claim("w1")
        queue.recover("w1", job_id, "The worker stopped while this job was running")
    job = portal.job(job_id)
    assert job.state == "failed"
    assert job.message.startswith("The worker stopped while this job was running, for the second time.")
    assert portal.state_of("shop") == "failed"


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("project.create", "succeeded", "ready"),
        ("project.create", "failed", "failed"),
        ("project.create", "cancelled", "failed"),
        ("project.update", "cancelled", "ready"),
        ("project.archive", "succeeded", "ready"),
        ("project.wake", "failed", "failed"),
        ("project.delete", "failed", "blocked"),
        ("project.delete", "succeeded", None),
    ],
)
def test_the_end_settles_the_project(
    sqlite_portal: WorkerPortal, kind: str, state: str, expected: str | None
) -> None:
    sqlite_portal.project("shop")
    job_id = sqlite_portal.enqueue("shop", kind=kind)
    queue.claim("w1")
    queue.finish("w1", job_id, state, "So it was")
    assert sqlite_portal.state_of("shop") == expected


@pytest.mark.parametrize(
    ("before", "started", "kind", "expected"),
    [
        (("project.create", "succeeded"), True, "project.update", "ready"),
        (("project.create", "succeeded"), False, "project.delete", "ready"),
        (("project.create", "succeeded"), True, "project.delete", "blocked"),
        (("project.update", "failed"), False, "project.update", "failed"),
        (("project.delete", "failed"), False, "project.delete", "blocked"),
        (("project.create", "cancelled"), False, "project.update", "failed"),
        (("project.update", "cancelled"), True, "project.update", "ready"),
    ],
)
def test_what_was_cancelled_leaves_the_state_of_before(
    sqlite_portal: WorkerPortal, before: tuple[str, str], started: bool, kind: str, expected: str
) -> None:
    sqlite_portal.project("shop")
    earlier = sqlite_portal.enqueue("shop", kind=before[0])
    queue.claim("w1")
    queue.finish("w1", earlier, before[1], "So it was")
    job_id = sqlite_portal.enqueue("shop", kind=kind)
    if started:
        queue.claim("w1")
        queue.finish("w1", job_id, "cancelled", "Cancelled")
    else:
        services.cancel(sqlite_portal.user(), job_id)
    assert sqlite_portal.state_of("shop") == expected


def test_a_plan_touches_no_state_and_waits_for_nobody(sqlite_portal: WorkerPortal) -> None:
    sqlite_portal.project("shop")
    with writing() as session:
        project = session.scalars(select(Project)).one()
        session.add(Application(project_id=project.id, name="web", spec={}, state="updating"))
    update = sqlite_portal.enqueue("shop", kind="application.update", application_name="web")
    plan = sqlite_portal.enqueue("shop", kind="application.plan", application_name="web")
    queue.claim("w1")
    queue.finish("w1", update, "succeeded", "So it was")
    queue.claim("w1")
    queue.finish("w1", plan, "failed", "It does not fit")
    with Session(db.engine) as session:
        assert session.scalars(select(Application.state)).one() == "ready"


def test_an_end_does_not_hide_that_more_is_to_come(sqlite_portal: WorkerPortal) -> None:
    sqlite_portal.project("shop")
    first = sqlite_portal.enqueue("shop", kind="project.create")
    sqlite_portal.enqueue("shop", kind="project.delete")
    queue.claim("w1")
    queue.finish("w1", first, "succeeded", "Done")
    assert sqlite_portal.state_of("shop") == "creating", "as the services left it, for the deletion to change"


def test_jobs_that_wait_for_a_deleted_project_are_cancelled(portal: WorkerPortal) -> None:
    portal.project("shop")
    deletion = portal.enqueue("shop", kind="project.delete")
    later = portal.enqueue("shop", kind="application.create")
    queue.claim("w1")
    queue.finish("w1", deletion, "succeeded", "Done")
    job = portal.job(later)
    assert (job.state, job.request) == ("cancelled", None)
    assert job.message == "Project 'shop' was deleted before this job started."
