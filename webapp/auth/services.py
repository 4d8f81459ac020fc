"""Users and their sessions: the rules that the API and the pages share."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from flask import current_app
from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from webapp.audit.services import record
from webapp.auth import passwords, throttle
from webapp.auth.models import RefreshToken, User, UserSession
from webapp.db import db, utcnow, writing
from webapp.metrics.sign_ins import counted_sign_in
from webapp.problems import Problem

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=30)
# However often it is renewed, a session ends so long after the sign-in.
SESSION_LIFETIME = timedelta(days=90)
# A client that lost the answer to its renewal may ask again with the same token for this long.
REUSE_GRACE = timedelta(seconds=10)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9._@]{0,62}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True)
class Tokens:
    """A pair of tokens of one session. `expires_in`: seconds for which the access token is valid."""

    access: str
    refresh: str
    expires_in: int = int(ACCESS_LIFETIME.total_seconds())


def create_user(name: str, password: str, *, is_admin: bool = False) -> User:
    """Store a new user. Raises Problem when the name is malformed or taken, or the password is bad."""
    check_name(name)
    check_password(password)
    password_hash = passwords.hash_password(password)
    with writing() as session:
        user = add_user(session, name, password_hash=password_hash, is_admin=is_admin)
        record(session, None, "user.create", object_name=name, after={"isAdmin": is_admin})
    return user


def add_user(session: Session, name: str, **settings: Any) -> User:
    """Add a user within the caller's transaction. Raises Problem name-taken."""
    if session.scalar(select(User.id).where(User.name == name)) is not None:
        raise Problem("name-taken", f"There is a user '{name}' already.", field="name")
    user = User(name=name, **settings)
    session.add(user)
    session.flush()
    return user


def check_name(name: str) -> None:
    """Raise Problem unless a user can have this name."""
    if not _NAME.fullmatch(name):
        raise Problem(
            "validation-failed",
            f"'{name}' cannot be a user's name: use up to 64 lower-case letters, digits and . _ - @",
            field="name",
        )


def set_password(user: User, password: str) -> None:
    """Give the user a new password and end all their sessions. Raises Problem for a bad password."""
    check_password(password)
    password_hash = passwords.hash_password(password)
    user_id, name = user.id, user.name
    with writing() as session:
        session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
        end_sessions(session, UserSession.user_id == user_id)
        record(session, None, "user.reset-password", object_name=name)


def find_user(name: str) -> User | None:
    """Return the user of this name, or None."""
    return db.session.scalar(select(User).where(User.name == name))


@counted_sign_in()
def sign_in(name: str, password: str, address: str, user_agent: str = "") -> tuple[User, Tokens]:
    """Begin a session for a user who comes from the network address `address` with the browser `user_agent`.

    Raises Problem sign-in-failed, or too-many-attempts with the seconds to wait.
    """
    name = name.strip().lower()[:64]
    with writing() as session:
        throttle.admit(session, name, address)
    user = find_user(name)
    fits = len(password) <= passwords.MAX_LENGTH and passwords.verify_password(
        password, user.password_hash if user else None
    )
    if user is None or not fits or not user.is_active:
        with writing() as session:
            record(session, user, "user.sign-in-failed", object_name=name, user_name=name or "nobody")
        raise Problem("sign-in-failed", "The name or the password is wrong.")
    user_id = user.id
    with writing() as session:
        throttle.forgive(session, name)
        tokens = begin_session(session, session.get_one(User, user_id), address, user_agent)
    return user, tokens


def begin_session(session: Session, user: User, address: str, user_agent: str) -> Tokens:
    """Begin a session for a user whose identity is proven; within the caller's transaction."""
    session.execute(delete(RefreshToken).where(RefreshToken.expires_at < utcnow()))
    session.execute(delete(UserSession).where(UserSession.expires_at < utcnow()))
    user.last_sign_in_at = utcnow()
    record(session, user, "user.sign-in", object_name=user.name)
    return _begin(session, user.id, address, user_agent)


def rotate(refresh_token: str) -> tuple[User, Tokens]:
    """Spend a refresh token for a new pair.

    Raises Problem: token-expired, token-invalid, or token-reused when it was spent before; its session ends
    then, because one of the two who hold the token is not the user.
    """
    claims = _read_refresh(refresh_token)
    tokens = None
    with writing() as session:
        spent = _find(session, claims)
        if spent is None or spent.revoked_at is not None:
            raise Problem("token-invalid", "This session has ended; sign in again.")
        user = session.get_one(User, spent.user_id)
        signed_in = session.get_one(UserSession, spent.family, with_for_update=True)
        if signed_in.expires_at <= utcnow():
            raise Problem("token-expired", "This session has reached its age limit; sign in again.")
        if not user.is_active:
            raise Problem("token-invalid", f"The user '{user.name}' may no longer sign in.")
        if spent.used_at is not None and utcnow() - spent.used_at > REUSE_GRACE:
            end_sessions(session, UserSession.id == spent.family)
        else:
            spent.used_at = spent.used_at or utcnow()
            signed_in.last_used_at = utcnow()
            tokens = _issue(session, signed_in)
    if tokens is None:
        raise Problem(
            "token-reused", "This refresh token was used before, so its session was ended; sign in again."
        )
    return user, tokens


