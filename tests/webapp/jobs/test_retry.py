"""Doing an ended job again."""

from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.conftest import Api
from tests.webapp.jobs.conftest import NewJob
from webapp.applications.models import Application
from webapp.audit.models import AuditEntry
from webapp.db import db, writing
from webapp.jobs import queue
from webapp.jobs.models import Job
from webapp.openapi import Portal
from webapp.projects.models import Project

UPDATE = {"kind": "application.update", "application_name": "web", "request": {"application": {"old": 1}}}


@pytest.fixture
def web(app: Portal, shop: None) -> None:
    """The application web of the project shop."""
    with app.app_context(), writing() as session:
        project = session.scalars(select(Project)).one()
        spec = {"project": "shop", "name": "web", "new": 2}
        session.add(Application(project_id=project.id, name="web", spec=spec, state="updating"))


def _end(app: Portal, state: str = "failed") -> None:
    with app.app_context():
        claimed = queue.claim("w1")
        assert claimed is not None
        queue.finish("w1", claimed.id, state, "So it was")


def _refused(answer: Any) -> str:
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict")
    return answer.json["detail"]


def test_a_retry_takes_the_present_settings(app: Portal, api: Api, web: None, new_job: NewJob) -> None:
    first = new_job(**UPDATE)
    _end(app)
    answer = api("dev").send("POST", f"/jobs/{first}/retry")
    assert answer.status_code == 202
    second = answer.json["id"]
    assert answer.headers["Location"] == f"/api/v1/jobs/{second}" != f"/api/v1/jobs/{first}"
    assert (answer.json["kind"], answer.json["state"], answer.json["user"]) == (
        "application.update",
        "queued",
        "dev",
    )
    assert answer.json["links"]["retryOf"] == f"/api/v1/jobs/{first}"
    assert api("eve").send("GET", f"/jobs/{first}").json["retriedBy"] == f"/api/v1/jobs/{second}"
    with app.app_context():
        job = db.session.get_one(Job, second)
        assert job.request == {"application": {"project": "shop", "name": "web", "new": 2}}
        assert db.session.scalars(select(Application.state)).one() == "updating"
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("job.%"))).one()
        assert (entry.action, entry.user_name, entry.job_id) == ("job.retry", "dev", second)
    assert "It was retried already" in _refused(api("dev").send("POST", f"/jobs/{first}/retry"))
    _end(app, "succeeded")
    assert "this one is succeeded" in _refused(api("dev").send("POST", f"/jobs/{second}/retry"))


def test_what_cannot_be_retried_says_why(app: Portal, api: Api, web: None, new_job: NewJob) -> None:
    ada = api("ada")
    job_id = new_job(**UPDATE)
    assert "this one is queued" in _refused(ada.send("POST", f"/jobs/{job_id}/retry"))
    _end(app, "cancelled")
    plan = new_job(**UPDATE | {"kind": "application.plan"})
    _end(app)
    assert "make a new one" in _refused(ada.send("POST", f"/jobs/{plan}/retry"))
    assert ada.send("POST", f"/jobs/{job_id}/retry").status_code == 202, "a plan changes nothing"
    _end(app)
    later = new_job("dev", **UPDATE)
    _end(app, "succeeded")
    detail = _refused(ada.send("POST", f"/jobs/{job_id}/retry"))
    assert detail.startswith("Another change came since: 'Change application web' by dev.")
    with app.app_context(), writing() as session:
        session.delete(session.scalars(select(Application)).one())
    failed = new_job(**UPDATE)
    _end(app)
    assert "Application 'web' is gone" in _refused(ada.send("POST", f"/jobs/{failed}/retry"))
    with app.app_context(), writing() as session:
        session.delete(session.scalars(select(Project)).one())
    assert "Project 'shop' is gone" in _refused(ada.send("POST", f"/jobs/{failed}/retry"))
    assert later != failed


@pytest.mark.parametrize(
    ("kind", "state", "answers"),
    [
        ("project.update", "updating", (202, 202, 403, 403, 404, 401)),
        ("project.delete", "deleting", (202, 202, 403, 403, 404, 401)),
        ("application.update", "updating", (202, 202, 202, 403, 404, 401)),
    ],
)
def test_who_may_retry(
    app: Portal, api: Api, web: None, new_job: NewJob, kind: str, state: str, answers: tuple[int, ...]
) -> None:
    subject = kind.split(".")[0]
    target: Any = Project if subject == "project" else Application
    callers = ("root", "ada", "dev", "eve", "out", None)
    for caller, status in zip(callers, answers, strict=True):
        name = None if subject == "project" else "web"
        job_id = new_job("root", kind=kind, application_name=name, request={subject: {}})
        _end(app)
        answer = api(caller).send("POST", f"/jobs/{job_id}/retry")
        assert answer.status_code == status, caller
        if status == 202:
            with app.app_context():
                assert db.session.scalars(select(target.state)).one() == state
            _end(app)
