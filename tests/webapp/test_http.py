"""What holds for every request: errors in one shape, bounded bodies, known hosts, strict headers."""

import io
import json
import logging
from typing import Any

import pytest
from sqlalchemy import text

from tests.webapp.conftest import Api
from webapp.database_revision import newest_revision
from webapp.db import db
from webapp.openapi import Portal
from webapp.problems import PROBLEM_TYPES
from webapp.projects import listing


def test_a_body_of_10_mb_is_refused(api: Api) -> None:
    body = json.dumps({"name": "shop", "description": "x" * 10_000_000})
    answer = api("ada").send("POST", "/projects", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["type"]) == (413, "/problems/body-too-large")
    assert "1 MB" in answer.json["detail"]


def test_a_large_body_without_a_length_is_refused(api: Api) -> None:
    answer = api("ada").send(
        "POST",
        "/projects",
        input_stream=io.BytesIO(b'{"description": "' + b"x" * 2_000_000 + b'"}'),
        content_type="application/json",
        environ_base={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["type"]) == (413, "/problems/body-too-large")


def test_a_refused_body_is_read_to_its_end_so_that_the_answer_is_heard(api: Api) -> None:
    body = io.BytesIO(b"x" * 10_000_000)
    answer = api("ada").send(
        "POST",
        "/projects",
        input_stream=body,
        content_type="application/json",
        content_length=10_000_000,
        environ_base={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert body.tell() == 10_000_000


def test_a_body_without_an_end_is_read_no_further_than_a_limit(app: Portal) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.given += len(buffer)
            return len(buffer)

    body = Endless()
    given = {"wsgi.input": body, "wsgi.input_terminated": True}
    with app.test_request_context("/api/v1/nothing", environ_overrides=given):
        answer = app.full_dispatch_request()
    assert answer.status_code == 400, "a host that is not the portal's"
    assert 1_000_000 < body.given < 40_000_000


@pytest.mark.parametrize(
    "host", ["evil.example", "croft.localhost.evil.example", "127.0.0.1:8080", "", "[::1"]
)
@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/openapi.json", "/projects"])
def test_a_foreign_host_is_refused(api: Api, host: str, path: str) -> None:
    answer = api("ada").client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    if path.startswith("/api"):
        problem = answer.get_json()
        assert problem["type"] == "/problems/host-not-allowed"
        assert "http://croft.localhost:8080" in problem["detail"]


def test_probes_answer_under_any_host(api: Api) -> None:
    for path in ("/healthz", "/readyz"):
        answer = api().client.get(path, headers={"Host": "10.0.0.7:8000"})
        assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("data", "kind", "status", "slug"),
    [
        ("name=shop", "application/x-www-form-urlencoded", 415, "not-json"),
        ("{}", "", 415, "not-json"),
        ("{", "application/json", 400, "malformed-json"),
        ("[1]", "application/json", 400, "malformed-json"),
        ('"{\\"name\\": \\"shop\\"}"', "application/json", 400, "malformed-json"),
        ("null", "application/json", 400, "malformed-json"),
        (b"\xff\xfe{}", "application/json", 400, "malformed-json"),
        ("[" * 100_000, "application/json", 400, "malformed-json"),
        ('{"a":' * 60 + "1" + "}" * 60, "application/json", 400, "malformed-json"),
        ('{"name": "sh\\u0000op"}', "application/json", 400, "malformed-json"),
        ('{"name": "sh\\ud800op"}', "application/json", 422, "validation-failed"),
        ("", "application/json", 422, "validation-failed"),
    ],
)
def test_bodies_that_are_no_json_object(api: Api, data: str, kind: str, status: int, slug: str) -> None:
    answer = api("ada").send("POST", "/projects", data=data, content_type=kind)
    assert (answer.status_code, answer.json["type"]) == (status, f"/problems/{slug}")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/nothing", "/projects/", "/projects/shop/x", "/projects/sh%00op", "/projects?a=%00"]
)
def test_unknown_addresses(api: Api, path: str) -> None:
    answer = api("ada").send("GET", path)
    assert answer.status_code in (400, 404)
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]


def test_a_wrong_method_names_the_right_ones(api: Api) -> None:
    answer = api("ada").send("PUT", "/projects", {})
    assert (answer.status_code, answer.json["type"]) == (405, "/problems/method-not-allowed")
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["Allow"].split(",")}
    assert "POST" in answer.json["detail"]


def test_an_exception_is_logged_under_the_id_that_the_user_gets(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = api("ada")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("the-inside-of-the-portal")

    monkeypatch.setattr(listing, "list_for", fail)
    with caplog.at_level(logging.ERROR):
        answer = client.send("GET", "/projects")
    assert (answer.status_code, answer.json["type"]) == (500, "/problems/internal-error")
    assert answer.json["id"] in answer.json["detail"]
    assert answer.json["id"] in caplog.text
    assert "the-inside-of-the-portal" in caplog.text
    assert "the-inside-of-the-portal" not in answer.text


def test_strict_headers(api: Api) -> None:
    for path in ("/projects", "/openapi.json", "/nothing"):
        headers = api("ada").send("GET", path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_every_problem_type_has_its_line(api: Api) -> None:
    listing = api().client.get("/problems", headers={"Host": "croft.localhost"})
    for kind in PROBLEM_TYPES.values():
        assert f"{kind.uri} ({kind.status})" in listing.text
        one = api().client.get(kind.uri, headers={"Host": "croft.localhost"})
        assert one.status_code == 200
        assert kind.title in one.text
    assert api().client.get("/problems/none", headers={"Host": "croft.localhost"}).status_code == 404


def test_pages_answer_errors_as_pages(api: Api, app: Portal) -> None:
    answer = api().client.get("/nothing-here", headers={"Host": "croft.localhost"})
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "There is nothing at /nothing-here." in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_a_form_from_another_site_is_refused(api: Api, headers: dict[str, str]) -> None:
    form = {"name": "ada", "password": "x"}
    answer = api().client.post("/sign-in", data=form, headers={"Host": "croft.localhost", **headers})
    assert answer.status_code == 403
    assert "another site" in answer.text


@pytest.mark.parametrize(
    ("revision", "words"), [("0000", "older than"), ("9999", "newer than this version of the portal")]
)
def test_readyz_says_what_is_wrong_with_the_database(
    app: Portal, api: Api, revision: str, words: str
) -> None:
    newest = newest_revision(app.config["CROFT"].home / "migrations" / "versions")
    change = text("UPDATE alembic_version SET version_num = :number")
    with app.app_context():
        db.session.execute(change, {"number": revision})
        db.session.commit()
    try:
        answer = api().client.get("/readyz")
        assert answer.status_code == 503
        detail = answer.get_json()["detail"]
        assert revision in detail
        assert words in detail
    finally:
        with app.app_context():
            db.session.execute(change, {"number": newest})
            db.session.commit()
