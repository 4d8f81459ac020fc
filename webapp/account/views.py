"""Pages of the user's own account."""

from typing import TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.account import services
from webapp.account.forms import EmailForm, PasswordForm, TokenForm
from webapp.account.schemas import NewToken
from webapp.auth import api_tokens, sessions
from webapp.auth.sessions import current_user, login_required
from webapp.problems import Problem

pages = Blueprint("account", __name__, url_prefix="/account")

Answer: TypeAlias = Response | str | tuple[str, int]
# Sessions that one page shows.
SHOWN = 20


@pages.route("", methods=["GET", "POST"])
@login_required
def show() -> Answer:
    """Show the account and its sessions, or store the e-mail address."""
    form = EmailForm({"email": current_user.email})
    if request.method == "POST":
        form = EmailForm({"email": request.form.get("email", "").strip()})
        try:
            services.change_email(current_user, form.value("email"))
            return redirect(url_for("account.show", done="email"), code=303)
        except Problem as problem:
            form.add_problem(problem)
    after = request.args.get("after")
    found = services.sessions_of(current_user, limit=SHOWN, cursor=after)
    done = {"email": "Your e-mail address is stored.", "session": "The session has ended."}
    page = render_template(
        "account/show.html",
        section="account",
        form=form,
        notice=done.get(request.args.get("done", ""), ""),
        sessions=[(item, services.browser_of(item.user_agent)) for item in found.sessions],
        here=sessions.session_id(),
        first=url_for("account.show") if after else "",
        next=url_for("account.show", after=found.next_cursor) if found.next_cursor else "",
    )
    return (page, 422) if form.errors else page


@pages.route("/password", methods=["GET", "POST"])
@login_required
def password() -> Answer:
    """Show the form of a new password, or store it and go back to where the user wanted to be."""
    target = sessions.safe_next(request.values.get("next") or url_for("account.show"))
    form = PasswordForm()
    if request.method == "POST":
        texts = {name: request.form.get(name, "") for name in PasswordForm.labels}
        for name, value in texts.items():
            if not value:
                form.add_error(name, "Fill in this field.")
        if not form.errors and texts["newPassword"] != texts["again"]:
            form.add_error("again", "The two new passwords differ.")
        if not form.errors:
            try:
                services.change_password(
                    current_user, texts["currentPassword"], texts["newPassword"], sessions.session_id()
                )
                return redirect(target, code=303)
            except Problem as problem:
                form.add_problem(problem)
    page = render_template("account/password.html", section="account", form=form, next=target)
    return (page, 422) if form.errors else page


@pages.post("/sessions/<session>/end")
@login_required
def end_session(session: str) -> Response:
    """End one session; when it is this one, show the sign-in page."""
    services.end_session(current_user, session)
    if session == sessions.session_id():
        return _signed_out()
    return redirect(url_for("account.show", done="session"), code=303)


@pages.post("/sessions/end-all")
@login_required
def end_all() -> Response:
    """End all sessions and show the sign-in page."""
    services.end_all(current_user)
    return _signed_out()


@pages.route("/tokens", methods=["GET", "POST"])
@login_required
def tokens() -> Answer:
    """Show the personal API tokens, or make one and show it, this once."""
    form = TokenForm({"scope": "read", "expiresInDays": "90"})
    if request.method == "GET":
        return _tokens_page(form)
    form = TokenForm.posted(request.form.items())
    new = form.check(NewToken, form.values)
    if new:
        try:
            token, secret = api_tokens.create(current_user, new.name, new.scope, new.expires_in_days)
            return _tokens_page(TokenForm({"scope": "read", "expiresInDays": "90"}), token.name, secret)
        except Problem as problem:
            form.add_problem(problem)
    return _tokens_page(form), 422


@pages.post("/tokens/<int:token>/revoke")
@login_required
def revoke_token(token: int) -> Response:
    """Revoke a personal API token."""
    api_tokens.revoke(current_user, token)
    return redirect(url_for("account.tokens"), code=303)


def _tokens_page(form: TokenForm, made: str = "", secret: str = "") -> str:
    return render_template(
        "account/tokens.html",
        section="account",
        form=form,
        tokens=api_tokens.list_of(current_user),
        made=made,
        secret=secret,
    )


def _signed_out() -> Response:
    response = redirect(url_for("auth.sign_in", done="yes"), code=303)
    sessions.forget(response)
    return response
