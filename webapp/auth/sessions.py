"""Who is asking: bearer tokens on the API, cookies on pages.

The API takes the Authorization header alone, pages take cookies alone, so a browser's cookies can never act
on the API.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, cast
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, make_response, redirect, request
from flask_jwt_extended import (
    JWTManager,
    decode_token,
    set_access_cookies,
    set_refresh_cookies,
    unset_jwt_cookies,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import CSRFError, JWTExtendedException
from jwt import ExpiredSignatureError, PyJWTError
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response as BaseResponse

from webapp.auth import api_tokens, drafts, services
from webapp.auth.models import User
from webapp.auth.services import Tokens
from webapp.config import Config
from webapp.problems import Problem

SIGN_IN_PATH = "/sign-in"
PASSWORD_PATH = "/account/password"  # noqa: S105
# What somebody may do who has to choose a new password first.
_WITH_OLD_PASSWORD = ("/api/v1/me", "/api/v1/me/password", PASSWORD_PATH, "/sign-out")
P = ParamSpec("P")

# The signed-in user of this request; only behind `login_required` or `require_bearer`.
current_user = cast(User, LocalProxy(lambda: g.user))


def init_app(app: Flask, config: Config) -> None:
    """Configure flask-jwt-extended; its own defaults are unsafe for cookies."""
    # Over HTTPS the prefix keeps applications on sibling host names from planting cookies of theirs.
    prefix = "__Host-" if config.secure else ""
    app.config.update(
        JWT_SECRET_KEY=config.jwt_secret_key,
        JWT_ACCESS_TOKEN_EXPIRES=services.ACCESS_LIFETIME,
        JWT_REFRESH_TOKEN_EXPIRES=services.REFRESH_LIFETIME,
        JWT_TOKEN_LOCATION=["headers", "cookies"],
        JWT_COOKIE_SECURE=config.secure,
        JWT_COOKIE_SAMESITE="Lax",
        JWT_COOKIE_CSRF_PROTECT=True,
        JWT_CSRF_CHECK_FORM=True,
        # Forms carry the value in a field, scripts in a header; a readable cookie is not needed.
        JWT_CSRF_IN_COOKIES=False,
        JWT_ACCESS_COOKIE_NAME=f"{prefix}croft_access",
        JWT_REFRESH_COOKIE_NAME=f"{prefix}croft_refresh",
    )
    JWTManager(app)
    app.after_request(_send_renewed)
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.context_processor(lambda: {"current_user": g.get("user")})


def require_bearer() -> None:
    """Set `current_user` from the Authorization header: an access token, or a personal API token.

    Raises Problem with status 401; 403 when the user has to change the password first, or when the API token
    may only read.
    """
    if not request.headers.get("Authorization"):
        raise Problem(
            "not-authenticated",
            "Send the access token as 'Authorization: Bearer <token>'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    rejected = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    kind, _, secret = request.headers["Authorization"].partition(" ")
    if kind.lower() == "bearer" and secret.startswith(api_tokens.MARK):
        _use_api_token(secret.strip(), rejected)
        return
    try:
        claims = _claims(verify_jwt_in_request(locations=["headers"]))
    except ExpiredSignatureError as error:
        detail = "The access token has expired; renew it at POST /api/v1/auth/refresh."
        raise Problem("token-expired", detail, headers=rejected) from error
    except (PyJWTError, JWTExtendedException) as error:
        detail = "The Authorization header holds no access token of this portal."
        raise Problem("token-invalid", detail, headers=rejected) from error
    user = services.user_of_session(claims["sub"], claims.get("family", ""))
    if user is None:
        raise Problem("token-invalid", "This session has ended; sign in again.", headers=rejected)
    g.user, g.family = user, claims["family"]
    _require_own_password(user)


def require_session(what: str) -> None:
    """Raise Problem scope-too-low when the request came with an API token; `what` begins the sentence."""
    if "api_token" in g:
        raise Problem(
            "scope-too-low", f"{what} takes somebody who has signed in; an API token does not suffice."
        )


def session_id() -> str:
    """Return the id of the session that the request belongs to; empty for an API token."""
    return g.get("family", "")


def _use_api_token(secret: str, rejected: dict[str, str]) -> None:
    found = api_tokens.use(secret)
    if found is None:
        detail = "This API token is unknown, expired or revoked; make a new one on the page /account/tokens."
        raise Problem("token-invalid", detail, headers=rejected)
    user, token = found
    if token.scope == "read" and request.method not in ("GET", "HEAD"):
        detail = f"The API token '{token.name}' may only read; this takes one of scope write."
        raise Problem("scope-too-low", detail)
    g.user, g.api_token, g.via = user, token, "token"
    _require_own_password(user)


def _require_own_password(user: User) -> None:
    if user.must_change_password and request.path not in _WITH_OLD_PASSWORD:
        raise Problem(
            "password-change-required",
            "Somebody else knows your password; choose a new one with POST /api/v1/me/password first.",
        )


def login_required(view: Callable[P, Any]) -> Callable[P, Any]:
    """Let a page's view run for signed-in users alone, with `current_user` set.

    An expired access cookie is renewed with the refresh cookie on the way. Without a session the browser is
    sent to the sign-in page, and from there back. Unsafe methods need the session's CSRF value in the field
    `csrf_token` or the header X-CSRF-TOKEN; without it they answer 403. Who has to choose a new password is
    led to that page first.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            load_page_user()
        except Problem as problem:
            if problem.status != 401:
                raise
            return _to_sign_in()
        if current_user.must_change_password and request.path not in _WITH_OLD_PASSWORD:
            back = request.full_path.rstrip("?") if request.method == "GET" else "/"
            return redirect(f"{PASSWORD_PATH}?{urlencode({'next': back})}", code=303)
        # Only a form that knows what a draft is may see one: all others would carry it out.
        if drafts.is_sent() and request.endpoint not in drafts.FORMS:
            return redirect(drafts.page_of_form(), code=303)
        return view(*args, **kwargs)

    return guarded


