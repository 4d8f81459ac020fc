"""What a job's run writes for its user to read."""

from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from tests.worker.portal import CHECKOUT, WorkerPortal
from webapp.db import db, writing
from webapp.jobs.models import Job

pytestmark = pytest.mark.slow


def test_a_successful_job_tells_its_story_and_settles_the_project(portal: WorkerPortal) -> None:
    worker = portal.worker()
    portal.project("shop")
    job_id = portal.enqueue("shop", kind="project.create")
    job = portal.wait(job_id)
    assert (job.state, job.message) == ("succeeded", "Project 'shop' is ready.")
    assert job.result == {"name": "shop", "state": "present"}
    assert (job.attempt, job.worker, job.request) == (1, None, None)
    assert portal.state_of("shop") == "ready"

    events = portal.events(job_id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert job.last_event == len(events)
    lines = [(event.kind, event.text) for event in events]
    assert lines[:4] == [
        ("state", "Waiting for a worker"),
        ("state", "Started"),
        ("task", "Read the request"),
        ("ok", "Read the request"),
    ]
    assert ("skipped", "Run a program") in lines
    assert lines[-5:] == [
        ("progress", "1 of 2 pods ready"),
        ("progress", "2 of 2 pods ready"),
        ("ok", "Say how far it is"),
        ("result", ""),
        ("state", "Project 'shop' is ready."),
    ]
    assert events[-1].data == {"state": "succeeded"}
    assert events[3].data is not None
    assert 0 < events[3].data["duration"] < 10
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)

    deletion = portal.wait(portal.enqueue("shop", kind="project.delete"))
    assert deletion.result == {"name": "shop", "state": "absent"}
    assert portal.state_of("shop") is None
    assert portal.job(job_id).state == "succeeded", "the story of a deleted project stays readable"
    assert not list((portal.folder / "jobs" / "worker-0" / "jobs").iterdir())
    assert len(worker.family()) == 1, "between jobs there is the launcher alone"


def test_a_plan_runs_the_playbook_in_check_and_diff_mode(sqlite_portal: WorkerPortal) -> None:
    sqlite_portal.worker()
    sqlite_portal.project("shop")
    for kind, checks, state in (
        ("application.plan", True, "present"),
        ("application.restart", False, "present"),
        ("application.delete", False, "absent"),
    ):
        job = sqlite_portal.wait(sqlite_portal.enqueue("shop", kind=kind, application_name="web"))
        assert (job.state, job.result) == ("succeeded", {"state": state, "check": checks, "diff": checks})
    assert job.message == "Application 'web' is gone, with everything that belonged to it."


def test_a_failure_is_the_sentence_of_the_task(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    portal.worker()
    portal.project("refused")
    job = portal.wait(portal.enqueue("refused", kind="project.create"))
    assert job.state == "failed"
    assert job.message == "Project 'refused' has 300m CPU left; this application asks for 500m."
    assert portal.state_of("refused") == "failed"
    assert ("failed", job.message) in [(event.kind, event.text) for event in portal.events(job.id)]

    portal.project("hidden")
    job = portal.wait(portal.enqueue("hidden", token="the-token"))
    assert job.state == "failed"
    assert job.message == (
        "'Fail with a secret in hand' failed; its output is not shown because it may hold secrets"
    )

    job = portal.wait(portal.enqueue("hidden", kind="project.delete", token="the-token"))
    assert portal.state_of("hidden") == "blocked"


def test_a_playbook_that_is_none_fails_with_a_reason(sqlite_portal: WorkerPortal) -> None:
    home = sqlite_portal.folder / "home"
    (home / "playbooks").mkdir(parents=True)
    (home / "migrations").symlink_to(CHECKOUT / "migrations")
    (home / "playbooks" / "project.yml").write_text("- hosts: localhost\n  tasks: 5\n")
    sqlite_portal.worker(CROFT_HOME=str(home))
    job = sqlite_portal.wait(sqlite_portal.enqueue("shop"))
    assert job.state == "failed"
    assert "malformed block" in job.message
    missing = sqlite_portal.wait(sqlite_portal.enqueue("shop", kind="application.create"))
    assert missing.state == "failed"
    assert "application.yml could not be found" in missing.message


def test_templates_in_a_request_stay_inert(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    mark = portal.folder / "executed"
    payloads = [
        f"{{{{ lookup('ansible.builtin.pipe', 'touch {mark}') }}}}",
        f"{{% set x = lookup('ansible.builtin.pipe', 'touch {mark}') %}}",
        f"{{{{ cycler.__init__.__globals__.os.system('touch {mark}') }}}}",
    ]
    plain = {"name": "shop", "description": "copy x"}
    jobs = {}
    for number, payload in enumerate(payloads):
        for request in (
            {**plain, "name": payload},
            {**plain, "description": f"copy {payload}"},
            {**plain, payload: "x"},
        ):
            jobs[portal.enqueue(f"shop-{number}", request=request)] = request
    portal.worker()
    for job_id, request in jobs.items():
        job = portal.wait(job_id)
        # Refused, or passed through as it stands; either way nothing was executed.
        if job.state == "failed":
            assert "untrusted template" in job.message, (request, job.message)
        else:
            assert job.result is not None
            assert job.result["name"] == request["name"]
        assert not mark.exists(), request
    assert {job.state for job in map(portal.job, jobs)} == {"failed", "succeeded"}


def test_secrets_are_nowhere_but_in_the_request_file(sqlite_portal: WorkerPortal) -> None:
    portal = sqlite_portal
    token = "s3cret-7d9e0c1b"
    worker = portal.worker()
    portal.project("shop")
    job_id = portal.enqueue("shop", "sleep 2", token=token)
    portal.wait_for_process(job_id)

    processes = worker.family()
    assert len(processes) >= 4
    seen = 0
    for pid in processes:
        for name in ("cmdline", "environ"):
            try:
                content = Path(f"/proc/{pid}/{name}").read_text(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            seen += 1
            assert token not in content
            assert not [key for key in portal.keys if key in content]
            assert "CROFT_DATABASE_URL" not in content
    assert seen >= 8

    folder = portal.folder / "jobs" / "worker-0" / "jobs" / f"{job_id}-1"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "request.json").stat().st_mode & 0o777 == 0o600
    holding = [
        path for path in folder.rglob("*") if path.is_file() and token in path.read_text(errors="replace")
    ]
    assert holding == [folder / "request.json"]
    assert not [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(key in path.read_text(errors="replace") for key in portal.keys)
    ]

    assert portal.wait(job_id).state == "succeeded"
    assert not folder.exists()
    assert token not in worker.log
    assert not any(token in f"{event.text} {event.data}" for event in portal.events(job_id))
    raw = db.session.connection().exec_driver_sql("SELECT request, message, result FROM jobs").all()
    assert token not in str(raw)
    files = [path.read_bytes() for path in portal.folder.glob("portal.db*")]
    assert files
    assert not any(token.encode() in content for content in files)


def test_what_a_playbook_leaves_running_ends_with_it(sqlite_portal: WorkerPortal) -> None:
    worker = sqlite_portal.worker()
    job = sqlite_portal.wait(sqlite_portal.enqueue("shop", "leave 300"))
    assert job.state == "succeeded"
    assert len(worker.family()) == 1


def test_jobs_table_refuses_two_running_jobs_of_a_project(portal: WorkerPortal) -> None:
    ids = [portal.enqueue("shop"), portal.enqueue("shop")]
    with pytest.raises(IntegrityError), writing() as session:
        session.execute(update(Job).where(Job.id.in_(ids)).values(state="running"))
