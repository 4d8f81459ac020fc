"""Sessions of pages: cookies, CSRF, and renewal on the way."""

from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Blueprint, Response, make_response
from flask.testing import FlaskClient
from flask_jwt_extended import decode_token

from tests.webapp.conftest import PASSWORD, make_config
from webapp.app import create_app
from webapp.auth import services, sessions
from webapp.auth.models import User
from webapp.db import Base, db
from webapp.openapi import Portal

HOST = {"Host": "croft.localhost"}
probe = Blueprint("probe", __name__)


@probe.route("/probe", methods=["GET", "POST"])
@sessions.login_required
def show() -> str:
    """A page that says who looks, and the CSRF value of its form."""
    return f"{sessions.current_user.name} {sessions.csrf_token()}"


@probe.get("/probe/begin")
def begin() -> Response:
    """Begin a session, as the sign-in page does."""
    _, tokens = services.sign_in("ada", PASSWORD, "127.0.0.1")
    response = make_response("")
    sessions.begin(response, tokens)
    return response


@probe.get("/probe/end")
def end() -> Response:
    """End the session, as signing out does."""
    response = make_response("")
    sessions.end(response)
    return response


def make(url: str, password_hash: str, tmp: object) -> Portal:
    """Build an application with the probe page, reached at `url`."""
    application = create_app(make_config(f"sqlite:///{tmp}/sessions.db", external_url=url))
    application.register_blueprint(probe)
    with application.app_context():
        Base.metadata.create_all(db.engine)
        db.session.add(User(name="ada", password_hash=password_hash))
        db.session.commit()
    return application


@pytest.fixture
def web(password_hash: str, tmp_path: object) -> Iterator[FlaskClient]:
    """A browser that has signed in."""
    application = make("http://croft.localhost:8080", password_hash, tmp_path)
    client = application.test_client()
    assert client.get("/probe/begin", headers=HOST, base_url="http://croft.localhost").status_code == 200
    yield client
    with application.app_context():
        db.engine.dispose()


def get(client: FlaskClient, path: str = "/probe", **headers: str) -> Any:
    return client.get(path, headers={**HOST, **headers}, base_url="http://croft.localhost")


def csrf_of(client: FlaskClient) -> str:
    return get(client).text.split()[1]


def post(client: FlaskClient, csrf: str | None = None, **headers: str) -> Any:
    form = {} if csrf is None else {"csrf_token": csrf}
    return client.post("/probe", data=form, headers={**HOST, **headers}, base_url="http://croft.localhost")


def test_a_page_needs_a_session_and_leads_to_it(web: FlaskClient) -> None:
    stranger = web.application.test_client()
    answer = get(stranger, "/probe?tab=1")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=%2Fprobe%3Ftab%3D1"
    answer = get(stranger, **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=%2F")
    assert get(stranger, Accept="text/event-stream").status_code == 401
    assert get(web).text.startswith("ada ")


def test_cookies_are_closed_to_scripts_and_other_sites(web: FlaskClient) -> None:
    answer = get(web, "/probe/begin")
    cookies = [next(iter(SimpleCookie(line).values())) for line in answer.headers.getlist("Set-Cookie")]
    assert {cookie.key for cookie in cookies} == {"croft_access", "croft_refresh"}
    for cookie in cookies:
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]


def test_over_https_cookies_are_secure_and_bound_to_the_host(password_hash: str, tmp_path: object) -> None:
    application = make("https://croft.example.org", password_hash, tmp_path)
    answer = application.test_client().get("/probe/begin", headers={"Host": "croft.example.org"})
    cookies = [next(iter(SimpleCookie(line).values())) for line in answer.headers.getlist("Set-Cookie")]
    assert {cookie.key for cookie in cookies} == {"__Host-croft_access", "__Host-croft_refresh"}
    assert all(cookie["secure"] and cookie["path"] == "/" for cookie in cookies)
    assert answer.headers["Strict-Transport-Security"]


def test_a_form_needs_the_value_of_its_session(web: FlaskClient) -> None:
    csrf = csrf_of(web)
    assert post(web, csrf).status_code == 200
    assert post(web, None, **{"X-CSRF-TOKEN": csrf}).status_code == 200
    for wrong in (None, "", "x", csrf[:-1] + ("0" if csrf[-1] != "0" else "1")):
        assert post(web, wrong).status_code == 403
    other = web.application.test_client()
    get(other, "/probe/begin")
    assert post(web, csrf_of(other)).status_code == 403


def expire(web: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the browser's session with one whose access token has expired."""
    with monkeypatch.context() as patch:
        patch.setattr(services, "ACCESS_LIFETIME", timedelta(seconds=-1))
        get(web, "/probe/begin")


def test_an_expired_session_is_renewed_in_place(web: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    expire(web, monkeypatch)
    old = web.get_cookie("croft_refresh", domain="croft.localhost")
    answer = get(web)
    assert answer.status_code == 200
    assert answer.text.startswith("ada ")
    new = web.get_cookie("croft_refresh", domain="croft.localhost")
    assert old is not None
    assert new is not None
    assert new.value != old.value
    again = get(web)
    assert (again.status_code, again.headers.getlist("Set-Cookie")) == (200, [])


def test_a_form_that_was_open_for_long_still_works(web: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    expire(web, monkeypatch)
    csrf = csrf_of(web)
    assert post(web, csrf).status_code == 200
    expire(web, monkeypatch)
    wrong = post(web, csrf)
    assert wrong.status_code == 403, "a new session has a value of its own"
    # What the form of the expired session carries:
    cookie = web.get_cookie("croft_access", domain="croft.localhost")
    assert cookie is not None
    with web.application.app_context():
        value = decode_token(cookie.value, allow_expired=True)["csrf"]
    assert post(web, value).status_code == 200


def test_without_a_valid_refresh_token_the_browser_signs_in(
    web: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(web, monkeypatch)
    web.delete_cookie("croft_refresh", domain="croft.localhost")
    assert get(web).status_code == 303
    expire(web, monkeypatch)
    web.set_cookie("croft_refresh", "nonsense", domain="croft.localhost")
    assert get(web).status_code == 303


def test_signing_out_ends_the_session_for_good(web: FlaskClient) -> None:
    access = web.get_cookie("croft_access", domain="croft.localhost")
    assert access is not None
    get(web, "/probe/end")
    assert web.get_cookie("croft_access", domain="croft.localhost") is None
    web.set_cookie("croft_access", access.value, domain="croft.localhost")
    assert get(web).status_code == 303


def test_cookies_do_not_act_on_the_api(web: FlaskClient) -> None:
    answer = get(web, "/api/v1/projects")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/projects/shop", "/projects/shop"),
        ("/projects?x=1", "/projects?x=1"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\nb", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_sign_in_leads_nowhere_else(target: str | None, safe: str) -> None:
    assert sessions.safe_next(target) == safe