def load_page_user() -> User:
    """Return (and set as `current_user`) the user of the page's cookies. Raises Problem (401 or 403)."""
    try:
        claims = _claims(verify_jwt_in_request(locations=["cookies"]))
    except CSRFError as error:
        raise Problem(
            "csrf-failed", "This form is too old or not ours; load the page again and submit it."
        ) from error
    except ExpiredSignatureError:
        return _renew()
    except (PyJWTError, JWTExtendedException) as error:
        raise Problem("not-authenticated", "Sign in to see this page.") from error
    user = services.user_of_session(claims["sub"], claims.get("family", ""))
    if user is None:
        raise Problem("token-invalid", "This session has ended; sign in again.")
    g.user, g.csrf, g.family = user, claims["csrf"], claims["family"]
    return user


def csrf_token() -> str:
    """Return the value for forms' hidden field `csrf_token`; empty when nobody is signed in."""
    return g.get("csrf", "")


def begin(response: BaseResponse, tokens: Tokens) -> None:
    """Put a session's tokens into cookies of `response`."""
    set_access_cookies(cast(Response, response), tokens.access)
    set_refresh_cookies(cast(Response, response), tokens.refresh)


def end(response: BaseResponse) -> None:
    """End the session of the request's cookies, and remove the cookies in `response`."""
    token = _refresh_cookie()
    if token:
        try:
            services.revoke(token)
        except Problem as problem:
            # A cookie that is no token of ours has no session; it only has to go.
            if problem.type.slug != "token-invalid":
                raise
    forget(response)


def forget(response: BaseResponse) -> None:
    """Remove the cookies of a session that has ended."""
    unset_jwt_cookies(cast(Response, response))
    g.pop("renewed", None)


def safe_next(target: str | None) -> str:
    """Return `target` when it is a path of this portal, else "/": sign-in must not lead to other sites."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return "/"


def _claims(verified: tuple[dict[str, Any], dict[str, Any]] | None) -> dict[str, Any]:
    if verified is None:
        raise Problem("not-authenticated", "This method needs no token, so it has no user.")
    return verified[1]


def _renew() -> User:
    """Renew the session in place, so that not even a form that was open for long is lost."""
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _check_csrf_of_expired()
    token = _refresh_cookie()
    if not token:
        raise Problem("not-authenticated", "Sign in to see this page.")
    user, tokens = services.rotate(token)
    g.user, g.renewed = user, tokens
    claims = decode_token(tokens.access)
    g.csrf, g.family = claims["csrf"], claims["family"]
    return user


def _check_csrf_of_expired() -> None:
    sent = request.headers.get("X-CSRF-TOKEN") or request.form.get("csrf_token") or "missing"
    try:
        decode_token(request.cookies[_config("JWT_ACCESS_COOKIE_NAME")], csrf_value=sent, allow_expired=True)
    except CSRFError as error:
        raise Problem(
            "csrf-failed", "This form is too old or not ours; load the page again and submit it."
        ) from error


def _send_renewed(response: Response) -> Response:
    tokens = g.pop("renewed", None)
    if tokens is not None:
        begin(response, tokens)
    return response


def _refresh_cookie() -> str | None:
    return request.cookies.get(_config("JWT_REFRESH_COOKIE_NAME"))


def _config(name: str) -> str:
    return current_app.config[name]


def _to_sign_in() -> BaseResponse:
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    target = f"{SIGN_IN_PATH}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):
        # htmx would put the sign-in page into the middle of this one.
        return make_response("", 401, {"HX-Redirect": f"{SIGN_IN_PATH}?{urlencode({'next': '/'})}"})
    if request.accept_mimetypes.best == "text/event-stream":
        return make_response("", 401)
    if request.method == "POST" and request.form and request.path != "/sign-out":
        return make_response(drafts.sign_in_page(), 401)
    return redirect(target, code=303)
