"""/api/v1/me"""

from flask import Response
from pydantic import Field

from webapp.account import responses, services
from webapp.account.responses import ME
from webapp.account.schemas import AccountChanges, NewToken, PasswordChange
from webapp.auth import api_tokens
from webapp.auth.sessions import current_user, require_session, session_id
from webapp.links import API, ListQuery, PageLinks, page_addresses
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model

api = api_blueprint("account_api", __name__, "/me", "account", "Your own account, sessions and API tokens")

_SESSIONS = "Ending a session"
_TOKENS = "Managing API tokens"


class SessionPath(Model):
    """Which session."""

    session: str = Field(
        max_length=64, description="Id of the session", examples=["0f8c2ab3d4e5f60718293a4b5c6d7e8f"]
    )


class TokenPath(Model):
    """Which token."""

    token: int = Field(ge=1, le=2**31 - 1, description="Number of the token", examples=[7])


@api.get("", operation_id="getMe", responses=answers({200: responses.Me}))
def get_me() -> Response:
    """Show your account"""
    return reply(responses.me_body(current_user))


@api.patch("", operation_id="changeMe", responses=answers({200: responses.Me}, "scope-too-low", body=True))
def change_me(body: AccountChanges) -> Response:
    """Change your e-mail address"""
    services.change_email(current_user, body.email)
    return reply(responses.me_body(current_user))


@api.post(
    "/password",
    operation_id="changePassword",
    responses=answers({200: responses.Me}, "scope-too-low", "state-conflict", "too-many-attempts", body=True),
)
def change_password(body: PasswordChange) -> Response:
    """Change your password; all your other sessions end"""
    require_session("Changing the password")
    services.change_password(current_user, body.current_password, body.new_password, session_id())
    return reply(responses.me_body(current_user))


@api.get(
    "/sessions",
    operation_id="listSessions",
    responses=answers({200: responses.SessionList}, "validation-failed", "password-change-required"),
)
def list_sessions(query: ListQuery) -> Response:
    """List your sessions, the newest sign-in first"""
    found = services.sessions_of(current_user, limit=query.limit, cursor=query.cursor)
    here, following = page_addresses(f"{ME}/sessions", query, found.next_cursor)
    items = [responses.session_body(item) for item in found.sessions]
    return reply(responses.SessionList(items=items, links=PageLinks(self_=here, next=following)))


@api.delete(
    "/sessions",
    operation_id="endAllSessions",
    responses=answers({200: responses.SessionsEnded}, "scope-too-low"),
)
def end_all_sessions() -> Response:
    """Sign out everywhere, here as well"""
    require_session(_SESSIONS)
    return _ended(services.end_all(current_user))


@api.get(
    "/sessions/<session>",
    operation_id="getSession",
    responses=answers({200: responses.SessionBody}, "session-not-found", "validation-failed"),
)
def get_session(path: SessionPath) -> Response:
    """Show one of your sessions"""
    return reply(responses.session_body(services.session_of(current_user, path.session)))


@api.delete(
    "/sessions/<session>",
    operation_id="endSession",
    responses=answers(
        {200: responses.SessionsEnded}, "scope-too-low", "session-not-found", "validation-failed"
    ),
)
def end_session(path: SessionPath) -> Response:
    """End one of your sessions"""
    require_session(_SESSIONS)
    services.end_session(current_user, path.session)
    return _ended(1)


@api.get("/tokens", operation_id="listTokens", responses=answers({200: responses.TokenList}))
def list_tokens() -> Response:
    """List your personal API tokens"""
    items = [responses.token_body(token) for token in api_tokens.list_of(current_user)]
    return reply(responses.TokenList(items=items, links=responses.TokenListLinks(self_=f"{ME}/tokens")))


@api.post(
    "/tokens",
    operation_id="createToken",
    responses=answers(
        {201: responses.NewTokenBody}, "scope-too-low", "name-taken", "state-conflict", body=True
    ),
)
def create_token(body: NewToken) -> Response:
    """Make a personal API token; the answer shows it this once

    Send it as `Authorization: Bearer croft_…`. One of scope `read` may only look; no token may manage tokens,
    passwords, sessions or users.
    """
    require_session(_TOKENS)
    token, secret = api_tokens.create(current_user, body.name, body.scope, body.expires_in_days)
    shown = responses.new_token_body(token, secret)
    return reply(shown, 201, shown.links.self_)


@api.get(
    "/tokens/<token>",
    operation_id="getToken",
    responses=answers({200: responses.TokenBody}, "token-not-found", "validation-failed"),
)
def get_token(path: TokenPath) -> Response:
    """Show one of your personal API tokens"""
    return reply(responses.token_body(api_tokens.get_of(current_user, path.token)))


@api.delete(
    "/tokens/<token>",
    operation_id="revokeToken",
    responses=answers({200: responses.TokenRevoked}, "scope-too-low", "token-not-found", "validation-failed"),
)
def revoke_token(path: TokenPath) -> Response:
    """Revoke one of your personal API tokens; it works no more"""
    require_session(_TOKENS)
    api_tokens.revoke(current_user, path.token)
    return reply(responses.TokenRevoked(revoked=True, links={"tokens": f"{ME}/tokens"}))


def _ended(count: int) -> Response:
    return reply(responses.SessionsEnded(ended=count, links={"token": f"{API}/auth/token"}))
