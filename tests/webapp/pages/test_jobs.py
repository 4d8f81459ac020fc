"""Pages of jobs."""

import json

import pytest

from tests.webapp.cluster import StatedCluster
from tests.webapp.pages.conftest import URL, Visit
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.applications import services as applications
from webapp.applications.schemas import NewApplication
from webapp.auth import services as auth
from webapp.cluster.state import Namespace
from webapp.db import db, writing
from webapp.jobs.effects import end
from webapp.jobs.events import NewEvent, append
from webapp.jobs.models import Job
from webapp.openapi import Portal
from webapp.projects import services as projects
from webapp.projects.schemas import ProjectSpec


@pytest.fixture
def job(app: Portal) -> str:
    """Id of a waiting job of ada's that makes the project shop."""
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        return projects.create(user, ProjectSpec.model_validate(SHOP))[1].id


def tell(app: Portal, job_id: str, *events: NewEvent) -> None:
    """Let the job run and add events to it."""
    with app.app_context(), writing() as session:
        found = session.get_one(Job, job_id)
        found.state = "running"
        append(session, found, events)


def test_the_empty_list_says_what_to_do_first(visit: Visit) -> None:
    assert "No job yet" in visit("ada").get("/jobs").text


def test_jobs_are_listed_for_those_who_may_see_them(visit: Visit, job: str) -> None:
    for name in ("ada", "dev", "eve", "root"):
        assert "Create project shop" in visit(name).get("/jobs").text
        assert visit(name).get(f"/jobs/{job}").status == 200
    assert "Create project shop" not in visit("out").get("/jobs").text
    for path in (f"/jobs/{job}", f"/jobs/{job}/events"):
        assert visit("out").get(path).status == 404
    assert visit("ada").get("/jobs?project=lab").text.count("No such job") == 1


def test_a_running_job_shows_its_lines_without_scripts(visit: Visit, app: Portal, job: str) -> None:
    tell(app, job, NewEvent("task", "Release the project"), NewEvent("progress", "<b>1</b> of 2"))
    page = visit("dev").get(f"/jobs/{job}")
    assert "Running" in page.text
    assert "Release the project" in page.text
    assert "&lt;b&gt;1&lt;/b&gt; of 2" in page.html
    assert "Refresh to see new lines." in page.text
    assert f'data-stream="/jobs/{job}/events"' in page.html
    assert 'data-last="3"' in page.html
    assert "Cancel job" in page.text


def test_a_viewer_cannot_cancel(visit: Visit, app: Portal, job: str) -> None:
    eve = visit("eve")
    assert "Cancel job" not in eve.get(f"/jobs/{job}").text
    assert eve.post(f"/jobs/{job}/cancel").status == 403
    with app.app_context():
        assert db.session.get_one(Job, job).state == "queued"


def test_a_waiting_job_is_cancelled(visit: Visit, app: Portal, job: str) -> None:
    ada = visit("ada")
    assert ada.post(f"/jobs/{job}/cancel").address == f"/jobs/{job}"
    page = ada.get(f"/jobs/{job}")
    assert "Cancelled by ada before it started" in page.text
    assert "data-stream" not in page.html
    assert ada.post(f"/jobs/{job}/cancel").address == f"/jobs/{job}"


def test_a_running_job_says_that_it_is_being_cancelled(visit: Visit, app: Portal, job: str) -> None:
    tell(app, job, NewEvent("state", "Started", {"state": "running"}))
    ada = visit("ada")
    ada.post(f"/jobs/{job}/cancel")
    assert "Cancelling" in ada.get(f"/jobs/{job}").text


def test_a_receipt_lists_what_went_and_what_is_left(visit: Visit, app: Portal, job: str) -> None:
    with app.app_context(), writing() as session:
        found = session.get_one(Job, job)
        found.result = {
            "removed": [{"kind": "Namespace", "name": "shop"}, {"kind": "Secret", "name": "key"}],
            "left": [{"kind": "PersistentVolume", "name": "pv-1"}],
        }
        found.state = "failed"
    page = visit("ada").get(f"/jobs/{job}")
    assert "2 objects removed, 1 left" in page.text
    assert "Left: PersistentVolume pv-1" in page.text
    assert "Namespace shop" in page.text


