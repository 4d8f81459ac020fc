"""/api/v1/auth"""

from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from pydantic import Field

from webapp.auth import registration, services
from webapp.links import API
from webapp.openapi import answers, reply
from webapp.schemas import Model, Verbatim

api = APIBlueprint(
    "auth_api",
    __name__,
    url_prefix=f"{API}/auth",
    abp_tags=[Tag(name="auth", description="Sign in, renew and end sessions")],
)


class Credentials(Model):
    """Who signs in."""

    name: str = Field(min_length=1, max_length=64, description="Name of the user", examples=["ada"])
    password: Verbatim = Field(
        min_length=1, max_length=256, description="The password", examples=["correct horse battery staple"]
    )


class Registration(Credentials):
    """A new account."""

    email: str | None = Field(
        None, max_length=254, description="E-mail address; may be left out", examples=["ada@example.org"]
    )


class RefreshTokenBody(Model):
    """A refresh token, in the body so that it stays out of logs."""

    refresh_token: str = Field(
        min_length=1,
        max_length=2000,
        description="The refresh token",
        examples=["eyJhbGciOiJIUzI1NiJ9.e30.c2ln"],
    )


class TokenLinks(Model):
    """What to do with the tokens."""

    refresh: str = Field(description="Renew the tokens with POST", examples=["/api/v1/auth/refresh"])
    revoke: str = Field(description="End the session with POST", examples=["/api/v1/auth/revoke"])
    projects: str = Field(description="Your projects", examples=["/api/v1/projects"])


class TokenPair(Model):
    """The tokens of a session."""

    access_token: str = Field(
        description="For the header Authorization: Bearer …", examples=["eyJhbGciOiJIUzI1NiJ9.e30.YWNj"]
    )
    refresh_token: str = Field(
        description="Renews both, once, within 30 days", examples=["eyJhbGciOiJIUzI1NiJ9.e30.c2ln"]
    )
    token_type: str = Field(description="How to send the access token", examples=["Bearer"])
    expires_in: int = Field(description="Seconds for which the access token is valid", examples=[900])
    links: TokenLinks = Field(description="What to do with the tokens")


class Ended(Model):
    """The session has ended."""

    ended: bool = Field(description="Always true", examples=[True])
    links: dict[str, str] = Field(
        description="Where to sign in again", examples=[{"token": "/api/v1/auth/token"}]
    )


@api.post(
    "/token",
    operation_id="signIn",
    responses=answers({200: TokenPair}, "sign-in-failed", "too-many-attempts", body=True, signed_in=False),
)
def sign_in(body: Credentials) -> Response:
    """Sign in with name and password"""
    _, tokens = services.sign_in(
        body.name, body.password, request.remote_addr or "", request.user_agent.string
    )
    return _pair(tokens)


@api.post(
    "/register",
    operation_id="register",
    responses=answers(
        {201: TokenPair},
        "registration-closed",
        "name-taken",
        "too-many-attempts",
        body=True,
        signed_in=False,
    ),
)
def register(body: Registration) -> Response:
    """Make an account of your own, where the operator allows it, and sign in"""
    address = request.remote_addr or ""
    user = registration.register(body.name, body.password, body.email, address)
    _, tokens = services.sign_in(user.name, body.password, address, request.user_agent.string)
    return _pair(tokens, 201)


@api.post(
    "/refresh",
    operation_id="refreshTokens",
    responses=answers(
        {200: TokenPair}, "token-expired", "token-invalid", "token-reused", body=True, signed_in=False
    ),
)
def refresh(body: RefreshTokenBody) -> Response:
    """Spend a refresh token for a new pair; using it again later ends the session"""
    _, tokens = services.rotate(body.refresh_token)
    return _pair(tokens)


@api.post(
    "/revoke",
    operation_id="revokeTokens",
    responses=answers({200: Ended}, "token-invalid", body=True, signed_in=False),
)
def revoke(body: RefreshTokenBody) -> Response:
    """End the session that a refresh token belongs to, its access tokens included"""
    services.revoke(body.refresh_token)
    return reply(Ended(ended=True, links={"token": f"{API}/auth/token"}))


def _pair(tokens: services.Tokens, status: int = 200) -> Response:
    return reply(
        TokenPair(
            access_token=tokens.access,
            refresh_token=tokens.refresh,
            token_type="Bearer",  # noqa: S106
            expires_in=tokens.expires_in,
            links=TokenLinks(
                refresh=f"{API}/auth/refresh", revoke=f"{API}/auth/revoke", projects=f"{API}/projects"
            ),
        ),
        status,
    )