def revoke(refresh_token: str) -> None:
    """End the session that the token belongs to, its access tokens included; an ended one stays ended.

    Raises Problem token-invalid when the token is not ours.
    """
    claims = _read_refresh(refresh_token, allow_expired=True)
    with writing() as session:
        token = _find(session, claims)
        if token is not None and token.revoked_at is None:
            user = session.get_one(User, token.user_id)
            end_sessions(session, UserSession.id == token.family)
            record(session, user, "user.sign-out", object_name=user.name)


def user_of_session(user_id: str, family: str) -> User | None:
    """Return the active user of a session that has not ended, or None."""
    alive = select(UserSession.id).where(
        UserSession.id == family,
        UserSession.user_id == User.id,
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > utcnow(),
    )
    query = select(User).where(User.id == int(user_id), User.is_active, alive.exists())
    return db.session.scalar(query)


def csrf_value(family: str) -> str:
    """Return what forms of this session must carry; renewals keep it, so that an open form stays valid."""
    key = current_app.config["JWT_SECRET_KEY"].encode()
    return hmac.new(key, f"csrf:{family}".encode(), sha256).hexdigest()


def csrf_of(tokens: Tokens) -> str:
    """Return what forms of the session that these tokens belong to must carry."""
    return csrf_value(decode_token(tokens.access)["family"])


def check_password(password: str, field: str = "password") -> None:
    """Raise Problem, at `field`, unless the password's length is in bounds."""
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        raise Problem(
            "validation-failed",
            f"The password must have {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters.",
            field=field,
        )


def _begin(session: Session, user_id: int, address: str, user_agent: str) -> Tokens:
    signed_in = UserSession(
        id=uuid4().hex,
        user_id=user_id,
        address=address,
        user_agent=user_agent[:200],
        expires_at=utcnow() + SESSION_LIFETIME,
    )
    session.add(signed_in)
    session.flush()
    return _issue(session, signed_in)


def _issue(session: Session, signed_in: UserSession) -> Tokens:
    user_id, family = signed_in.user_id, signed_in.id
    claims = {"family": family, "csrf": csrf_value(family)}
    jti = str(uuid4())
    lifetime = min(REFRESH_LIFETIME, signed_in.expires_at - utcnow())
    tokens = Tokens(
        access=create_access_token(str(user_id), additional_claims=claims, expires_delta=ACCESS_LIFETIME),
        refresh=create_refresh_token(
            str(user_id), additional_claims={**claims, "jti": jti}, expires_delta=lifetime
        ),
    )
    expires_at = utcnow() + lifetime
    session.add(RefreshToken(user_id=user_id, jti_hash=_hash(jti), family=family, expires_at=expires_at))
    return tokens


def _read_refresh(token: str, *, allow_expired: bool = False) -> dict[str, Any]:
    try:
        claims = decode_token(token, allow_expired=allow_expired)
    except (PyJWTError, JWTExtendedException) as error:
        expired = type(error).__name__ == "ExpiredSignatureError"
        raise (
            Problem("token-expired", "The refresh token has expired; sign in again.")
            if expired
            else Problem("token-invalid", "This is not a refresh token of this portal; sign in again.")
        ) from error
    if claims.get("type") != "refresh":
        raise Problem("token-invalid", "This is an access token; send the refresh token.")
    return claims


def _find(session: Session, claims: dict[str, Any]) -> RefreshToken | None:
    query = select(RefreshToken).where(RefreshToken.jti_hash == _hash(claims["jti"])).with_for_update()
    return session.scalar(query)


def end_sessions(session: Session, which: ColumnElement[bool]) -> None:
    """End the sessions that `which` (a condition on UserSession) names, with all their refresh tokens."""
    now = utcnow()
    families = select(UserSession.id).where(which)
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.family.in_(families), RefreshToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.execute(update(UserSession).where(which, UserSession.revoked_at.is_(None)).values(revoked_at=now))


def _hash(jti: str) -> str:
    return sha256(jti.encode()).hexdigest()
