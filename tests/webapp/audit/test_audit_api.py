"""The audit log: what is recorded, who sees it, and its exports."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import PASSWORD, Api
from tests.webapp.requests import SHOP
from webapp.audit import queries
from webapp.audit.export import safe_cell
from webapp.audit.models import AuditEntry
from webapp.db import db, utcnow
from webapp.openapi import Portal


def entries(api: Api, name: str = "root", **filters: str) -> list[dict[str, Any]]:
    answer = api(name).send("GET", "/audit", query_string=filters)
    assert answer.status_code == 200, answer.text
    return answer.json["items"]


def add(app: Portal, **more: Any) -> None:
    values = {"user_name": "ada", "via": "api", "action": "application.update", **more}
    with app.app_context():
        db.session.add(AuditEntry(**values))
        db.session.commit()


def test_sign_in_and_out_are_recorded(api: Api) -> None:
    refresh = api().send("POST", "/auth/token", {"name": "ada", "password": PASSWORD}).json["refreshToken"]
    api().send("POST", "/auth/token", {"name": "nobody-known", "password": "x"})
    api().send("POST", "/auth/token", {"name": "ada", "password": "x"})
    api().send("POST", "/auth/revoke", {"refreshToken": refresh})
    found = [(item["user"], item["action"]) for item in entries(api, action="user.")]
    assert found[1:] == [
        ("ada", "user.sign-out"),
        ("ada", "user.sign-in-failed"),
        ("nobody-known", "user.sign-in-failed"),
        ("ada", "user.sign-in"),
    ]
    assert entries(api, user="ada")[0]["address"] == "127.0.0.1"


def test_accounts_and_tokens_are_recorded_with_changes(api: Api) -> None:
    root = api("root")
    generated = root.send("POST", "/users", {"name": "grace"}).json["generatedPassword"]
    root.send("PATCH", "/users/grace", {"isAdmin": True})
    root.send("POST", "/users/grace/reset-password", {})
    root.send("DELETE", "/users/grace")
    token = root.send("POST", "/me/tokens", {"name": "script"}).json
    root.send("DELETE", token["links"]["self"])
    answer = root.send("GET", "/audit")
    assert [item["action"] for item in answer.json["items"]][:6] == [
        "token.revoke",
        "token.create",
        "user.delete",
        "user.reset-password",
        "user.update",
        "user.create",
    ]
    change = entries(api, action="user.update")[0]["changes"]
    assert change == [{"field": "isAdmin", "before": False, "after": True}]
    for secret in (generated, token["token"], PASSWORD):
        assert secret not in answer.text


def test_who_sees_what(api: Api, app: Portal, cluster: StatedCluster) -> None:
    add(app, project_name="shop", user_name="before", created_at=utcnow() - timedelta(days=1))
    cluster.quotas["shop"] = quota_use()
    assert api("root").send("POST", "/projects", SHOP).status_code == 202
    add(app, project_name="shop", user_name="dev", object_name="web")
    add(app, project_name="other", user_name="out")
    in_shop = {"root", "dev", "before"}
    assert {item["user"] for item in entries(api, project="shop")} >= in_shop - {"root"}
    assert [item["user"] for item in entries(api, "ada", project="shop", object="web")] == ["dev"]
    # What an earlier project of that name saw is not the new owner's.
    assert "before" not in {item["user"] for item in entries(api, "ada")}
    assert entries(api, "ada", project="other") == []
    assert entries(api, "eve", project="shop") == []
    assert {item["user"] for item in entries(api, "eve")} == {"eve"}


def test_filters(api: Api, app: Portal) -> None:
    long_ago = utcnow() - timedelta(days=10)
    add(app, object_name="old", created_at=long_ago)
    add(app, object_name="new", project_name="shop")
    day = timedelta(days=1)
    assert [e["object"] for e in entries(api, until=(long_ago + day).isoformat())] == ["old"]
    found = entries(api, since=(utcnow() - day).isoformat(), action="application")
    assert [e["object"] for e in found] == ["new"]
    assert entries(api, action="%") == []
    assert api("root").send("GET", "/audit?since=yesterday").status_code == 422
    assert api("root").send("GET", "/audit?cursor=x").status_code == 422


def test_pages(api: Api, app: Portal) -> None:
    for number in range(5):
        add(app, object_name=str(number))
    address, seen = "/audit?limit=2&action=application.", []
    while address:
        page = api("root").send("GET", address).json
        seen += [item["object"] for item in page["items"]]
        address = page["links"]["next"]
    assert seen == ["4", "3", "2", "1", "0"]


def test_exports_hold_everything(api: Api, app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "CHUNK", 2)
    formula = '=cmd|" /C calc"!A0'
    change = {"field": "replicas", "before": 1, "after": 2}
    for number in range(5):
        add(app, object_name=formula if number == 3 else str(number), changes=[change])
    answer = api("root").send("GET", "/audit.csv?action=application.")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["object"] for row in rows] == ["4", f"'{formula}", "2", "1", "0"]
    assert rows[0]["changes"] == "replicas: 1 → 2"
    items = api("root").send("GET", "/audit.json?action=application.").json["items"]
    assert [item["object"] for item in items] == ["4", formula, "2", "1", "0"]
    assert api("eve").send("GET", "/audit.json?action=application.").json == {"items": []}
    assert api().send("GET", "/audit.csv").status_code == 401


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell("web-1") == "web-1"
