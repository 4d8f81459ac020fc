"""Plans through the API: made, worked out, applied as they are, or refused."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.applications.models import Plan
from webapp.db import db, utcnow, writing
from webapp.jobs.effects import end
from webapp.jobs.models import Job
from webapp.openapi import Portal

PATH = "/projects/shop/applications"
WEB_PATH = f"{PATH}/web"
RESULT = {
    "url": "http://web.shop.localhost:8080",
    "fits": False,
    "quota": [{"resource": "cpu", "fits": False, "words": "asks for 500m CPU, 300m left"}],
    "objects": [
        {
            "kind": "Deployment",
            "name": "web",
            "action": "changed",
            "changes": [{"field": "spec.replicas", "before": 1, "after": 5}],
        }
    ],
}


@pytest.fixture
def ada(api: Api, app: Portal, cluster: StatedCluster) -> ApiClient:
    """The owner of a project with an application `web`, both ready."""
    client = api("ada")
    assert client.send("POST", "/projects", SHOP).status_code == 202
    cluster.quotas["shop"] = quota_use()
    assert client.send("POST", PATH, WEB).status_code == 202
    end_jobs(app)
    return client


def work_out(app: Portal, answer: Any, state: str = "succeeded", message: str = "") -> str:
    """End the plan's job as a worker would; return the plan's path."""
    assert answer.status_code == 202, answer.text
    with app.app_context(), writing() as session:
        job = session.get_one(Job, answer.json["job"]["id"])
        end(session, job, state, message, {"url": RESULT["url"], "plan": RESULT})
    path: str = answer.json["links"]["self"]
    return path


def test_a_new_application_is_planned_then_applied_as_planned(ada: ApiClient, app: Portal) -> None:
    answer = ada.send("POST", f"{PATH}/plan", {**WEB, "name": "next"})
    assert answer.json["state"] == "planning"
    assert answer.json["result"] is None
    assert answer.headers["Location"] == answer.json["links"]["self"]
    job = job_of(app, answer)
    assert (job["kind"], job["application"]) == ("application.plan", "next")
    assert ada.send("GET", f"{PATH}/next").status_code == 404, "nothing is stored but the plan"
    early = ada.send("POST", answer.json["links"]["apply"])
    assert (early.status_code, early.json["type"]) == (409, "/problems/state-conflict")

    path = work_out(app, answer)
    ready = ada.send("GET", path).json
    assert (ready["state"], ready["baseVersion"], ready["result"]) == ("ready", None, RESULT)
    applied = ada.send("POST", ready["links"]["apply"])
    assert applied.status_code == 202
    job = job_of(app, applied)
    assert job["kind"] == "application.create"
    assert job["request"]["application"]["secrets"] == WEB["secrets"]
    assert ada.send("GET", path).json["state"] == "applied"
    twice = ada.send("POST", ready["links"]["apply"])
    assert twice.json["detail"] == "The plan cannot be applied: This plan has been applied."


def test_a_change_is_planned_and_refused_once_somebody_else_was_faster(
    ada: ApiClient, api: Api, app: Portal
) -> None:
    path = work_out(app, ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 5}))
    found = ada.send("GET", path).json
    assert (found["baseVersion"], found["spec"]["replicas"]) == (1, 5)
    assert ada.send("GET", WEB_PATH).json["state"] == "ready", "a plan is no change"
    api("dev").send("PATCH", WEB_PATH, {"env": []})
    refused = ada.send("POST", f"{path}/apply")
    assert (refused.status_code, refused.json["type"]) == (412, "/problems/version-conflict")
    assert "changed by dev" in refused.json["detail"]
    path = work_out(app, ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 5}))
    applied = ada.send("POST", f"{path}/apply")
    assert job_of(app, applied)["request"]["application"]["replicas"] == 5


def test_more_than_the_quota_can_be_planned_and_not_applied(ada: ApiClient, app: Portal) -> None:
    path = work_out(app, ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 90}))
    refused = ada.send("POST", f"{path}/apply")
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/quota-exceeded")
    assert ada.send("GET", path).json["state"] == "ready", "it can be applied once the quota is larger"


def test_what_would_be_refused_at_once_is_not_planned(ada: ApiClient, app: Portal) -> None:
    assert ada.send("POST", f"{PATH}/plan", WEB).status_code == 409
    assert ada.send("POST", f"{PATH}/plan", {**WEB, "name": "x", "image": "a b"}).status_code == 422
    new = ada.send("POST", f"{WEB_PATH}/plan", {"secrets": [{"name": "NEW"}]})
    assert new.json["errors"][0]["field"] == "secrets.0.value"
    path = work_out(app, ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 2}), "failed", "no such chart")
    found = ada.send("GET", path).json
    assert (found["state"], found["message"]) == ("failed", "no such chart")
    assert "no such chart" in ada.send("POST", f"{path}/apply").json["detail"]
    assert ada.send("GET", WEB_PATH).json["state"] == "ready", "a failed plan leaves the state alone"


def test_a_plan_expires_and_is_dropped(ada: ApiClient, app: Portal) -> None:
    path = work_out(app, ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 2}))

    def age(hours: float) -> None:
        with app.app_context():
            db.session.query(Plan).update({"expires_at": utcnow() - timedelta(hours=hours)})
            db.session.commit()

    age(0.5)
    assert ada.send("GET", path).json["state"] == "expired"
    assert ada.send("POST", f"{path}/apply").status_code == 409
    age(2)
    assert ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 3}).status_code == 202
    gone = ada.send("GET", path)
    assert (gone.status_code, gone.json["type"]) == (404, "/problems/plan-not-found")


def test_plans_are_the_projects_own(ada: ApiClient, api: Api, app: Portal) -> None:
    path = work_out(app, ada.send("POST", f"{WEB_PATH}/plan", {"replicas": 2}))
    statuses = {name: api(name).send("GET", path).status_code for name in ("dev", "eve", "out", "root", None)}
    assert statuses == {"dev": 200, "eve": 200, "out": 404, "root": 200, None: 401}
    statuses = {name: api(name).send("POST", f"{path}/apply").status_code for name in ("eve", "out", None)}
    assert statuses == {"eve": 403, "out": 404, None: 401}


def test_no_secret_is_shown_nor_stored_in_the_clear(ada: ApiClient, app: Portal) -> None:
    secret = "swordfish-swordfish"
    answer = ada.send("POST", f"{WEB_PATH}/plan", {"secrets": [{"name": "PASSWORD", "value": secret}]})
    path = work_out(app, answer)
    assert all(secret not in text for text in (answer.text, ada.send("GET", path).text))
    with app.app_context():
        assert secret not in str(db.session.execute(text("SELECT * FROM plans")).all())
