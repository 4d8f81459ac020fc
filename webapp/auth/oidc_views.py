"""Pages of the sign-in with an OpenID Connect provider."""

from flask import Blueprint, current_app, redirect, render_template, request, session
from werkzeug.wrappers import Response

from webapp.auth import oidc, sessions
from webapp.auth.forms import SignInForm
from webapp.problems import Problem

pages = Blueprint("oidc", __name__)

_NEXT = "croft_next"


@pages.get("/sign-in/oidc")
def begin() -> Response:
    """Send the browser to the provider, and note where the user wants to go."""
    target = sessions.safe_next(request.args.get("next"))
    try:
        # A sign-in that was given up must not stand in the way of this one.
        session.clear()
        response = oidc.begin()
    except Problem as problem:
        return _refused(problem, target)
    session[_NEXT] = target
    return response


@pages.get(oidc.CALLBACK)
def callback() -> Response:
    """Begin a session for whom the provider names, and go on to where the user wanted to be."""
    target = sessions.safe_next(session.get(_NEXT))
    try:
        _, tokens = oidc.finish(request.remote_addr or "", request.user_agent.string)
    except Problem as problem:
        session.clear()
        return _refused(problem, target)
    session.clear()
    response = redirect(target, code=303)
    sessions.begin(response, tokens)
    return response


def _refused(problem: Problem, target: str) -> Response:
    if problem.type.slug != "sign-in-failed":
        raise problem
    form = SignInForm()
    form.add_error("", problem.detail)
    page = render_template("auth/sign_in.html", form=form, next=target, notice="", draft="")
    return current_app.make_response((page, 401))
