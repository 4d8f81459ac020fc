"""Revisions, and changes that name the version that they are based on."""

from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.applications import limits
from webapp.applications.models import Revision
from webapp.applications.revisions import KEPT
from webapp.audit.models import AuditEntry
from webapp.db import db
from webapp.openapi import Portal

PATH = "/projects/shop/applications"
WEB_PATH = f"{PATH}/web"
SECRET = "hunter2-hunter2"


@pytest.fixture
def ada(api: Api, app: Portal, cluster: StatedCluster) -> ApiClient:
    """The owner of a project with an application `web`, both ready."""
    client = api("ada")
    assert client.send("POST", "/projects", SHOP).status_code == 202
    cluster.quotas["shop"] = quota_use()
    assert client.send("POST", PATH, WEB).status_code == 202
    end_jobs(app)
    return client


def change(client: ApiClient, body: dict[str, Any], **more: Any) -> Any:
    """Change `web`; the answer has to be an accepted change."""
    answer = client.send("PATCH", WEB_PATH, body, **more)
    assert answer.status_code == 202, answer.text
    return answer


def test_every_change_is_a_revision_that_says_what_differs(ada: ApiClient, api: Api) -> None:
    change(ada, {"replicas": 3, "secrets": [{"name": "PASSWORD", "value": "another-one-now"}]})
    change(api("dev"), {"env": []})
    found = ada.send("GET", f"{WEB_PATH}/revisions").json["items"]
    assert [(item["number"], item["cause"], item["user"], item["current"]) for item in found] == [
        (3, "changed", "dev", True),
        (2, "changed", "ada", False),
        (1, "created", "ada", False),
    ]
    assert found[2]["changes"] is None
    assert found[1]["changes"] == [
        {"field": "replicas", "before": 1, "after": 3},
        {"field": "secrets.PASSWORD.value", "before": "••••••", "after": "•••••• replaced"},
    ]
    assert found[0]["changes"] == [{"field": "env.LOG_LEVEL.value", "before": "info", "after": None}]
    one = ada.send("GET", f"{WEB_PATH}/revisions/2")
    assert one.json["spec"]["secrets"] == [{"name": "PASSWORD"}]
    assert "another-one-now" not in one.text
    assert one.json["links"]["rollback"] == f"/api/v1{WEB_PATH}/revisions/2/rollback"


def test_a_rollback_applies_everything_secrets_included(ada: ApiClient, app: Portal) -> None:
    change(ada, {"replicas": 3, "env": [], "secrets": [{"name": "PASSWORD", "value": "another-one-now"}]})
    answer = ada.send("POST", f"{WEB_PATH}/revisions/1/rollback")
    job = job_of(app, answer)
    assert job["kind"] == "application.rollback"
    request = job["request"]["application"]
    assert (request["replicas"], request["env"]) == (1, [{"name": "LOG_LEVEL", "value": "info"}])
    assert request["secrets"] == [{"name": "PASSWORD", "value": SECRET}]
    newest = ada.send("GET", f"{WEB_PATH}/revisions").json["items"][0]
    assert (newest["number"], newest["cause"]) == (3, "rolled back to 1")
    missing = ada.send("POST", f"{WEB_PATH}/revisions/99/rollback")
    assert (missing.status_code, missing.json["type"]) == (404, "/problems/revision-not-found")
    assert ada.send("GET", f"{WEB_PATH}/revisions/99").status_code == 404
    assert ada.send("GET", f"{WEB_PATH}/revisions/x").status_code == 422


def test_a_rollback_cannot_shrink_a_volume(ada: ApiClient) -> None:
    change(ada, {"volume": {"size": "1Gi"}})
    change(ada, {"volume": {"size": "2Gi"}})
    answer = ada.send("POST", f"{WEB_PATH}/revisions/2/rollback")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "volume.size")
    answer = ada.send("PATCH", WEB_PATH, {"volume": {"size": "1Gi"}})
    assert answer.json["detail"] == "The volume has 2Gi; it can grow, but not become smaller."


