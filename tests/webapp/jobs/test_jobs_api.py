"""/api/v1/jobs: who sees what, pages, filters, events and cancelling."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.conftest import Api
from webapp.auth.models import User
from webapp.db import utcnow, writing
from webapp.jobs import queue, services
from webapp.jobs.events import NewEvent
from webapp.openapi import Portal
from webapp.projects.models import Membership, Project

NewJob = Callable[..., str]


@pytest.fixture
def shop(app: Portal) -> None:
    """The project `shop` of ada, with dev as a developer and eve as a viewer."""
    with app.app_context(), writing() as session:
        ids = {user.name: user.id for user in session.scalars(select(User))}
        project = Project(name="shop", owner_id=ids["ada"], spec={}, state="ready")
        session.add(project)
        session.flush()
        for name, role in (("dev", "developer"), ("eve", "viewer")):
            session.add(Membership(project_id=project.id, user_id=ids[name], role=role))


@pytest.fixture
def new_job(app: Portal) -> NewJob:
    """Queue a job of `user` for a project."""

    def enqueue(user: str = "ada", project: str = "shop", **fields: Any) -> str:
        with app.app_context(), writing() as session:
            asking = session.scalars(select(User).where(User.name == user)).one()
            values = {"kind": "project.update", "request": {"project": {}}, **fields}
            return services.enqueue(session, project_name=project, user=asking, **values).id

    return enqueue


def _ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


def test_members_see_the_projects_jobs_and_strangers_none(api: Api, shop: None, new_job: NewJob) -> None:
    job_id = new_job()
    for name in ("root", "ada", "dev", "eve"):
        assert _ids(api(name).send("GET", "/jobs")) == [job_id]
        assert api(name).send("GET", f"/jobs/{job_id}").status_code == 200
    assert _ids(api("out").send("GET", "/jobs")) == []
    for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/events"):
        answer = api("out").send("GET", path)
        assert (answer.status_code, answer.json["type"]) == (404, "/problems/job-not-found")
    assert api("out").send("POST", f"/jobs/{job_id}/cancel").status_code == 404
    assert api(None).send("GET", "/jobs").status_code == 401


def test_jobs_of_an_earlier_project_with_the_name_stay_hidden(
    app: Portal, api: Api, shop: None, new_job: NewJob
) -> None:
    job_id = new_job("out")
    with app.app_context(), writing() as session:
        project = session.scalars(select(Project)).one()
        project.created_at = utcnow() + timedelta(seconds=1)
    assert _ids(api("ada").send("GET", "/jobs")) == []
    assert _ids(api("out").send("GET", "/jobs")) == [job_id], "whose job it is still sees it"


def test_pages_and_filters(api: Api, shop: None, new_job: NewJob) -> None:
    ids = [new_job() for _number in range(5)]
    application = {"kind": "application.create", "application_name": "web", "request": {"application": {}}}
    ids.append(new_job(**application))
    other = new_job("ada", "blog")
    ada = api("ada")
    found, path = [], "/api/v1/jobs?limit=2&project=shop"
    while path:
        page = ada.send("GET", path).json
        assert 1 <= len(page["items"]) <= 2
        found += [item["id"] for item in page["items"]]
        path = page["links"]["next"]
    assert found == ids[::-1], "newest first, each once"
    assert _ids(ada.send("GET", "/jobs?project=blog")) == [other]
    assert _ids(ada.send("GET", "/jobs?application=web&state=queued")) == [ids[-1]]
    assert _ids(ada.send("GET", "/jobs?state=running")) == []
    for bad in ("state=lost", "limit=0", "limit=1000", "order=asc"):
        assert ada.send("GET", f"/jobs?{bad}").status_code == 422, bad
    for bad in ("x", "W10", "WyJ4IiwgMV0"):
        assert ada.send("GET", f"/jobs?cursor={bad}").status_code == 400, bad


def test_a_job_shows_its_links_and_never_its_request(
    app: Portal, api: Api, shop: None, new_job: NewJob
) -> None:
    job_id = new_job(request={"project": {"token": "s3cret"}})
    answer = api("ada").send("GET", f"/jobs/{job_id}")
    path = f"/api/v1/jobs/{job_id}"
    assert answer.json["links"] == {
        "self": path,
        "events": f"{path}/events",
        "cancel": f"{path}/cancel",
        "project": "/api/v1/projects/shop",
        "application": None,
    }
    assert "s3cret" not in answer.text
    with app.app_context():
        queue.claim("w1")
        queue.finish("w1", job_id, "failed", "No room", None, [])
    job = api("ada").send("GET", f"/jobs/{job_id}").json
    assert (job["state"], job["message"], job["links"]["cancel"]) == ("failed", "No room", None)
    assert job["finishedAt"] >= job["startedAt"] >= job["createdAt"]


def test_events_as_json_go_on_where_the_last_page_ended(
    app: Portal, api: Api, shop: None, new_job: NewJob
) -> None:
    job_id = new_job()
    with app.app_context():
        queue.claim("w1")
        queue.add_events("w1", job_id, [NewEvent("task", f"task {number}") for number in range(4)])
    ada = api("ada")
    first = ada.send("GET", f"/jobs/{job_id}/events?limit=4").json
    assert [item["number"] for item in first["items"]] == [1, 2, 3, 4]
    second = ada.send("GET", first["links"]["next"]).json
    assert [(item["number"], item["text"]) for item in second["items"]] == [(5, "task 2"), (6, "task 3")]
    with app.app_context():
        queue.finish(
            "w1", job_id, "succeeded", "Done", {"revision": 2}, [NewEvent("result", "", {"revision": 2})]
        )
    last = ada.send("GET", second["links"]["next"]).json
    assert [(item["kind"], item["data"]) for item in last["items"]] == [
        ("result", {"revision": 2}),
        ("state", {"state": "succeeded"}),
    ]
    assert last["links"]["next"] is None
    assert ada.send("GET", f"/jobs/{job_id}/events?after=-1").status_code == 422


def test_cancelling_takes_a_developer(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    job_id = new_job()
    refused = api("eve").send("POST", f"/jobs/{job_id}/cancel")
    assert (refused.status_code, refused.json["type"]) == (403, "/problems/role-too-low")
    answer = api("dev").send("POST", f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json["state"]) == (202, "cancelled")
    assert answer.json["message"] == "Cancelled by dev before it started"
    again = api("dev").send("POST", f"/jobs/{job_id}/cancel")
    assert (again.status_code, again.json["detail"]) == (409, "The job has ended already: it was cancelled.")

    running = new_job()
    with app.app_context():
        queue.claim("w1")
    answer = api("ada").send("POST", f"/jobs/{running}/cancel")
    assert (answer.status_code, answer.json["state"], answer.json["cancelRequested"]) == (
        202,
        "running",
        True,
    )
