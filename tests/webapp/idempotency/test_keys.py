"""The header Idempotency-Key: a POST that is sent twice is done once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from tests.webapp.conftest import Api
from webapp.db import db, utcnow, writing
from webapp.idempotency import keys
from webapp.idempotency.models import IdempotencyKey
from webapp.jobs.models import Job
from webapp.openapi import Portal

SHOP = {"name": "shop", "description": "A word that only the answer holds"}
KEY = {"Idempotency-Key": "3f0c8a52-6f0e-4a86"}


def _create(api: Api, user: str = "ada", **more: Any) -> Any:
    return api(user).send("POST", "/projects", more.pop("body", SHOP), headers=KEY, **more)


def _count(app: Portal) -> int:
    with app.app_context():
        return len(db.session.scalars(select(Job.id)).all())


def test_the_same_request_gets_the_same_answer_and_is_done_once(app: Portal, api: Api) -> None:
    first, second = _create(api), _create(api)
    assert first.status_code == second.status_code == 202
    assert first.data == second.data
    for header in ("Location", "Content-Type", "ETag"):
        assert first.headers.get(header) == second.headers.get(header)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _count(app) == 1
    job = first.json["job"]["id"]
    one, two = (
        api("ada").send("POST", f"/jobs/{job}/cancel", headers=KEY | {"Idempotency-Key": "x"}) for _ in "ab"
    )
    assert (one.status_code, two.status_code) == (202, 202), "without the key the second is a conflict"
    with app.app_context():
        stored = db.session.execute(text("SELECT answer FROM idempotency_keys")).scalars().all()
    assert len(stored) == 2
    assert not any("shop" in answer for answer in stored), "answers are encrypted"


def test_refusals_are_repeated_as_well(api: Api) -> None:
    first = _create(api, body={"name": "Not a name"})
    second = _create(api, body={"name": "Not a name"})
    assert first.status_code == second.status_code == 422
    assert first.json == second.json
    assert second.content_type == "application/problem+json"


def test_another_request_with_the_key_is_refused(app: Portal, api: Api) -> None:
    assert _create(api).status_code == 202
    for answer in (
        _create(api, body=SHOP | {"description": "other"}),
        _create(api, query_string={"x": "1"}),
        api("ada").send("POST", "/projects/shop/applications", SHOP, headers=KEY),
    ):
        assert (answer.status_code, answer.json["type"]) == (422, "/problems/idempotency-key-reused")
    assert _count(app) == 1


def test_keys_belong_to_a_user(api: Api) -> None:
    assert _create(api).status_code == 202
    answer = _create(api, "dev")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/name-taken")


def test_a_request_that_still_runs_is_not_done_a_second_time(app: Portal, api: Api) -> None:
    assert _create(api).status_code == 202
    with app.app_context(), writing() as session:
        session.execute(update(IdempotencyKey).values(status=None, answer=None))
    answer = _create(api)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/idempotency-in-progress")
    assert answer.headers["Retry-After"] == "1"
    with app.app_context(), writing() as session:
        session.execute(update(IdempotencyKey).values(created_at=utcnow() - timedelta(minutes=11)))
    assert _create(api).json["type"] == "/problems/name-taken", "its process has died: it is done anew"


def test_a_failure_of_the_portal_is_not_kept(app: Portal, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("webapp.jobs.services.wake_workers", lambda _session: 1 / 0)
        assert _create(api).status_code == 500
    answer = _create(api)
    assert answer.status_code == 202
    assert "Idempotency-Replayed" not in answer.headers


def test_keys_are_forgotten_after_a_day(app: Portal, api: Api) -> None:
    assert _create(api).status_code == 202
    with app.app_context():
        with writing() as session:
            session.execute(update(IdempotencyKey).values(created_at=utcnow() - timedelta(hours=25)))
        assert _create(api).json["type"] == "/problems/name-taken"
        with writing() as session:
            session.execute(update(IdempotencyKey).values(created_at=utcnow() - timedelta(hours=25)))
        assert (keys.forget_old(), keys.forget_old()) == (1, 0)


def test_what_is_no_key_is_refused_and_who_is_nobody_needs_none(api: Api) -> None:
    for key in ("", "x" * 256, "two words"):
        answer = api("ada").send("POST", "/projects", SHOP, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json["type"]) == (400, "/problems/bad-request"), key
    body = {"name": "ada", "password": "wrong"}
    for _time in range(2):
        answer = api(None).send("POST", "/auth/token", body, headers=KEY)
        assert answer.status_code == 401
        assert "Idempotency-Replayed" not in answer.headers
    assert api(None).send("POST", "/projects", SHOP, headers=KEY).status_code == 401


def test_every_post_documents_it(app: Portal) -> None:
    found = 0
    with app.app_context():
        paths = app.api_doc["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            names = [item["name"] for item in operation.get("parameters", [])]
            expected = method == "post" and bool(operation.get("security"))
            assert (keys.HEADER in names) is expected, f"{method} {path}"
            if expected:
                found += 1
                content = operation["responses"]["409"]["content"]["application/problem+json"]
                assert "idempotency-in-progress" in content["examples"]
    assert found >= 4
