"""Signing in and out on pages, and what keeps a session."""

from datetime import timedelta

import pytest

from tests.webapp.pages.conftest import URL, Visit, Visitor
from webapp.auth import services as auth
from webapp.openapi import Portal
from webapp.projects import listing
from webapp.projects import services as projects


def test_a_stranger_comes_back_to_the_page_asked_for(visit: Visit) -> None:
    stranger = visit()
    page = stranger.get("/jobs?project=shop")
    assert (page.status, page.address) == (303, "/sign-in?next=%2Fjobs%3Fproject%3Dshop")
    form = stranger.get(page.address)
    assert "Sign in to go on to the page you asked for." in form.text
    answer = stranger.post("/sign-in", {**form.fields(), "name": "ada", "password": "wrong"}, csrf=False)
    assert answer.status == 401
    assert answer.error("password") == "The name or the password is wrong."
    assert answer.field("name") == "ada"
    assert "wrong" not in (answer.field("password") or "")
    fields = {**answer.fields(), "password": "correct horse battery staple"}
    assert stranger.post("/sign-in", fields, csrf=False).address == "/jobs?project=shop"
    assert stranger.get("/jobs?project=shop").status == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "jobs", "", "/\njobs"]
)
def test_sign_in_leads_nowhere_else(visit: Visit, target: str) -> None:
    fields = {"name": "ada", "password": "correct horse battery staple", "next": target}
    assert visit().post("/sign-in", fields, csrf=False).address == "/"


def test_empty_fields_are_named(visit: Visit) -> None:
    page = visit().post("/sign-in", {}, csrf=False)
    assert page.status == 422
    assert page.summary() == ["Name: Fill in this field.", "Password: Fill in this field."]


def test_too_many_attempts_say_how_long_to_wait(visit: Visit) -> None:
    visitor = visit()
    for _ in range(5):
        visitor.post("/sign-in", {"name": "ada", "password": "guess"}, csrf=False)
    page = visitor.post("/sign-in", {"name": "ada", "password": "correct horse battery staple"}, csrf=False)
    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "too many" in " ".join(page.summary()).lower()


def test_a_form_from_another_site_is_refused(visit: Visit) -> None:
    fields = {"name": "ada", "password": "correct horse battery staple"}
    page = visit().post("/sign-in", fields, csrf=False, headers={"Origin": "https://evil.example"})
    assert page.status == 403
    assert "Set-Cookie" not in page.headers


def test_signing_out_ends_the_session_itself(visit: Visit) -> None:
    ada = visit("ada")
    cookies = {
        name: ada.client.get_cookie(name, "croft.localhost", "/")
        for name in ("croft_access", "croft_refresh")
    }
    assert all(cookie and cookie.http_only and cookie.same_site == "Lax" for cookie in cookies.values())
    page = ada.post("/sign-out")
    assert page.address == "/sign-in?done=yes"
    assert "You are signed out." in ada.get(page.address).text
    for name, cookie in cookies.items():
        assert cookie is not None
        ada.client.set_cookie(name, cookie.value, domain="croft.localhost")
    assert ada.get("/projects").status == 303


def test_an_expired_access_cookie_is_renewed_unseen(
    visit: Visit, app: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "ACCESS_LIFETIME", timedelta(seconds=-5))
    ada = visit("ada")
    monkeypatch.setattr(auth, "ACCESS_LIFETIME", timedelta(minutes=15))
    fields = {"name": "late", "size": "small", "action": "save", "csrf_token": _csrf_of(ada)}
    monkeypatch.setattr(auth, "REUSE_GRACE", timedelta(0))
    page = ada.post("/projects/new", fields)
    assert page.status == 303
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        assert projects.get_for(user, "late").state == "creating"
    assert ada.get("/projects").status == 200


def test_a_form_without_the_csrf_value_changes_nothing(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    for token in ("", "0" * 64, _csrf_of(visit("dev"))):
        fields = {"name": "shop", "size": "small", "csrf_token": token}
        page = ada.post("/projects/new", fields)
        assert page.status == 403
        assert "load the page again" in page.text
    assert "No project yet" in ada.get("/projects").text


def _csrf_of(visitor: Visitor) -> str:
    """Return the CSRF value as the cookie holds it, because looking at a page would renew the session."""
    import base64
    import json

    cookie = visitor.client.get_cookie("croft_access", "croft.localhost", "/")
    assert cookie is not None
    payload = cookie.value.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["csrf"]


def test_the_start_leads_to_the_projects(visit: Visit) -> None:
    assert visit("ada").get("/").address == "/projects"
    assert visit().get("/projects").address == "/sign-in?next=%2Fprojects"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "The list of projects shows what you can open."),
        ("/projects/nothing", 404, "There is no project 'nothing' that you may see."),
        ("/jobs/nothing", 404, "There is no job 'nothing' that you may see."),
        ("/sign-out", 405, "it takes"),
    ],
)
def test_error_pages_say_what_to_do(visit: Visit, path: str, status: int, words: str) -> None:
    page = visit("ada").get(path)
    assert page.status == status
    assert words in page.text
    assert f"Error {status}" in page.text
    assert "Signed in as ada" in page.text
    assert "Sign out" not in visit().get(path).text
    assert "<h1>" in page.html


def test_a_form_too_large_is_refused(visit: Visit) -> None:
    page = visit("ada").post("/projects/new", {"description": "x" * 1_100_000})
    assert page.status == 413
    assert "Shorten what you entered" in page.text


def test_a_failing_page_gives_an_id_and_no_inside(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = visit("ada")

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("password=swordfish")

    monkeypatch.setattr(listing, "list_for", broken)
    page = ada.get("/projects")
    assert page.status == 500
    assert "give the operator the id above" in page.text
    assert "swordfish" not in page.html


def test_static_files_are_kept_until_they_change(visit: Visit) -> None:
    stranger = visit()
    page = stranger.get("/sign-in")
    for name in ("croft.css", "croft.js", "icon.svg"):
        address = next(part for part in page.html.split('"') if part.endswith(name))
        answer = stranger.client.get(address, base_url=URL)
        assert answer.status_code == 200
        assert answer.cache_control.max_age == 31_536_000
        old = stranger.client.get(address.replace(address.split("/")[2], "old"), base_url=URL)
        assert (old.status_code, old.cache_control.no_cache) == (200, True)
    assert page.headers["Cache-Control"] == "no-store"
    for attribute in ("style=", "onclick=", "<style", "<script>"):
        assert attribute not in page.html
