"""What a project that sleeps refuses, one by one: each change of an application, by the API."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.applications.models import Application
from webapp.db import db, writing
from webapp.jobs.effects import end
from webapp.jobs.models import Job
from webapp.openapi import Portal

SHOPS = "/projects/shop/applications"
DB = {"name": "db", "catalog": "postgresql", "values": {"password": "a-long-password"}}
SETTINGS = {key: value for key, value in WEB.items() if key != "name"}
YAML = "application: {name: new, image: 'nginx:1', ports: [{targetPort: 80}]}"

Call = tuple[str, str, dict[str, Any] | None]
# Everything that changes an application or makes one: (what, method, path, body).
CALLS = {
    "create": ("POST", SHOPS, {**WEB, "name": "new"}),
    "import": ("POST", f"{SHOPS}/import", {"yaml": YAML}),
    "change": ("PATCH", f"{SHOPS}/web", {"replicas": 2}),
    "replace": ("PUT", f"{SHOPS}/web", SETTINGS),
    "restart": ("POST", f"{SHOPS}/web/restart", None),
    "stop": ("POST", f"{SHOPS}/web/stop", None),
    "start": ("POST", f"{SHOPS}/idle/start", None),
    "roll-back": ("POST", f"{SHOPS}/web/revisions/1/rollback", None),
    "clone-inside": ("POST", f"{SHOPS}/web/clone", {"name": "new"}),
    "clone-into": ("POST", "/projects/lab/applications/web/clone", {"name": "new", "project": "shop"}),
    "clone-into-from-the-catalog": (
        "POST",
        "/projects/lab/applications/db/clone",
        {"name": "new", "project": "shop"},
    ),
    "create-from-the-catalog": ("POST", f"{SHOPS}/from-catalog", {**DB, "name": "new"}),
    "change-from-the-catalog": ("PUT", f"{SHOPS}/db/values", {"values": {"maxConnections": 80}}),
    "restart-from-the-catalog": ("POST", f"{SHOPS}/db/restart", None),
    "stop-from-the-catalog": ("POST", f"{SHOPS}/db/stop", None),
    "roll-back-from-the-catalog": ("POST", f"{SHOPS}/db/revisions/1/rollback", None),
    "plan-a-new-one": ("POST", f"{SHOPS}/plan", {**WEB, "name": "new"}),
    "plan-a-change": ("POST", f"{SHOPS}/web/plan", {**SETTINGS, "replicas": 2}),
}


@pytest.fixture
def dev(api: Api, app: Portal, cluster: StatedCluster) -> ApiClient:
    """A developer of two projects with applications; shop is archived, lab is not."""
    ada = api("ada")
    for project in ("shop", "lab"):
        cluster.quotas[project] = quota_use()
        accepted(ada.send("POST", "/projects", {**SHOP, "name": project}))
        for name in ("web", "idle"):
            accepted(ada.send("POST", f"/projects/{project}/applications", {**WEB, "name": name}))
        accepted(ada.send("POST", f"/projects/{project}/applications/from-catalog", DB))
        end_jobs(app)
    accepted(ada.send("PATCH", f"{SHOPS}/web", {"env": []}))
    accepted(ada.send("POST", f"{SHOPS}/idle/stop"))
    accepted(ada.send("PUT", f"{SHOPS}/db/values", {"values": {"maxConnections": 60}}))
    end_jobs(app)
    return api("dev")


def accepted(answer: Any) -> Any:
    assert answer.status_code == 202, answer.text
    return answer


def archive(api: Api, app: Portal) -> None:
    accepted(api("ada").send("POST", "/projects/shop/archive"))
    end_jobs(app)


def wake(api: Api, app: Portal) -> None:
    accepted(api("ada").send("POST", "/projects/shop/wake"))
    end_jobs(app)


def contents(app: Portal) -> tuple[list[tuple[str, int, str]], int]:
    """Return all applications with version and state, and the number of jobs."""
    with app.app_context():
        found = db.session.query(Application).order_by(Application.id)
        return [(one.name, one.version, one.state) for one in found], db.session.query(Job).count()


def refused(app: Portal, act: Callable[[], Any]) -> None:
    """Do what has to be refused with what to do next, and change nothing."""
    before = contents(app)
    answer = act()
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict"), answer.text
    assert answer.json["detail"] == "Project 'shop' is archived; wake it first."
    assert contents(app) == before


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_each_change_of_an_application_waits_until_its_project_is_awake(
    api: Api, app: Portal, dev: ApiClient, call: Call
) -> None:
    archive(api, app)
    refused(app, lambda: dev.send(*call))
    wake(api, app)
    accepted(dev.send(*call))


def test_a_plan_of_before_is_not_applied(api: Api, app: Portal, dev: ApiClient) -> None:
    method, path, body = CALLS["plan-a-change"]
    answer = accepted(dev.send(method, path, body))
    with app.app_context(), writing() as session:
        job = session.get_one(Job, answer.json["job"]["id"])
        end(session, job, "succeeded", "", {"plan": {"objects": []}})
    archive(api, app)
    plan = answer.json["links"]["self"]
    refused(app, lambda: dev.send("POST", f"{plan}/apply"))
    wake(api, app)
    accepted(dev.send("POST", f"{plan}/apply"))


def test_a_failed_change_of_before_is_not_tried_again(api: Api, app: Portal, dev: ApiClient) -> None:
    job = accepted(dev.send("POST", f"{SHOPS}/web/restart")).json["links"]["job"]
    end_jobs(app, "failed")
    archive(api, app)
    refused(app, lambda: dev.send("POST", f"{job}/retry"))
    wake(api, app)
    accepted(dev.send("POST", f"{job}/retry"))


def test_what_sleeps_is_cloned_out_and_deleted(api: Api, app: Portal, dev: ApiClient) -> None:
    archive(api, app)
    accepted(dev.send("POST", f"{SHOPS}/web/clone", {"name": "copy", "project": "lab"}))
    accepted(dev.send("DELETE", f"{SHOPS}/web"))
