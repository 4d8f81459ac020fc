"""Users, as administrators manage them, and people who register."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import PASSWORD, Api
from tests.webapp.requests import SHOP
from webapp.openapi import Portal


def sign_in(api: Api, name: str, password: str) -> Any:
    return api().send("POST", "/auth/token", {"name": name, "password": password})


def test_a_generated_password_must_be_changed(api: Api) -> None:
    answer = api("root").send("POST", "/users", {"name": "Grace", "email": "grace@example.org"})
    assert answer.status_code == 201
    made = answer.json
    assert (made["name"], made["mustChangePassword"]) == ("grace", True)
    token = sign_in(api, "grace", made["generatedPassword"]).json["accessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    assert api().send("GET", "/projects", headers=headers).status_code == 403
    again = api("root").send("GET", answer.headers["Location"])
    assert made["generatedPassword"] not in again.text


def test_a_given_password_need_not_be_changed(api: Api) -> None:
    made = api("root").send("POST", "/users", {"name": "grace", "password": PASSWORD}).json
    assert (made["generatedPassword"], made["mustChangePassword"]) == (None, False)
    assert sign_in(api, "grace", PASSWORD).status_code == 200


def test_names_are_checked(api: Api) -> None:
    for name, status in (("ada", 409), ("{{ 7*7 }}", 422), ("-x", 422), ("", 422)):
        assert api("root").send("POST", "/users", {"name": name}).status_code == status


def test_search_and_pages(api: Api) -> None:
    root = api("root")
    root.send("PATCH", "/users/dev", {"email": "Grace@Example.org"})
    found = root.send("GET", "/users?search=GRACE").json["items"]
    assert [user["name"] for user in found] == ["dev"]
    assert root.send("GET", "/users?search=%25").json["items"] == []
    address, seen = "/users?limit=2", []
    while address:
        page = root.send("GET", address).json
        seen += [user["name"] for user in page["items"]]
        address = page["links"]["next"]
    assert seen == ["ada", "dev", "eve", "out", "root"]


def test_deactivation_ends_sessions(api: Api) -> None:
    ada = api("ada")
    assert ada.send("GET", "/me").status_code == 200
    assert api("root").send("PATCH", "/users/ada", {"isActive": False}).json["isActive"] is False
    assert ada.send("GET", "/me").status_code == 401
    assert sign_in(api, "ada", PASSWORD).status_code == 401


def test_a_reset_password(api: Api) -> None:
    ada = api("ada")
    answer = api("root").send("POST", "/users/ada/reset-password", {})
    assert answer.json["mustChangePassword"] is True
    assert ada.send("GET", "/me").status_code == 401
    assert sign_in(api, "ada", PASSWORD).status_code == 401
    assert sign_in(api, "ada", answer.json["generatedPassword"]).status_code == 200


def test_the_last_administrator_stays(api: Api) -> None:
    root = api("root")
    for method, body in (("PATCH", {"isAdmin": False}), ("PATCH", {"isActive": False}), ("DELETE", None)):
        answer = root.send(method, "/users/root", body)
        assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict")
        assert "last active administrator" in answer.json["detail"]
    assert root.send("PATCH", "/users/ada", {"isAdmin": True}).status_code == 200
    assert api("ada").send("PATCH", "/users/root", {"isAdmin": False}).status_code == 200
    assert root.send("GET", "/users").status_code == 403


def test_owners_of_projects_stay(api: Api, cluster: StatedCluster) -> None:
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    answer = api("root").send("DELETE", "/users/ada")
    assert answer.status_code == 409
    assert answer.json["detail"] == "'ada' owns shop: transfer or delete this project first."
    assert api("root").send("DELETE", "/users/eve").json["removed"] is True
    assert api("root").send("GET", "/users/eve").json["type"] == "/problems/user-not-found"
    members = api("ada").send("GET", "/projects/shop/members").json["items"]
    assert "eve" not in [member["user"] for member in members]


@pytest.fixture
def open_portal(app: Portal) -> Iterator[None]:
    """The operator allows accounts of one's own."""
    before = app.config["CROFT"]
    app.config["CROFT"] = replace(before, self_registration=True)
    yield
    app.config["CROFT"] = before


def test_nobody_registers_unless_the_operator_allows_it(api: Api) -> None:
    answer = api().send("POST", "/auth/register", {"name": "new", "password": PASSWORD})
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/registration-closed")


@pytest.mark.usefixtures("open_portal")
def test_registration(api: Api) -> None:
    answer = api().send("POST", "/auth/register", {"name": "new", "password": PASSWORD})
    assert answer.status_code == 201
    headers = {"Authorization": f"Bearer {answer.json['accessToken']}"}
    assert api().send("GET", "/me", headers=headers).json["isAdmin"] is False
    taken = api().send("POST", "/auth/register", {"name": "ada", "password": PASSWORD})
    assert (taken.status_code, taken.json["errors"][0]["field"]) == (409, "name")
    short = api().send("POST", "/auth/register", {"name": "other", "password": "short"})
    assert short.status_code == 422


@pytest.mark.usefixtures("open_portal")
def test_registration_is_throttled(api: Api) -> None:
    body = {"name": "ada", "password": PASSWORD}
    statuses = [api().send("POST", "/auth/register", body).status_code for _ in range(21)]
    assert statuses == [409] * 20 + [429]
