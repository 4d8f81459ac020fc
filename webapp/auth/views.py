"""Pages to sign in and out, and to register."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth import drafts, registration, services, sessions
from webapp.auth.forms import RegisterForm, SignInForm
from webapp.problems import Problem

pages = Blueprint("auth", __name__)

Answer = Response | str | tuple[str, int, dict[str, str]]


@pages.app_context_processor
def ways_in() -> dict[str, object]:
    """Give templates the ways to get in that the operator chose."""
    config = current_app.config["CROFT"]
    return {
        "self_registration": config.self_registration,
        "oidc_name": config.oidc_issuer and config.oidc_name,
    }


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Answer:
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
        user, tokens = services.sign_in(
            form.value("name"), password, request.remote_addr or "", request.user_agent.string
        )
    except Problem as problem:
        form.add_error("password" if problem.status == 401 else "", problem.detail)
        return _page(form, target), problem.status, problem.headers
    kept, target = drafts.read(request.form.get("draft", "")), sessions.safe_next(target)
    response: Response
    if kept and drafts.fits(target) and not user.must_change_password:
        csrf = services.csrf_of(tokens)
        response = current_app.make_response(
            render_template("auth/draft.html", action=target, fields=kept, csrf=csrf, kind=drafts.ACTION)
        )
    else:
        response = redirect(target, code=303)
    sessions.begin(response, tokens)
    return response


@pages.route("/register", methods=["GET", "POST"])
def register() -> Answer:
    """Make an account of one's own, when the operator allows it, and sign in with it."""
    registration.require_open()
    if request.method == "GET":
        return render_template("auth/register.html", form=RegisterForm())
    form = RegisterForm(
        {"name": request.form.get("name", "").strip(), "email": request.form.get("email", "").strip()}
    )
    password = request.form.get("password", "")
    for name, value in (("name", form.value("name")), ("password", password)):
        if not value:
            form.add_error(name, "Fill in this field.")
    if not form.errors and password != request.form.get("again", ""):
        form.add_error("again", "The two passwords differ.")
    address = request.remote_addr or ""
    if not form.errors:
        try:
            registration.register(form.value("name"), password, form.value("email") or None, address)
        except Problem as problem:
            form.add_problem(problem)
            status = problem.status if problem.status == 429 else 422
            return render_template("auth/register.html", form=form), status, problem.headers
    if form.errors:
        return render_template("auth/register.html", form=form), 422, {}
    _, tokens = services.sign_in(form.value("name"), password, address, request.user_agent.string)
    response = redirect("/", code=303)
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
    draft = request.form.get("draft", "")
    if request.args.get("done"):
        notice = "You are signed out."
    elif draft:
        notice = "What you filled in is kept, and nothing was sent yet."
    elif target != "/" and not form.errors:
        notice = "Sign in to go on to the page you asked for."
    else:
        notice = ""
    return render_template("auth/sign_in.html", form=form, next=target, notice=notice, draft=draft)
