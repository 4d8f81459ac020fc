"""Personal API tokens: a user's own keys for programs, kept as hashes."""

import secrets
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from webapp.audit.services import record
from webapp.auth.models import ApiToken, User
from webapp.db import db, utcnow, writing
from webapp.problems import Problem

MARK = "croft_"
SCOPES = ("read", "write")
MAX_TOKENS = 50
MAX_DAYS = 365
# A token's last use is written at most so often: reading should not write all the time.
USE_NOTED_EVERY = timedelta(minutes=1)
_PREFIX_LENGTH = len(MARK) + 6


def create(user: User, name: str, scope: str, expires_in_days: int) -> tuple[ApiToken, str]:
    """Make a token; return it with its secret, which cannot be read again.

    Raises Problem name-taken, or state-conflict when the user has as many as are allowed.
    """
    secret = MARK + secrets.token_urlsafe(32)
    user_id, taken = user.id, Problem("name-taken", f"You have a token '{name}' already.", field="name")
    try:
        with writing() as session:
            mine = select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id)
            if session.scalar(mine.where(ApiToken.name == name)):
                raise taken
            if (session.scalar(mine) or 0) >= MAX_TOKENS:
                raise Problem("state-conflict", f"You have {MAX_TOKENS} tokens; revoke one that is not used.")
            token = ApiToken(
                user_id=user_id,
                name=name,
                prefix=secret[:_PREFIX_LENGTH],
                token_hash=_hash(secret),
                scope=scope,
                expires_at=utcnow() + timedelta(days=expires_in_days),
            )
            session.add(token)
            settings = {"scope": scope, "expiresInDays": expires_in_days}
            record(session, user, "token.create", object_name=name, after=settings)
    except IntegrityError as error:
        # Another request took the name between the look and the commit.
        raise taken from error
    return token, secret


def list_of(user: User) -> list[ApiToken]:
    """Return the user's tokens, newest first; expired ones stay in sight until they are removed."""
    query = select(ApiToken).where(ApiToken.user_id == user.id)
    return list(db.session.scalars(query.order_by(ApiToken.created_at.desc(), ApiToken.id.desc())))


def get_of(user: User, token_id: int) -> ApiToken:
    """Return one of the user's tokens. Raises Problem token-not-found."""
    token = db.session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id))
    if token is None:
        raise Problem("token-not-found", f"You have no API token with the id {token_id}.")
    return token


def revoke(user: User, token_id: int) -> None:
    """Remove one of the user's tokens; it works no more. Raises Problem token-not-found."""
    name, user_id = get_of(user, token_id).name, user.id
    with writing() as session:
        session.execute(delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id))
        record(session, user, "token.revoke", object_name=name)


def use(secret: str) -> tuple[User, ApiToken] | None:
    """Return the active user and the token that `secret` belongs to, and note its use; None for a bad one."""
    now = utcnow()
    query = (
        select(User, ApiToken)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == _hash(secret), ApiToken.expires_at > now, User.is_active)
    )
    found = db.session.execute(query).first()
    if found is None:
        return None
    user, token = found
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        due = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USE_NOTED_EVERY)
        token_id = token.id
        with writing() as session:
            session.execute(update(ApiToken).where(ApiToken.id == token_id, due).values(last_used_at=now))
    return user, token


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