def test_the_last_fifty_are_kept_and_pages_follow_each_other(ada: ApiClient, app: Portal) -> None:
    for replicas in range(KEPT + 1):
        change(ada, {"replicas": replicas % 5})
        end_jobs(app)
    with app.app_context():
        numbers = list(db.session.scalars(select(Revision.number).order_by(Revision.number)))
    assert numbers == list(range(3, KEPT + 3))
    seen, following = [], f"/api/v1{WEB_PATH}/revisions?limit=20"
    while following:
        page = ada.send("GET", following).json
        seen += [item["number"] for item in page["items"]]
        following = page["links"]["next"]
    assert seen == numbers[::-1]


def test_a_stale_change_is_refused_with_who_changed_what(ada: ApiClient, api: Api, app: Portal) -> None:
    found = ada.send("GET", WEB_PATH)
    seen = found.headers["ETag"]
    assert "no-transform" in found.headers["Cache-Control"], "an ingress that compresses takes the tag away"
    assert seen == '"1"'
    answer = change(api("dev"), {"replicas": 2})
    assert answer.headers["ETag"] == '"2"'
    attempts: tuple[tuple[str, str, Any], ...] = (
        ("PATCH", WEB_PATH, {"replicas": 5}),
        ("PUT", WEB_PATH, {"image": "nginx:1", "ports": [{"targetPort": 80}]}),
        ("DELETE", WEB_PATH, None),
        ("POST", f"{WEB_PATH}/restart", None),
        ("POST", f"{WEB_PATH}/stop", None),
        ("POST", f"{WEB_PATH}/revisions/1/rollback", None),
        ("POST", f"{WEB_PATH}/plan", {"replicas": 5}),
    )
    for method, path, body in attempts:
        refused = ada.send(method, path, body, headers={"If-Match": seen})
        assert (refused.status_code, refused.json["type"]) == (412, "/problems/version-conflict"), path
        assert refused.headers["ETag"] == '"2"'
        assert "changed by dev on " in refused.json["detail"]
        assert "(replicas)" in refused.json["detail"]
    assert ada.send("GET", WEB_PATH).json["version"] == 2
    for fits in ('"2"', "*", '"1", "2"'):
        change(ada, {"replicas": 1}, headers={"If-Match": fits})
        change(ada, {"replicas": 2})
        with app.app_context():
            db.session.query(Revision).delete()
            db.session.execute(db.text("UPDATE applications SET version = 2"))
            db.session.commit()
    for never in ('W/"2"', '"two"', '"99999999999999999999"'):
        refused = ada.send("PATCH", WEB_PATH, {"replicas": 5}, headers={"If-Match": never})
        assert refused.status_code == 412, never


def test_restart_stop_and_start(ada: ApiClient, app: Portal) -> None:
    change(ada, {"replicas": 3})
    jobs = [job_of(app, ada.send("POST", f"{WEB_PATH}/{action}")) for action in ("restart", "stop", "start")]
    assert [job["kind"] for job in jobs] == ["application.restart", "application.stop", "application.start"]
    restarted, stopped, started = (job["request"]["application"] for job in jobs)
    assert restarted["restartedAt"]
    assert (stopped["stopped"], stopped["replicas"]) == (True, 3)
    assert (started["stopped"], started["restartedAt"]) == (False, restarted["restartedAt"])
    again = ada.send("POST", f"{WEB_PATH}/restart")
    assert job_of(app, again)["request"]["application"]["restartedAt"] > restarted["restartedAt"]
    for action in ("stop", "start"):
        assert ada.send("POST", f"{WEB_PATH}/{action}").status_code == 202
        twice = ada.send("POST", f"{WEB_PATH}/{action}")
        assert (twice.status_code, twice.json["type"]) == (409, "/problems/state-conflict")
    ada.send("POST", f"{WEB_PATH}/stop")
    refused = ada.send("POST", f"{WEB_PATH}/restart")
    assert refused.json["detail"] == "Application 'web' is stopped; start it instead."


