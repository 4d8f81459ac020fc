"""Buttons and forms of a project that sleeps: each says that the project has to be woken first."""

from collections.abc import Callable

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.pages.conftest import Page, Visit, Visitor
from tests.webapp.pages.shop import ready_shop
from tests.webapp.projects.test_archived import DB, SHOPS, YAML, accepted, archive, contents, wake
from tests.webapp.requests import SHOP, WEB, end_jobs
from tests.webapp.test_plans import RESULT
from webapp.db import writing
from webapp.jobs.effects import end
from webapp.jobs.models import Job
from webapp.openapi import Portal

WEB_PATH = f"{SHOPS}/web"
SLEEPS = "Project 'shop' is archived; wake it first."

# What a member does on a page: a button, or a form that is opened, changed and sent.
ACTS: dict[str, Callable[[Visitor], Page]] = {
    "create": lambda dev: dev.send(f"{SHOPS}/new", {"name": "new", "image": "nginx:1", "ports.0.port": "80"}),
    "import": lambda dev: dev.send(f"{SHOPS}/import", {"yaml": YAML}),
    "edit": lambda dev: dev.send(f"{WEB_PATH}/edit", {"image": "web:new"}),
    "preview": lambda dev: dev.send(f"{WEB_PATH}/edit", {"image": "web:new", "action": "preview"}),
    "replicas": lambda dev: dev.post(f"{WEB_PATH}/replicas", {"replicas": "2"}),
    "restart": lambda dev: dev.post(f"{WEB_PATH}/restart", {"version": "2"}),
    "stop": lambda dev: dev.post(f"{WEB_PATH}/stop", {"version": "2"}),
    "start": lambda dev: dev.post(f"{SHOPS}/idle/start", {"version": "2"}),
    "roll-back": lambda dev: dev.post(f"{WEB_PATH}/revisions/1", {"version": "2"}),
    "clone-inside": lambda dev: dev.send(f"{WEB_PATH}/clone", {"name": "new"}),
    "clone-into": lambda dev: dev.send(
        "/projects/lab/applications/web/clone", {"name": "new", "project": "shop"}
    ),
    "create-from-the-catalog": lambda dev: dev.send(
        "/projects/shop/catalog/postgresql", {"name": "new", "values.password": "a-long-password"}
    ),
    "change-from-the-catalog": lambda dev: dev.send(f"{SHOPS}/db/values", {"values.maxConnections": "80"}),
    "restart-from-the-catalog": lambda dev: dev.post(f"{SHOPS}/db/restart", {"version": "1"}),
}


@pytest.fixture
def dev(api: Api, app: Portal, cluster: StatedCluster, visit: Visit) -> Visitor:
    """A developer of two projects with applications, still awake."""
    ready_shop(app, cluster)
    ada = api("ada")
    cluster.quotas["lab"] = quota_use()
    accepted(ada.send("POST", "/projects", {**SHOP, "name": "lab"}))
    accepted(ada.send("POST", "/projects/lab/applications", WEB))
    accepted(ada.send("POST", SHOPS, {**WEB, "name": "idle"}))
    accepted(ada.send("POST", f"{SHOPS}/from-catalog", DB))
    end_jobs(app)
    accepted(ada.send("PATCH", WEB_PATH, {"env": []}))
    accepted(ada.send("POST", f"{SHOPS}/idle/stop"))
    end_jobs(app)
    return visit("dev")


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_each_button_and_form_says_that_the_project_sleeps(
    api: Api, app: Portal, dev: Visitor, act: Callable[[Visitor], Page]
) -> None:
    archive(api, app)
    before = contents(app)
    page = act(dev)
    assert page.status in (409, 422)
    assert SLEEPS in page.text
    assert contents(app) == before
    wake(api, app)
    assert act(dev).status == 303


def test_a_plan_of_before_is_not_applied(api: Api, app: Portal, dev: Visitor) -> None:
    planned = dev.send(f"{WEB_PATH}/edit", {"image": "web:new", "action": "preview"})
    with app.app_context(), writing() as session:
        job = session.query(Job).filter_by(kind="application.plan").one()
        end(session, job, "succeeded", "", {"plan": {**RESULT, "fits": True, "quota": []}})
    archive(api, app)
    before = contents(app)
    page = dev.post(f"{planned.address}/apply")
    assert page.status in (409, 422)
    assert SLEEPS in page.text
    assert contents(app) == before


def test_a_failed_job_of_before_offers_no_retry(api: Api, app: Portal, dev: Visitor) -> None:
    job = dev.post(f"{WEB_PATH}/restart", {"version": "2"}).address
    end_jobs(app, "failed")
    retry = f'action="{job}/retry"'
    assert retry in dev.get(job).html
    archive(api, app)
    assert retry not in dev.get(job).html
    wake(api, app)
    assert retry in dev.get(job).html


def test_the_page_of_an_application_says_so_beforehand(api: Api, app: Portal, dev: Visitor) -> None:
    words = "Project shop is archived: nothing of it runs, and nothing in it can be changed until"
    assert words not in dev.get(WEB_PATH).text
    archive(api, app)
    assert words in dev.get(WEB_PATH).text
