"""Sign-in, refresh and revocation through the API."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import select, update

from tests.webapp.conftest import PASSWORD, Api
from webapp.auth import services
from webapp.auth.models import LoginAttempt, RefreshToken, User, UserSession
from webapp.db import db, utcnow, writing
from webapp.openapi import Portal


def sign_in(api: Api, name: str = "ada", password: str = PASSWORD, address: str = "127.0.0.1") -> Any:
    body = {"name": name, "password": password}
    return api().send("POST", "/auth/token", body, environ_base={"REMOTE_ADDR": address})


def refresh(api: Api, token: str) -> Any:
    return api().send("POST", "/auth/refresh", {"refreshToken": token})


def works(api: Api, access: str) -> int:
    return api().send("GET", "/projects", headers={"Authorization": f"Bearer {access}"}).status_code


def test_signs_in_and_uses_the_token(api: Api) -> None:
    answer = sign_in(api)
    assert answer.status_code == 200
    assert answer.json["expiresIn"] == 900
    assert answer.json["links"]["refresh"] == "/api/v1/auth/refresh"
    assert works(api, answer.json["accessToken"]) == 200
    assert not answer.headers.getlist("Set-Cookie")


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("ada", PASSWORD + " ")]
)
def test_wrong_name_and_wrong_password_look_the_same(api: Api, name: str, password: str) -> None:
    answer = sign_in(api, name, password)
    assert answer.status_code == 401
    assert answer.json["type"] == "/problems/sign-in-failed"
    assert answer.json["detail"] == "The name or the password is wrong."


def test_an_inactive_user_can_neither_sign_in_nor_go_on(api: Api, app: Portal) -> None:
    tokens = sign_in(api).json
    with app.app_context():
        db.session.execute(update(User).where(User.name == "ada").values(is_active=False))
        db.session.commit()
    assert sign_in(api).status_code == 401
    assert works(api, tokens["accessToken"]) == 401
    assert refresh(api, tokens["refreshToken"]).status_code == 401


def test_five_failures_stop_a_name_and_tell_how_long(api: Api) -> None:
    for _ in range(5):
        assert sign_in(api, password="wrong").status_code == 401
    answer = sign_in(api)
    assert answer.status_code == 429
    seconds = answer.json["retryAfter"]
    assert 290 <= seconds <= 300
    assert answer.headers["Retry-After"] == str(seconds)
    assert f"try again in {seconds} seconds" in answer.json["detail"]
    assert sign_in(api, "dev").status_code == 200


def test_twenty_failures_stop_an_address_whatever_the_names(api: Api) -> None:
    for number in range(20):
        assert sign_in(api, f"guess{number}", "wrong", "198.51.100.7").status_code == 401
    assert sign_in(api, "ada", PASSWORD, "198.51.100.7").status_code == 429
    assert sign_in(api, "ada", PASSWORD, "198.51.100.8").status_code == 200


def test_the_wait_ends_and_a_success_forgives(api: Api, app: Portal) -> None:
    for _ in range(5):
        sign_in(api, password="wrong")
    with app.app_context():
        db.session.execute(update(LoginAttempt).values(created_at=utcnow() - timedelta(seconds=301)))
        db.session.commit()
    assert sign_in(api).status_code == 200
    for _ in range(4):
        assert sign_in(api, password="wrong").status_code == 401
    assert sign_in(api).status_code == 200
    assert sign_in(api, password="wrong").status_code == 401


def test_refresh_rotates(api: Api) -> None:
    first = sign_in(api).json
    second = refresh(api, first["refreshToken"])
    assert second.status_code == 200
    assert second.json["refreshToken"] != first["refreshToken"]
    assert works(api, second.json["accessToken"]) == 200
    assert refresh(api, second.json["refreshToken"]).status_code == 200


def test_a_retry_within_seconds_is_served(api: Api) -> None:
    first = sign_in(api).json
    refresh(api, first["refreshToken"])
    retry = refresh(api, first["refreshToken"])
    assert retry.status_code == 200
    assert works(api, retry.json["accessToken"]) == 200


def test_reuse_after_that_ends_the_whole_family(api: Api, app: Portal) -> None:
    first = sign_in(api).json
    other_session = sign_in(api).json
    second = refresh(api, first["refreshToken"]).json
    with app.app_context():
        spent = RefreshToken.used_at.is_not(None)
        db.session.execute(update(RefreshToken).where(spent).values(used_at=utcnow() - timedelta(seconds=11)))
        db.session.commit()
    answer = refresh(api, first["refreshToken"])
    assert answer.status_code == 401
    assert answer.json["type"] == "/problems/token-reused"
    assert refresh(api, second["refreshToken"]).json["type"] == "/problems/token-invalid"
    assert works(api, second["accessToken"]) == 401
    assert works(api, other_session["accessToken"]) == 200


def test_no_renewal_reaches_beyond_the_age_limit(api: Api, app: Portal) -> None:
    tokens = sign_in(api).json
    with app.app_context():
        db.session.execute(update(UserSession).values(expires_at=utcnow() + timedelta(minutes=5)))
        db.session.commit()
    renewed = refresh(api, tokens["refreshToken"]).json
    with app.app_context():
        newest = db.session.scalars(select(RefreshToken).order_by(RefreshToken.id.desc())).first()
        assert newest is not None
        assert newest.expires_at <= utcnow() + timedelta(minutes=5)
        db.session.execute(update(UserSession).values(expires_at=utcnow() - timedelta(seconds=1)))
        db.session.commit()
    assert refresh(api, renewed["refreshToken"]).json["type"] == "/problems/token-expired"
    assert works(api, renewed["accessToken"]) == 401


def test_revoke_ends_the_session_at_once_and_twice_is_fine(api: Api) -> None:
    tokens = sign_in(api).json
    for _ in range(2):
        answer = api().send("POST", "/auth/revoke", {"refreshToken": tokens["refreshToken"]})
        assert answer.status_code == 200
        assert answer.json == {"ended": True, "links": {"token": "/api/v1/auth/token"}}
    assert works(api, tokens["accessToken"]) == 401
    assert refresh(api, tokens["refreshToken"]).status_code == 401


def test_a_refresh_token_counts_in_the_body_only(api: Api) -> None:
    token = sign_in(api).json["refreshToken"]
    assert api().send("POST", f"/auth/refresh?refreshToken={token}").status_code == 422
    bearer = {"Authorization": f"Bearer {token}"}
    assert api().send("POST", "/auth/refresh", {}, headers=bearer).status_code == 422
    client = api()
    client.client.set_cookie("croft_refresh", token, domain="croft.localhost")
    assert client.send("POST", "/auth/refresh", {}).status_code == 422
    assert works(api, token) == 401


def test_an_access_token_counts_in_the_header_only(api: Api) -> None:
    token = sign_in(api).json["accessToken"]
    assert api().send("GET", f"/projects?jwt={token}").status_code == 401
    client = api()
    client.client.set_cookie("croft_access", token, domain="croft.localhost")
    answer = client.send("GET", "/projects")
    assert answer.status_code == 401
    assert answer.json["type"] == "/problems/not-authenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert refresh(api, token).json["type"] == "/problems/token-invalid"


def test_expired_tokens_say_so(api: Api, app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "ACCESS_LIFETIME", timedelta(seconds=-1))
    monkeypatch.setattr(services, "REFRESH_LIFETIME", timedelta(seconds=-1))
    tokens = sign_in(api).json
    bearer = {"Authorization": f"Bearer {tokens['accessToken']}"}
    answer = api().send("GET", "/projects", headers=bearer)
    assert (answer.status_code, answer.json["type"]) == (401, "/problems/token-expired")
    assert refresh(api, tokens["refreshToken"]).json["type"] == "/problems/token-expired"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer a.b.c", "Basic YWRhOng=", "Bearer " + "x" * 5000, "Bearer a b"]
)
def test_malformed_headers_are_refused(api: Api, header: str) -> None:
    answer = api().send("GET", "/projects", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_a_token_signed_by_somebody_else_is_refused(api: Api) -> None:
    claims = {"sub": "1", "type": "access", "family": "x", "jti": "x", "exp": utcnow() + timedelta(hours=1)}
    for forged in (
        jwt.encode(claims, "another-secret-of-forty-characters-length", algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
    ):
        assert works(api, forged) == 401


def test_only_hashes_of_tokens_are_stored(api: Api, app: Portal) -> None:
    token = sign_in(api).json["refreshToken"]
    jti = jwt.decode(token, options={"verify_signature": False})["jti"]
    with app.app_context():
        stored = db.session.scalars(select(RefreshToken)).one()
        values = [str(getattr(stored, column.name)) for column in RefreshToken.__table__.columns]
    assert not any(jti in value or token in value for value in values)


def test_a_new_password_ends_all_sessions(api: Api, app: Portal) -> None:
    token = sign_in(api).json["accessToken"]
    with app.app_context():
        user = services.find_user("ada")
        assert user is not None
        services.set_password(user, "another long password")
    assert works(api, token) == 401
    assert sign_in(api).status_code == 401
    assert sign_in(api, password="another long password").status_code == 200


def test_a_new_user_with_an_old_id_does_not_inherit_sessions(api: Api, app: Portal) -> None:
    token = sign_in(api, "out").json["accessToken"]
    with app.app_context():
        with writing() as session:
            user = session.scalars(select(User).where(User.name == "out")).one()
            old_id = user.id
            session.delete(user)
        with writing() as session:
            session.add(User(id=old_id, name="mallory", password_hash="x"))
    assert works(api, token) == 401
