"""/api/v1/me: the account, its password and its sessions."""

import pytest

from tests.webapp.conftest import PASSWORD, Api
from webapp.auth import services
from webapp.db import db
from webapp.openapi import Portal

NEW = "every good boy deserves fudge"


def test_the_account_and_its_address(api: Api) -> None:
    me = api("ada").send("GET", "/me").json
    assert (me["name"], me["email"], me["isAdmin"], me["hasPassword"]) == ("ada", None, False, True)
    assert me["lastSignInAt"] is not None
    assert api("ada").send("PATCH", "/me", {"email": " ada@example.org "}).json["email"] == "ada@example.org"
    answer = api("ada").send("PATCH", "/me", {"email": "nonsense"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "email")
    assert api("ada").send("PATCH", "/me", {"email": None}).json["email"] is None
    assert api("ada").send("PATCH", "/me", {"isAdmin": True}).status_code == 422


def test_a_new_password_ends_the_other_sessions(api: Api, app: Portal) -> None:
    other = Api(app)("ada")
    mine = api("ada")
    wrong = mine.send("POST", "/me/password", {"currentPassword": "no", "newPassword": NEW})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "currentPassword")
    short = mine.send("POST", "/me/password", {"currentPassword": PASSWORD, "newPassword": "short"})
    assert (short.status_code, short.json["errors"][0]["field"]) == (422, "newPassword")
    same = mine.send("POST", "/me/password", {"currentPassword": PASSWORD, "newPassword": PASSWORD})
    assert same.status_code == 422
    assert other.send("GET", "/me").status_code == 200
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert mine.send("POST", "/me/password", body).status_code == 200
    assert mine.send("GET", "/me").status_code == 200
    assert other.send("GET", "/me").status_code == 401
    assert api().send("POST", "/auth/token", {"name": "ada", "password": PASSWORD}).status_code == 401
    assert api().send("POST", "/auth/token", {"name": "ada", "password": NEW}).status_code == 200


def test_guesses_of_the_present_password_are_counted(api: Api) -> None:
    body = {"currentPassword": "a guess", "newPassword": NEW}
    answers = [api("ada").send("POST", "/me/password", body).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_sessions_are_listed_and_ended(api: Api, app: Portal) -> None:
    mine, other = api("ada"), Api(app)("ada")
    foreign = api("dev").send("GET", "/me/sessions").json["items"][0]["id"]
    items = mine.send("GET", "/me/sessions").json["items"]
    assert sorted(item["current"] for item in items) == [False, True]
    assert mine.send("GET", f"/me/sessions/{foreign}").status_code == 404
    assert mine.send("DELETE", f"/me/sessions/{foreign}").json["type"] == "/problems/session-not-found"
    assert api("dev").send("GET", "/me").status_code == 200
    theirs = next(item for item in items if not item["current"])
    assert mine.send("GET", theirs["links"]["self"]).json["id"] == theirs["id"]
    assert mine.send("DELETE", theirs["links"]["self"]).json["ended"] == 1
    assert other.send("GET", "/me").status_code == 401
    assert mine.send("DELETE", theirs["links"]["self"]).status_code == 404
    assert len(mine.send("GET", "/me/sessions").json["items"]) == 1


def test_sessions_page_by_cursor(api: Api, app: Portal) -> None:
    for _ in range(4):
        Api(app)("ada")
    address, seen = "/me/sessions?limit=2", []
    while address:
        page = api("ada").send("GET", address).json
        seen += [item["id"] for item in page["items"]]
        address = page["links"]["next"]
    assert len(seen) == len(set(seen)) == 5
    assert api("ada").send("GET", "/me/sessions?cursor=x").status_code == 422


def test_sign_out_everywhere(api: Api, app: Portal) -> None:
    mine, other, dev = api("ada"), Api(app)("ada"), api("dev")
    assert mine.send("DELETE", "/me/sessions").json["ended"] == 2
    assert [client.send("GET", "/me").status_code for client in (mine, other, dev)] == [401, 401, 200]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/projects", 403),
        ("GET", "/me/sessions", 403),
        ("POST", "/me/tokens", 403),
        ("GET", "/me", 200),
        ("PATCH", "/me", 200),
    ],
)
def test_a_generated_password_has_to_be_changed_first(
    api: Api, app: Portal, method: str, path: str, status: int
) -> None:
    client = api("ada")
    with app.app_context():
        user = services.find_user("ada")
        assert user is not None
        user.must_change_password = True
        db.session.commit()
    answer = client.send(method, path, {"email": None} if method == "PATCH" else None)
    assert answer.status_code == status
    if status == 403:
        assert answer.json["type"] == "/problems/password-change-required"
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert client.send("POST", "/me/password", body).json["mustChangePassword"] is False
    assert client.send("GET", "/projects").status_code == 200
