"""Why a job waits, in words that name what it waits for."""

from datetime import timedelta

from sqlalchemy import update

from tests.webapp.conftest import Api
from tests.webapp.jobs.conftest import NewJob
from webapp.db import utcnow, writing
from webapp.jobs import queue
from webapp.openapi import Portal
from webapp.worker.models import WorkerSign


def _waiting(api: Api, job_id: str) -> tuple[int, str, str | None] | None:
    found = api("ada").send("GET", f"/jobs/{job_id}").json["waiting"]
    return found and (found["position"], found["reason"], found["job"])


def test_nobody_is_there_to_take_it(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    job_id = new_job()
    nobody = "Next in line: no worker is alive, so nothing starts until the operator starts one"
    assert _waiting(api, job_id) == (1, nobody, None)
    with app.app_context():
        queue.sign("w1", 2)
    assert _waiting(api, job_id) == (1, "Next in line: a worker takes it in a moment", None)
    with app.app_context(), writing() as session:
        session.execute(update(WorkerSign).values(heartbeat_at=utcnow() - timedelta(minutes=1)))
    assert _waiting(api, job_id) == (1, nobody, None)
    with app.app_context():
        queue.sign("w1", 2)
        queue.sign_off("w1")
    assert _waiting(api, job_id) == (1, nobody, None)


def test_the_line_of_a_project(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    first, second, third = (new_job() for _number in range(3))
    with app.app_context():
        queue.sign("w1", 2)
        queue.claim("w1")
    assert _waiting(api, first) is None
    why = "waits for the job 'Change project shop' of the same project, which"
    assert _waiting(api, second) == (1, f"Next in line: {why} runs", f"/api/v1/jobs/{first}")
    assert _waiting(api, third) == (2, f"2nd in line: {why} waits too", f"/api/v1/jobs/{second}")


def test_the_line_for_a_slot(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    new_job(project="one")
    two, three = new_job(project="two"), new_job(project="three")
    with app.app_context():
        queue.sign("w1", 1)
        queue.claim("w1")
    slots = "waits for a free worker slot (1 of 1 in use)"
    assert _waiting(api, two) == (1, f"Next in line: {slots}", None)
    assert _waiting(api, three) == (2, f"2nd in line: {slots}", None)
