"""/api/v1/jobs: who sees what, pages, filters, events and cancelling."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tests.webapp.conftest import Api
from tests.webapp.jobs.conftest import NewJob
from webapp.audit.models import AuditEntry
from webapp.auth.models import User
from webapp.db import db, utcnow, writing
from webapp.jobs import queue
from webapp.jobs.events import NewEvent
from webapp.openapi import Portal
from webapp.projects.models import Project


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
    assert _ids(api("dev").send("GET", "/jobs")) == []
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
        assert ada.send("GET", f"/jobs?cursor={bad}").status_code == 422, bad


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
        "retry": None,
        "retryOf": None,
        "project": "/api/v1/projects/shop",
        "application": None,
    }
    assert "s3cret" not in answer.text
    with app.app_context():
        queue.claim("w1")
        queue.finish("w1", job_id, "failed", "No room", None, [])
    job = api("ada").send("GET", f"/jobs/{job_id}").json
    assert (job["state"], job["message"], job["links"]["cancel"]) == ("failed", "No room", None)
    assert job["links"]["retry"] == f"{path}/retry"
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


def test_lists_are_filtered_by_kind_user_and_time(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    first, second = new_job(), new_job("dev", kind="project.archive")
    ada = api("ada")
    assert _ids(ada.send("GET", "/jobs?kind=project.archive")) == [second]
    assert _ids(ada.send("GET", "/jobs?user=ada")) == [first]
    assert _ids(ada.send("GET", "/jobs?user=nobody")) == []
    moment = ada.send("GET", f"/jobs/{second}").json["createdAt"]
    assert _ids(ada.send("GET", "/jobs", query_string={"since": moment})) == [second]
    assert _ids(ada.send("GET", "/jobs", query_string={"until": moment})) == [first]
    page = ada.send("GET", "/jobs", query_string={"since": "2020-01-01", "limit": 1, "user": "ada"})
    assert page.status_code == 200
    new_job()
    page = ada.send("GET", "/jobs", query_string={"since": "2020-01-01T00:00:00Z", "limit": 1, "user": "ada"})
    following = ada.send("GET", page.json["links"]["next"])
    assert _ids(following) == [first], "the next page keeps the filter"
    for wrong in ("kind=project.rename", "since=yesterday", "since=0001-01-01T00:00:00%2B14:00"):
        answer = ada.send("GET", f"/jobs?{wrong}")
        assert answer.status_code == 422, wrong
        assert answer.json["errors"][0]["field"] == wrong.split("=")[0]


def test_a_success_is_a_sentence(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    job_id = new_job()
    with app.app_context():
        queue.claim("w1")
        queue.finish("w1", job_id, "succeeded", "Done")
    message = api("ada").send("GET", f"/jobs/{job_id}").json["message"]
    assert message == "Project 'shop' has its new settings."


def test_jobs_of_a_deleted_project_stay_readable(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    of_dev = new_job("dev")
    deletion = new_job("root", kind="project.delete")
    with app.app_context():
        for _number in range(2):
            claimed = queue.claim("w1")
            assert claimed is not None
            queue.finish("w1", claimed.id, "succeeded", "Done")
    both = [deletion, of_dev]
    for name, expected in (("root", both), ("ada", both), ("dev", [of_dev]), ("eve", []), ("out", [])):
        assert _ids(api(name).send("GET", "/jobs")) == expected, name
        status = api(name).send("GET", f"/jobs/{deletion}/events").status_code
        assert status == (200 if deletion in expected else 404)
    # Somebody else's new project with the name shows none of them to the new owner, all to the old one.
    with app.app_context(), writing() as session:
        out = session.scalars(select(User).where(User.name == "out")).one()
        session.add(Project(name="shop", owner_id=out.id, spec={}, state="ready"))
    assert _ids(api("out").send("GET", "/jobs")) == []
    assert _ids(api("ada").send("GET", "/jobs")) == both


def test_cancelling_is_audited_once(app: Portal, api: Api, shop: None, new_job: NewJob) -> None:
    job_id = new_job()
    with app.app_context():
        queue.claim("w1")
    for _time in range(2):
        assert api("dev").send("POST", f"/jobs/{job_id}/cancel").status_code == 202
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "job.cancel")).one()
        assert (entry.user_name, entry.project_name, entry.job_id, entry.via) == (
            "dev",
            "shop",
            job_id,
            "api",
        )
