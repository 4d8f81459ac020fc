"""Pages of requests for more quota: for who asks, and for administrators who decide."""

from typing import TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.sessions import current_user, login_required
from webapp.cluster import ClusterUnreachable
from webapp.db import db
from webapp.pages.formats import quota_rows
from webapp.problems import Problem
from webapp.projects import overview
from webapp.projects import services as projects
from webapp.projects.access import require_role
from webapp.quota_requests import services
from webapp.quota_requests.forms import AnswerForm, QuotaForm
from webapp.quota_requests.schemas import Answer as Word
from webapp.quota_requests.schemas import QuotaWish, Refusal

pages = Blueprint("quota_requests", __name__)

Answer: TypeAlias = Response | str | tuple[str, int]
DECISIONS = (("open", "Open"), ("granted", "Granted"), ("refused", "Refused"), ("withdrawn", "Withdrawn"))


@pages.route("/projects/<project>/quota-requests", methods=["GET", "POST"])
@login_required
def of_project(project: str) -> Answer:
    """Show the project's requests and the form of a new one, or store one."""
    found = projects.get_for(current_user, project)
    form = QuotaForm.posted(request.form.items()) if request.method == "POST" else None
    if form is not None:
        require_role(current_user, found, "developer")
        wish = form.check(QuotaWish, form.values)
        if wish:
            try:
                services.ask(current_user, project, wish.quota, wish.reason)
                return redirect(url_for("quota_requests.of_project", project=project), code=303)
            except Problem as problem:
                form.add_problem(problem)
    found = projects.get_for(current_user, project)
    used, trouble = overview.quota_used(found)
    page = render_template(
        "quota_requests/of_project.html",
        section="projects",
        project=found,
        form=form or QuotaForm.of(found.spec["quota"]),
        may=overview.rights(current_user, found),
        quota=quota_rows(found.spec["quota"], used),
        trouble=trouble,
        open_request=services.open_of(db.session(), found),
        requests=services.list_for(current_user, project_name=project, limit=20).requests,
    )
    return (page, 422) if form and form.errors else page


@pages.post("/quota-requests/<request_id>/withdraw")
@login_required
def withdraw(request_id: str) -> Response:
    """Take back one's own request."""
    found = services.withdraw(current_user, request_id)
    return redirect(url_for("quota_requests.of_project", project=found.project.name), code=303)


@pages.get("/admin/quota-requests")
@login_required
def index() -> str:
    """Show administrators the requests that wait for a decision, and on demand those that were decided."""
    return _admin_page(AnswerForm(), "")


@pages.post("/admin/quota-requests/<request_id>")
@login_required
def decide(request_id: str) -> Answer:
    """Grant or refuse a request, as the button says."""
    _require_admin()
    form = AnswerForm.posted(request.form.items())
    grants = request.form.get("action") == "grant"
    word = form.check(Word, form.values) if grants else form.check(Refusal, form.values)
    if word:
        try:
            if grants:
                _, job = services.grant(current_user, request_id, word.answer)
                return redirect(url_for("jobs.show", job_id=job.id), code=303)
            services.refuse(current_user, request_id, word.answer)
            return redirect(url_for("quota_requests.index"), code=303)
        except Problem as problem:
            form.add_problem(problem)
    elif not grants:
        form.errors["answer"] = "Say why, in a word or two."
    return _admin_page(form, request_id), 422


def _admin_page(form: AnswerForm, decided: str) -> str:
    _require_admin()
    asked = request.args.get("state", "open")
    state = asked if asked in services.STATES else "open"
    page = services.list_for(current_user, state=state, limit=20, cursor=request.args.get("after"))
    rows, trouble = [], ""
    for item in page.requests:
        used = None
        if not trouble and item.state == "open":
            used, trouble = overview.quota_used(item.project)
        rows.append((item, quota_rows(item.project.spec["quota"], used)))
    room = ""
    if not trouble and state == "open" and rows:
        try:
            room = overview.room()
        except ClusterUnreachable as error:
            trouble = overview.cluster_silent(error)
    return render_template(
        "quota_requests/index.html",
        section="admin",
        form=form,
        decided=decided,
        rows=rows,
        room=room,
        state=state,
        states=DECISIONS,
        trouble=trouble,
        first=url_for("quota_requests.index", state=state) if request.args.get("after") else "",
        next=url_for("quota_requests.index", state=state, after=page.next_cursor) if page.next_cursor else "",
    )


def _require_admin() -> None:
    if not current_user.is_admin:
        raise Problem("role-too-low", "Only administrators decide about requests for more quota.")
