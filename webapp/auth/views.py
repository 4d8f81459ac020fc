"""Pages to sign in and out."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth import services, sessions
from webapp.auth.forms import SignInForm
from webapp.problems import Problem

pages = Blueprint("auth", __name__)


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response | str | tuple[str, int, dict[str, str]]:
    """Show the form, or begin a session and go on to the page that was asked for."""
    if request.method == "GET":
        return _page(SignInForm(), request.args.get("next"))
    form = SignInForm({"name": request.form.get("name", "").strip()})
    password, target = request.form.get("password", ""), request.form.get("next")
    for name, value in (("name", form.value("name")), ("password", password)):
        if not value:
            form.add_error(name, "Fill in this field.")
    if form.errors:
        return _page(form, target), 422, {}
    try:
        _, tokens = services.sign_in(
            form.value("name"), password, request.remote_addr or "", request.user_agent.string
        )
    except Problem as problem:
        form.add_error("password" if problem.status == 401 else "", problem.detail)
        return _page(form, target), problem.status, problem.headers
    response = redirect(sessions.safe_next(target), code=303)
    sessions.begin(response, tokens)
    return response


@pages.post("/sign-out")
@sessions.login_required
def sign_out() -> Response:
    """End the session and show the sign-in page."""
    response = redirect(url_for("auth.sign_in", done="yes"), code=303)
    sessions.end(response)
    return response


def _page(form: SignInForm, target: str | None) -> str:
    target = sessions.safe_next(target)
    if request.args.get("done"):
        notice = "You are signed out."
    elif target != "/" and not form.errors:
        notice = "Sign in to go on to the page you asked for."
    else:
        notice = ""
    return render_template("auth/sign_in.html", form=form, next=target, notice=notice)
