"""Personal API tokens."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP
from webapp.audit.models import AuditEntry
from webapp.auth.models import ApiToken
from webapp.db import db, utcnow
from webapp.openapi import Portal


def make(api: Api, name: str = "ada", scope: str = "write", **more: Any) -> dict[str, Any]:
    answer = api(name).send("POST", "/me/tokens", {"name": "script", "scope": scope, **more})
    assert answer.status_code == 201, answer.text
    return answer.json


def client(app: Portal, secret: str) -> ApiClient:
    return ApiClient(app.test_client(), secret)


def test_a_token_is_shown_once_and_kept_as_a_hash(api: Api, app: Portal) -> None:
    made = make(api, expiresInDays=30)
    assert made["token"].startswith("croft_")
    assert made["token"].startswith(made["prefix"])
    assert len(made["prefix"]) < 16
    listed = api("ada").send("GET", "/me/tokens")
    assert made["token"] not in listed.text
    assert api("ada").send("GET", made["links"]["self"]).json["name"] == "script"
    assert api("dev").send("GET", made["links"]["self"]).status_code == 404
    with app.app_context():
        stored = db.session.scalars(select(ApiToken)).one()
        assert made["token"] not in (stored.token_hash, stored.prefix, stored.name)
        assert timedelta(days=29) < stored.expires_at - utcnow() <= timedelta(days=30)


def test_write_may_change_and_the_audit_log_knows(api: Api, app: Portal) -> None:
    program = client(app, make(api)["token"])
    assert program.send("GET", "/me").json["name"] == "ada"
    assert program.send("POST", "/projects", SHOP).status_code == 202
    with app.app_context():
        vias = set(db.session.scalars(select(AuditEntry.via).where(AuditEntry.action == "project.create")))
    assert vias <= {"token"}


def test_read_may_only_look(api: Api, app: Portal) -> None:
    program = client(app, make(api, scope="read")["token"])
    assert program.send("GET", "/projects").status_code == 200
    assert program.send("HEAD", "/projects").status_code == 200
    for method, path, body in (("POST", "/projects", SHOP), ("PATCH", "/me", {"email": None})):
        answer = program.send(method, path, body)
        assert (answer.status_code, answer.json["type"]) == (403, "/problems/scope-too-low")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/me/tokens", {"name": "another"}),
        ("DELETE", "/me/tokens/1", None),
        ("POST", "/me/password", {"currentPassword": "x", "newPassword": "y" * 12}),
        ("DELETE", "/me/sessions", None),
        ("DELETE", "/me/sessions/x", None),
        ("POST", "/users", {"name": "new"}),
        ("PATCH", "/users/ada", {"isAdmin": True}),
        ("POST", "/users/ada/reset-password", {}),
        ("DELETE", "/users/ada", None),
    ],
)
def test_no_token_manages_accounts(api: Api, app: Portal, method: str, path: str, body: Any) -> None:
    answer = client(app, make(api, "root")["token"]).send(method, path, body)
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/scope-too-low")


def test_what_is_expired_revoked_or_unknown_opens_nothing(api: Api, app: Portal) -> None:
    made = make(api)
    program = client(app, made["token"])
    assert program.send("GET", "/me").status_code == 200
    with app.app_context():
        db.session.execute(update(ApiToken).values(expires_at=utcnow() - timedelta(seconds=1)))
        db.session.commit()
    assert program.send("GET", "/me").status_code == 401
    with app.app_context():
        db.session.execute(update(ApiToken).values(expires_at=utcnow() + timedelta(days=1)))
        db.session.commit()
    assert program.send("GET", "/me").status_code == 200
    assert api("dev").send("DELETE", made["links"]["self"]).status_code == 404
    assert api("ada").send("DELETE", made["links"]["self"]).json["revoked"] is True
    assert api("ada").send("GET", "/me/tokens").json["items"] == []
    assert program.send("GET", "/me").json["type"] == "/problems/token-invalid"
    assert client(app, "croft_nonsense").send("GET", "/me").status_code == 401


def test_deactivation_ends_tokens_for_good(api: Api, app: Portal) -> None:
    program = client(app, make(api)["token"])
    for active in (False, True):
        assert api("root").send("PATCH", "/users/ada", {"isActive": active}).status_code == 200
        assert program.send("GET", "/me").status_code == 401


def test_the_last_use_is_noted_once_a_minute(api: Api, app: Portal, statements: list[str]) -> None:
    made = make(api)
    program = client(app, made["token"])
    assert api("ada").send("GET", made["links"]["self"]).json["lastUsedAt"] is None
    for _ in range(3):
        program.send("GET", "/me")
    assert len([sql for sql in statements if sql.startswith("UPDATE api_tokens")]) == 1
    assert api("ada").send("GET", made["links"]["self"]).json["lastUsedAt"] is not None


def test_bounds(api: Api) -> None:
    ada = api("ada")
    for body in (
        {"name": "x", "expiresInDays": 0},
        {"name": "x", "expiresInDays": 366},
        {"name": "x", "scope": "all"},
        {"name": ""},
    ):
        assert ada.send("POST", "/me/tokens", body).status_code == 422
    make(api)
    assert ada.send("POST", "/me/tokens", {"name": "script"}).json["type"] == "/problems/name-taken"
    assert make(api, "dev")["name"] == "script"
