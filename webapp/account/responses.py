"""Answers about the user's own account."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from webapp.account.services import browser_of
from webapp.auth.models import ApiToken, User, UserSession
from webapp.auth.sessions import session_id
from webapp.links import API, PageLinks
from webapp.schemas import Model

ME = f"{API}/me"
Scope = Literal["read", "write"]


class MeLinks(Model):
    """What belongs to the account."""

    self_: str = Field(alias="self", description="The account", examples=["/api/v1/me"])
    password: str = Field(description="Change the password with POST", examples=["/api/v1/me/password"])
    sessions: str = Field(description="The sessions", examples=["/api/v1/me/sessions"])
    tokens: str = Field(description="The personal API tokens", examples=["/api/v1/me/tokens"])
    projects: str = Field(description="The projects", examples=["/api/v1/projects"])


class Me(Model):
    """The user who asks."""

    name: str = Field(description="Name", examples=["ada"])
    email: str | None = Field(description="E-mail address; null for none", examples=["ada@example.org"])
    is_admin: bool = Field(description="Whether the user may see and do everything", examples=[False])
    has_password: bool = Field(
        description="Whether there is a password here, beside single sign-on", examples=[True]
    )
    must_change_password: bool = Field(
        description="Whether a new password has to be chosen before anything else", examples=[False]
    )
    created_at: datetime = Field(description="When the account was made", examples=["2026-01-31T12:00:00Z"])
    last_sign_in_at: datetime | None = Field(
        description="The last sign-in; null before the first", examples=["2026-02-01T08:00:00Z"]
    )
    links: MeLinks = Field(description="What belongs to the account")


class SessionLinks(Model):
    """Where the session is."""

    self_: str = Field(
        alias="self",
        description="The session; end it with DELETE",
        examples=["/api/v1/me/sessions/0f8c2ab3d4e5f60718293a4b5c6d7e8f"],
    )


class SessionBody(Model):
    """One sign-in, on one browser or program."""

    id: str = Field(description="Id of the session", examples=["0f8c2ab3d4e5f60718293a4b5c6d7e8f"])
    current: bool = Field(description="Whether this request belongs to it", examples=[True])
    browser: str = Field(description="Program in a few words", examples=["Firefox on Linux"])
    user_agent: str = Field(
        description="What the program calls itself",
        examples=["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
    )
    address: str = Field(description="Network address at the sign-in", examples=["192.0.2.7"])
    created_at: datetime = Field(description="When it began", examples=["2026-01-31T12:00:00Z"])
    last_used_at: datetime = Field(description="Its last renewal", examples=["2026-02-01T08:00:00Z"])
    expires_at: datetime = Field(
        description="When it ends however much it is used", examples=["2026-05-01T12:00:00Z"]
    )
    links: SessionLinks = Field(description="Where the session is")


class SessionList(Model):
    """One page of sessions, the newest sign-in first."""

    items: list[SessionBody] = Field(description="The sessions")
    links: PageLinks = Field(description="This page and the next")


class SessionsEnded(Model):
    """Sessions that have ended."""

    ended: int = Field(description="How many", examples=[3])
    links: dict[str, str] = Field(
        description="Where to sign in again", examples=[{"token": "/api/v1/auth/token"}]
    )


class TokenBodyLinks(Model):
    """Where the token is."""

    self_: str = Field(
        alias="self", description="The token; revoke it with DELETE", examples=["/api/v1/me/tokens/7"]
    )


class TokenBody(Model):
    """A personal API token, without its secret."""

    id: int = Field(description="Number of the token", examples=[7])
    name: str = Field(description="What it is for", examples=["backup script"])
    prefix: str = Field(description="Its first characters", examples=["croft_Xu8a2b"])
    scope: Scope = Field(description="read or write", examples=["read"])
    created_at: datetime = Field(description="When it was made", examples=["2026-01-31T12:00:00Z"])
    expires_at: datetime = Field(description="When it stops to work", examples=["2026-05-01T12:00:00Z"])
    last_used_at: datetime | None = Field(
        description="Its last use, to the minute; null before the first", examples=["2026-02-01T08:00:00Z"]
    )
    links: TokenBodyLinks = Field(description="Where the token is")


class NewTokenBody(TokenBody):
    """A token that was just made, with its secret."""

    token: str = Field(
        description="The secret for the header Authorization: Bearer …; shown this once",
        examples=["croft_Xu8a2bE5h0nq3m1oYc7rQ2vKk9sWd4tJ6fLz8pGxBiA"],
    )


class TokenRevoked(Model):
    """A token that works no more."""

    revoked: bool = Field(description="Always true", examples=[True])
    links: dict[str, str] = Field(
        description="Where the others are", examples=[{"tokens": "/api/v1/me/tokens"}]
    )


class TokenListLinks(Model):
    """Where the list is."""

    self_: str = Field(alias="self", description="The tokens", examples=["/api/v1/me/tokens"])


class TokenList(Model):
    """A user's tokens, newest first."""

    items: list[TokenBody] = Field(description="The tokens")
    links: TokenListLinks = Field(description="Where the list is")


def me_body(user: User) -> Me:
    """Return the account as it is answered."""
    return Me(
        name=user.name,
        email=user.email,
        is_admin=user.is_admin,
        has_password=user.password_hash is not None,
        must_change_password=user.must_change_password,
        created_at=user.created_at,
        last_sign_in_at=user.last_sign_in_at,
        links=MeLinks(
            self_=ME,
            password=f"{ME}/password",
            sessions=f"{ME}/sessions",
            tokens=f"{ME}/tokens",
            projects=f"{API}/projects",
        ),
    )


def session_body(found: UserSession) -> SessionBody:
    """Return a session as it is answered."""
    return SessionBody(
        id=found.id,
        current=found.id == session_id(),
        browser=browser_of(found.user_agent),
        user_agent=found.user_agent,
        address=found.address,
        created_at=found.created_at,
        last_used_at=found.last_used_at,
        expires_at=found.expires_at,
        links=SessionLinks(self_=f"{ME}/sessions/{found.id}"),
    )


def token_body(token: ApiToken) -> TokenBody:
    """Return a token as it is answered, without its secret."""
    return TokenBody.model_validate(_token(token))


def new_token_body(token: ApiToken, secret: str) -> NewTokenBody:
    """Return a token as it is answered once, with its secret."""
    return NewTokenBody.model_validate(_token(token) | {"token": secret})


def _token(token: ApiToken) -> dict[str, object]:
    names = ("id", "name", "prefix", "scope", "created_at", "expires_at", "last_used_at")
    links = TokenBodyLinks(self_=f"{ME}/tokens/{token.id}")
    return {name: getattr(token, name) for name in names} | {"links": links}
