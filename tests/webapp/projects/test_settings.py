"""Settings of a project that came with its life: sizes, expiry, versions, and what is noted of changes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, end_jobs, job_of
from webapp.audit.models import AuditEntry
from webapp.auth.models import User
from webapp.cluster.state import ClusterVolume, Contents
from webapp.db import db, utcnow
from webapp.openapi import Portal
from webapp.projects.models import Project


def entries(app: Portal) -> list[dict[str, Any]]:
    """What the audit log holds but for who signed in, oldest first."""
    with app.app_context():
        return [
            {"user": entry.user_name, "action": entry.action, "changes": entry.changes, "job": entry.job_id}
            for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            if not entry.action.startswith("user.")
        ]


def test_a_preset_stands_for_its_quota(api: Api, app: Portal) -> None:
    answer = api("ada").send("POST", "/projects", {"name": "shop", "preset": "small"})
    small = {"cpu": "1", "memory": "1Gi", "storage": "2Gi", "pods": 10}
    assert job_of(app, answer)["request"]["project"]["quota"] == small
    assert "preset" not in job_of(app, answer)["request"]["project"]
    assert api("ada").send("GET", "/projects/shop").json["spec"]["quota"] == small
    answer = api("ada").send("PATCH", "/projects/shop", {"preset": "large"})
    assert job_of(app, answer)["request"]["project"]["quota"]["cpu"] == "4"
    answer = api("ada").send("PUT", "/projects/shop", {"preset": "medium", "description": "x"})
    assert job_of(app, answer)["request"]["project"]["quota"]["cpu"] == "2"
    for method, path, body in (
        ("POST", "/projects", {"name": "other", "preset": "small", "quota": {"cpu": "1"}}),
        ("PATCH", "/projects/shop", {"preset": "small", "quota": {"cpu": "1"}}),
    ):
        answer = api("ada").send(method, path, body)
        assert answer.json["errors"] == [
            {"field": "quota", "message": "Give either a preset or a quota, not both"}
        ]
    assert api("ada").send("POST", "/projects", {"name": "other", "preset": "huge"}).status_code == 422


def test_expiry_is_kept_in_utc_and_never_in_the_past(api: Api, app: Portal) -> None:
    answer = api("ada").send("POST", "/projects", {**SHOP, "expiresAt": "2999-01-31T23:59:59+01:00"})
    assert answer.json["project"]["expiresAt"] == "2999-01-31T22:59:59Z"
    with app.app_context():
        stored = db.session.scalars(select(Project)).one()
        assert stored.expires_at is not None
        assert stored.expires_at.isoformat() == "2999-01-31T22:59:59+00:00"
    for moment in ("2020-01-31T00:00:00Z", "2999-01-31T00:00:00", "0001-01-01T00:00:00+23:00", "tomorrow"):
        answer = api("ada").send("PATCH", "/projects/shop", {"expiresAt": moment})
        assert answer.status_code == 422, moment
        assert answer.json["errors"][0]["field"] == "expiresAt"
    old = {"name": "old", "expiresAt": "2020-01-31T00:00:00Z"}
    assert api("ada").send("POST", "/projects", old).status_code == 422
    answer = api("ada").send("PATCH", "/projects/shop", {"expiresAt": None})
    assert answer.json["project"]["expiresAt"] is None


def test_a_change_may_name_the_version_that_it_is_based_on(api: Api) -> None:
    api("ada").send("POST", "/projects", SHOP)
    tag = api("ada").send("GET", "/projects/shop").headers["ETag"]
    first = api("ada").send("PATCH", "/projects/shop", {"description": "a"}, headers={"If-Match": tag})
    assert first.status_code == 202
    second = api("root").send("PATCH", "/projects/shop", {"description": "b"}, headers={"If-Match": tag})
    assert (second.status_code, second.json["type"]) == (412, "/problems/version-conflict")
    assert api("ada").send("DELETE", "/projects/shop", headers={"If-Match": tag}).status_code == 412
    assert api("ada").send("GET", "/projects/shop").json["description"] == "a"
    assert api("ada").send("PATCH", "/projects/shop", {"description": "b"}).status_code == 202


def test_every_change_is_noted(api: Api, app: Portal) -> None:
    created = api("ada").send("POST", "/projects", SHOP)
    changed = api("root").send("PATCH", "/projects/shop", {"description": "New", "quota": {"cpu": "3"}})
    refused = api("eve").send("PATCH", "/projects/shop", {"description": "Mine"})
    deleted = api("ada").send("DELETE", "/projects/shop")
    assert refused.status_code == 403
    noted = entries(app)
    assert [(entry["user"], entry["action"]) for entry in noted] == [
        ("ada", "project.create"),
        ("root", "project.update"),
        ("ada", "project.delete"),
    ]
    assert [entry["job"] for entry in noted] == [
        answer.json["job"]["id"] for answer in (created, changed, deleted)
    ]
    assert {change["field"]: (change["before"], change["after"]) for change in noted[1]["changes"]} == {
        "description": ("Our web shop", "New"),
        "quota.cpu": ("2", "3"),
    }


def test_who_cannot_sign_in_any_more_does_not_hold_up_changes(api: Api, app: Portal) -> None:
    api("ada").send("POST", "/projects", SHOP)
    with app.app_context():
        db.session.scalars(select(User).where(User.name == "dev")).one().is_active = False
        db.session.delete(db.session.scalars(select(User).where(User.name == "eve")).one())
        db.session.commit()
    answer = api("ada").send("PATCH", "/projects/shop", {"description": "x"})
    assert answer.status_code == 202, answer.text
    assert [m["user"] for m in api("ada").send("GET", "/projects/shop").json["spec"]["members"]] == ["dev"]
    new = [{"user": "dev", "role": "viewer"}]
    assert api("ada").send("POST", "/projects", {"name": "other", "members": new}).status_code == 422


def test_belongings_are_what_the_cluster_holds(api: Api, cluster: StatedCluster) -> None:
    api("ada").send("POST", "/projects", SHOP)
    claim = ClusterVolume("web", "web", "Bound", "1Gi", "1Gi", "croft")
    cluster.contents_by_name["shop"] = Contents({"Deployment": 2, "Pod": 3}, ("stray", "web"), (claim,))
    found = api("eve").send("GET", "/projects/shop/belongings").json
    assert found["releases"] == ["stray", "web"]
    assert found["volumes"] == [{"name": "web", "size": "1Gi"}]
    assert found["objects"] == [{"kind": "Deployment", "count": 2}, {"kind": "Pod", "count": 3}]
    cluster.down = True
    assert api("eve").send("GET", "/projects/shop/belongings").status_code == 503


@pytest.mark.parametrize(
    ("message", "blocked_by"),
    [
        (
            "project 'shop' is not gone; its deletion is blocked by configmaps 'a' (finalizer x.org/y); pods "
            "'b'. Remove what holds it, then delete the project again",
            ["configmaps 'a' (finalizer x.org/y)", "pods 'b'"],
        ),
        ("The worker died twice", ["The worker died twice"]),
    ],
)
def test_a_blocked_deletion_tells_by_what(api: Api, app: Portal, message: str, blocked_by: list[str]) -> None:
    from webapp.db import writing
    from webapp.jobs.effects import end
    from webapp.jobs.models import Job

    api("ada").send("POST", "/projects", SHOP)
    end_jobs(app)
    assert api("ada").send("GET", "/projects/shop").json["blockedBy"] == []
    deletion = api("ada").send("DELETE", "/projects/shop").json["job"]["id"]
    with app.app_context(), writing() as session:
        end(session, session.get_one(Job, deletion), "failed", message)
    shown = api("eve").send("GET", "/projects/shop").json
    assert (shown["state"], shown["blockedBy"]) == ("blocked", blocked_by)
    assert api("ada").send("DELETE", "/projects/shop").status_code == 202


def test_soon_is_a_week() -> None:
    from webapp.projects.expiry import expires_soon

    assert expires_soon(utcnow() + timedelta(days=6))
    assert not expires_soon(utcnow() + timedelta(days=8))
    assert not expires_soon(None)