def test_a_success_is_told_with_the_address(
    visit: Visit, app: Portal, cluster: StatedCluster, job: str
) -> None:
    end_jobs(app)
    cluster.namespaces["shop"] = Namespace("shop", "shop", False)
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        web = applications.create(user, "shop", NewApplication.model_validate(WEB))[1].id
        with writing() as session:
            result = {"url": "http://web.shop.localhost:8080", "revision": 1}
            append(session, session.get_one(Job, web), [NewEvent("result", "", result)])
            end(session, session.get_one(Job, web), "succeeded", "Done", result)
    page = visit("dev").get(f"/jobs/{web}")
    assert "Application 'web' is ready. It answers at http://web.shop.localhost:8080 ." in page.text
    assert page.html.count('class="e-') == 3  # waiting, the end, and the browser's template


def test_the_stream_takes_up_where_the_page_ended(visit: Visit, app: Portal, job: str) -> None:
    tell(app, job, NewEvent("task", "Release"), NewEvent("ok", "Release"))
    end_jobs(app)
    ada = visit("ada")
    answer = ada.client.get(f"/jobs/{job}/events?after=1", base_url=URL)
    assert answer.mimetype == "text/event-stream"
    lines = [
        json.loads(line[6:])
        for line in answer.get_data(as_text=True).splitlines()
        if line.startswith("data: ")
    ]
    assert [(event["number"], event["kind"], event["text"]) for event in lines] == [
        (2, "task", "Release"),
        (3, "ok", "Release"),
        (4, "state", "it succeeded"),
    ]
    resumed = ada.client.get(f"/jobs/{job}/events?after=1", base_url=URL, headers={"Last-Event-ID": "3"})
    assert resumed.get_data(as_text=True).count("data: ") == 1
    assert ada.client.get(f"/jobs/{job}/events?after=4", base_url=URL).status_code == 204


def test_the_stream_of_a_stranger_does_not_lead_to_a_page(visit: Visit, job: str) -> None:
    answer = visit().get(f"/jobs/{job}/events", headers={"Accept": "text/event-stream"})
    assert answer.status == 401


def test_long_lists_have_pages(visit: Visit, app: Portal, job: str) -> None:
    end_jobs(app)
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        for _ in range(30):
            projects.update(user, "shop", ProjectSpec.model_validate(SHOP))
    ada = visit("ada")
    first = ada.get("/jobs")
    assert "Create project shop" not in first.text
    following = first.html.partition('<a class="btn" href="/jobs?after=')[2].partition('"')[0]
    second = ada.get(f"/jobs?after={following}")
    assert "Create project shop" in second.text
    assert "First page" in second.text


def test_the_list_is_filtered_and_keeps_what_was_chosen(visit: Visit, app: Portal, job: str) -> None:
    ada = visit("ada")
    assert "Create project shop" in ada.get("/jobs?kind=project.create&state=queued&user=ada&project=").text
    page = ada.get("/jobs?kind=project.delete&since=2026-01-31")
    assert "No such job" in page.text
    assert '<option value="project.delete" selected>Delete project</option>' in page.html
    assert 'value="2026-01-31"' in page.html
    page = ada.get("/jobs?since=yesterday&state=lost")
    assert "From: Write a day like 2026-01-31." in page.text
    assert "State: Choose one of queued" in page.text
    assert "Create project shop" in page.text
    assert "Create project shop" in ada.get("/jobs?until=2999-12-31&since=2020-01-01").text


def test_a_waiting_job_tells_why_and_how_to_do_it_by_hand(visit: Visit, job: str) -> None:
    page = visit("eve").get(f"/jobs/{job}")
    assert "Next in line: no worker is alive" in page.text
    assert "data-waiting" in page.html
    assert "ansible-playbook -i localhost, playbooks/project.yml -e request_file=$PWD/shop.yml" in page.text
    assert "description: Our web shop" in page.text


def test_a_failed_job_is_retried_by_those_who_may(visit: Visit, app: Portal, job: str) -> None:
    end_jobs(app, "failed")
    for name in ("dev", "eve"):
        assert "Retry" not in visit(name).get(f"/jobs/{job}").text
        assert visit(name).post(f"/jobs/{job}/retry").status == 403
    ada = visit("ada")
    assert "Retry" in ada.get(f"/jobs/{job}").text
    again = ada.post(f"/jobs/{job}/retry").address
    assert again.startswith("/jobs/")
    assert again != f"/jobs/{job}"
    assert f'href="/jobs/{job}"' in ada.get(again).html
    page = ada.get(f"/jobs/{job}")
    assert f'href="{again}"' in page.html
    assert ">Retry<" not in page.html
    assert ada.post(f"/jobs/{job}/retry").address == f"/jobs/{job}", "only once"
