"""Pages of a project's members, and of what they get."""

from typing import TypeAlias, cast

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.sessions import current_user, login_required
from webapp.jobs.services import list_jobs
from webapp.members import services
from webapp.members.api import KubeconfigQuery, MemberSettings, Transfer, attachment
from webapp.members.forms import LEAVES, ROLES, KubeconfigForm, MemberForm, TransferForm
from webapp.members.kubeconfig import DEFAULT_H, LONGEST_H, issue
from webapp.problems import Problem
from webapp.projects import overview
from webapp.projects import services as projects
from webapp.projects.access import require_role, role_of

pages = Blueprint("members", __name__)

Answer: TypeAlias = Response | str | tuple[str, int]


@pages.get("/projects/<project>/members")
@login_required
def index(project: str) -> str:
    """Show who may work in the project, and to owners the forms that change it."""
    return _page(project, MemberForm({"role": "developer"}), TransferForm({"previousOwner": "developer"}))


@pages.post("/projects/<project>/members")
@login_required
def add(project: str) -> Answer:
    """Add a member."""
    form = MemberForm.posted(request.form.items())
    name = form.value("user").strip()
    settings = form.check(MemberSettings, {"role": form.value("role")})
    if not name:
        form.add_error("user", "Fill in this field.")
    if settings and not form.errors:
        try:
            services.put(current_user, project, name, settings.role, new=True)
            return _back(project)
        except Problem as problem:
            form.add_problem(problem)
    return _page(project, form, TransferForm({"previousOwner": "developer"})), 422


@pages.post("/projects/<project>/members/<user>")
@login_required
def change(project: str, user: str) -> Answer:
    """Change a member's role, or remove the member, as the button says."""
    form = MemberForm.posted(request.form.items())
    try:
        if request.form.get("action") == "remove":
            services.remove(current_user, project, user)
            if _still_sees(project):
                return _back(project)
            return redirect(url_for("projects.index"), code=303)
        settings = form.check(MemberSettings, {"role": form.value("role")})
        if settings:
            services.put(current_user, project, user, settings.role)
            return _back(project)
    except Problem as problem:
        form.add_problem(problem)
    form.values["user"] = ""
    return _page(project, form, TransferForm({"previousOwner": "developer"})), 422


@pages.post("/projects/<project>/transfer")
@login_required
def transfer(project: str) -> Answer:
    """Give the project another owner."""
    form = TransferForm.posted(request.form.items())
    wish = form.check(
        Transfer, {"owner": form.value("owner"), "previousOwner": form.value("previousOwner") or None}
    )
    if wish:
        try:
            services.transfer(current_user, project, wish.owner, wish.previous_owner)
            return _back(project) if _still_sees(project) else redirect(url_for("projects.index"), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _page(project, MemberForm({"role": "developer"}), form), 422


@pages.route("/projects/<project>/kubeconfig", methods=["GET", "POST"])
@login_required
def kubeconfig(project: str) -> Answer:
    """Say what a kubeconfig is good for and how to use it, or send one as a file."""
    found = projects.get_for(current_user, project)
    form = KubeconfigForm.posted(request.form.items())
    if request.method == "POST":
        asked = form.check(KubeconfigQuery, form.values)
        if asked:
            try:
                return cast(Response, attachment(issue(current_user, project, asked.expires_in_hours)))
            except Problem as problem:
                form.add_problem(problem)
    form.values.setdefault("expiresInHours", str(DEFAULT_H))
    page = render_template(
        "members/kubeconfig.html",
        section="projects",
        form=form,
        project=found,
        role=role_of(current_user, found),
        longest=LONGEST_H,
    )
    return (page, 422) if form.errors else page


def _still_sees(project: str) -> bool:
    """Tell whether the user still sees the project: who leaves one does not."""
    try:
        projects.get_for(current_user, project)
    except Problem as problem:
        if problem.type.slug == "project-not-found":
            return False
        raise
    return True


def _back(project: str) -> Response:
    return redirect(url_for("members.index", project=project), code=303)


def _page(project: str, member_form: MemberForm, transfer_form: TransferForm) -> str:
    found = projects.get_for(current_user, project)
    if request.method == "POST":
        require_role(current_user, found, "owner")
    jobs = list_jobs(current_user, project_name=found.name, limit=1).jobs
    return render_template(
        "members/index.html",
        section="projects",
        project=found,
        people=services.people_of(found),
        may=overview.rights(current_user, found),
        member_form=member_form,
        transfer_form=transfer_form,
        roles=ROLES,
        leaves=LEAVES,
        running=next((job for job in jobs if not job.ended), None),
    )
