"""Sign-in with an OpenID Connect provider: authorization code flow with PKCE, state and nonce (authlib).

authlib takes memory, so it is imported at the first use, and only where an issuer is set.
"""

import logging
import re
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select
from werkzeug.wrappers import Response

from webapp.audit.services import record
from webapp.auth import emails, services
from webapp.auth.models import User
from webapp.auth.services import Tokens
from webapp.config import Config
from webapp.db import writing
from webapp.metrics.sign_ins import counted_sign_in
from webapp.problems import Problem

log = logging.getLogger(__name__)

CALLBACK = "/sign-in/oidc/callback"
_CLIENT = "croft_oidc"
_MAX_NAMES = 1000


def begin() -> Response:
    """Send the browser to the provider. Raises Problem: not-found, sign-in-failed with what is wrong."""
    config: Config = current_app.config["CROFT"]
    client = _client(current_app._get_current_object(), config)  # type: ignore[attr-defined]
    with _Told():
        response: Response = client.authorize_redirect(config.external_url + CALLBACK)
    return response


@counted_sign_in()
def finish(address: str, user_agent: str) -> tuple[User, Tokens]:
    """Take the provider's answer out of the request, and begin a session for whom it names.

    A user is known by issuer and subject, never by name: an account of the same name stays somebody else's.
    Raises Problem: not-found, sign-in-failed in words.
    """
    config: Config = current_app.config["CROFT"]
    client = _client(current_app._get_current_object(), config)  # type: ignore[attr-defined]
    with _Told():
        token = client.authorize_access_token()
        claims = dict(token.get("userinfo") or {})
        if not claims.get("sub"):
            raise _failed("the provider did not say who you are")
        if not {"preferred_username", "email"} & claims.keys():
            more = client.userinfo(token=token)
            # https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse: compare, or be fooled.
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
    return _session_for(claims, config, address, user_agent)


class _Told:
    """Turns what goes wrong with the provider into a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        from authlib.common.errors import AuthlibBaseError
        from requests import RequestException
        from requests.exceptions import SSLError

        if isinstance(error, SSLError):
            log.warning("no TLS with the OpenID Connect provider: %s", error)
            raise _failed("the provider's certificate is refused; tell the operator") from error
        if isinstance(error, RequestException):
            raise _failed("the provider does not answer; try again, or tell the operator") from error
        if isinstance(error, AuthlibBaseError):
            said = str(error.description or error.error or "").strip().rstrip(".")
            if error.error == "access_denied":
                # A user who cancels there and one who may not get in are told alike.
                said = "the provider refused it, or it was cancelled there" + (f" ({said})" if said else "")
            raise _failed((said or "the provider's answer cannot be understood")[:300]) from error
        if isinstance(error, ValueError | KeyError | RuntimeError):
            raise _failed("the provider's answer cannot be understood; tell the operator") from error


def _client(app: Flask, config: Config) -> Any:
    if not config.oidc_issuer:
        raise Problem("not-found", "This Croft has no sign-in through another provider.")
    client = app.extensions.get(_CLIENT)
    if client is None:
        from webapp.auth.oidc_client import register

        client = app.extensions[_CLIENT] = register(app, config)
    return client


def _session_for(claims: dict[str, Any], config: Config, address: str, agent: str) -> tuple[User, Tokens]:
    subject = f"{config.oidc_issuer} {claims['sub']}"
    if len(subject) > 400:
        raise _failed("the provider's name for you is too long")
    groups = claims.get("groups")
    is_admin = None
    if config.oidc_admin_group:
        is_admin = isinstance(groups, list) and config.oidc_admin_group in groups
    refused = None
    with writing() as session:
        user = session.scalar(select(User).where(User.oidc_subject == subject))
        if user is None:
            user = services.add_user(
                session,
                _free_name(session, claims),
                email=_email(claims),
                oidc_subject=subject,
                is_admin=bool(is_admin),
            )
            record(session, user, "user.register", object_name=user.name, after={"from": config.oidc_issuer})
        elif is_admin is not None and user.is_admin != is_admin:
            before, user.is_admin = {"isAdmin": user.is_admin}, is_admin
            record(
                session,
                None,
                "user.update",
                object_name=user.name,
                before=before,
                after={"isAdmin": is_admin},
            )
        if user.is_active:
            tokens = services.begin_session(session, user, address, agent)
        else:
            record(session, user, "user.sign-in-failed", object_name=user.name)
            refused = f"the account '{user.name}' is deactivated; ask an administrator"
    if refused:
        raise _failed(refused)
    return user, tokens


def _email(claims: dict[str, Any]) -> str | None:
    try:
        return emails.checked(str(claims.get("email") or ""))
    except Problem:
        return None


def _free_name(session: Any, claims: dict[str, Any]) -> str:
    """Return a name that a user can have and nobody has yet, near to what the provider calls the person."""
    wanted = str(claims.get("preferred_username") or claims.get("email") or claims["sub"]).lower()
    base = re.sub(r"[^a-z0-9._@-]+", "-", wanted)[:58].strip("-._@") or "user"
    for number in range(1, _MAX_NAMES):
        name = base if number == 1 else f"{base}-{number}"
        if session.scalar(select(User.id).where(User.name == name)) is None:
            return name
    raise _failed(f"too many users are called '{base}'")


def _failed(why: str) -> Problem:
    return Problem("sign-in-failed", f"The sign-in did not work: {why}.")