def test_a_stopped_application_needs_no_quota(ada: ApiClient, cluster: StatedCluster) -> None:
    cluster.quotas["shop"] = quota_use(cpu="200m")
    assert ada.send("POST", f"{WEB_PATH}/stop").status_code == 202
    other = {**WEB, "name": "other", "replicas": 2}
    assert ada.send("POST", PATH, other).status_code == 202
    refused = ada.send("POST", f"{WEB_PATH}/start")
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/quota-exceeded")


def test_a_clone_has_its_own_name_and_no_host(ada: ApiClient, api: Api, app: Portal) -> None:
    change(ada, {"host": "shop.example.org", "replicas": 2})
    answer = ada.send("POST", f"{WEB_PATH}/clone", {"name": "web-2"})
    request = job_of(app, answer)["request"]["application"]
    assert (request["name"], request["host"], request["replicas"]) == ("web-2", None, 2)
    assert request["secrets"] == [{"name": "PASSWORD", "value": SECRET}]
    assert ada.send("POST", f"{WEB_PATH}/clone", {"name": "web-2"}).status_code == 409
    assert ada.send("POST", f"{WEB_PATH}/clone", {"name": "Web 2"}).json["errors"][0]["field"] == "name"
    first = ada.send("GET", f"{PATH}/web-2/revisions").json["items"][0]
    assert first["cause"] == "cloned from shop/web"


def test_secrets_go_along_to_another_project_for_developers_of_both_alone(
    ada: ApiClient, api: Api, app: Portal, cluster: StatedCluster
) -> None:
    for name in ("dev", "eve"):
        body = {"name": f"of-{name}", "owner": name}
        assert api(name).send("POST", "/projects", body).status_code == 202
        cluster.quotas[f"of-{name}"] = quota_use()
    end_jobs(app)
    goes = api("dev").send("POST", f"{WEB_PATH}/clone", {"project": "of-dev", "name": "web"})
    assert job_of(app, goes)["request"]["application"]["secrets"] == [{"name": "PASSWORD", "value": SECRET}]
    stays = api("eve").send("POST", f"{WEB_PATH}/clone", {"project": "of-eve", "name": "web"})
    assert job_of(app, stays)["request"]["application"]["secrets"] == []
    assert ada.send("POST", f"{WEB_PATH}/clone", {"project": "of-eve", "name": "x"}).status_code == 404


def test_what_was_promised_a_moment_ago_counts(
    ada: ApiClient, cluster: StatedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both creations look at the cluster before either is stored; the second still finds no room."""
    cluster.quotas["shop"] = quota_use(cpu="1")
    half = {"requests": {"cpu": "600m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}}
    real, answers = limits.check_pod_fits, []

    def create_another(*arguments: Any) -> None:
        monkeypatch.setattr(limits, "check_pod_fits", real)
        answers.append(ada.send("POST", PATH, {**WEB, "name": "first", "resources": half}))
        real(*arguments)

    monkeypatch.setattr(limits, "check_pod_fits", create_another)
    second = ada.send("POST", PATH, {**WEB, "name": "second", "resources": half})
    assert answers[0].status_code == 202
    assert (second.status_code, second.json["type"]) == (422, "/problems/quota-exceeded")


def test_every_change_is_in_the_audit_log(ada: ApiClient, app: Portal) -> None:
    change(ada, {"replicas": 2})
    ada.send("POST", f"{WEB_PATH}/restart")
    ada.send("POST", f"{WEB_PATH}/revisions/1/rollback")
    ada.send("DELETE", WEB_PATH)
    with app.app_context():
        query = select(AuditEntry).where(AuditEntry.object_name == "web").order_by(AuditEntry.id)
        entries = db.session.scalars(query).all()
        actions = [entry.action for entry in entries]
        assert actions == [
            f"application.{verb}" for verb in ("create", "update", "restart", "rollback", "delete")
        ]
        assert {"field": "replicas", "before": 1, "after": 2} in entries[1].changes
        assert all(entry.job_id and entry.user_name == "ada" for entry in entries)
        assert SECRET not in str([entry.changes for entry in entries])
