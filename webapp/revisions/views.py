"""Pages of revisions."""

from flask import Blueprint, redirect, render_template, request, url_for

from webapp import etags
from webapp.applications import queries, revisions, services
from webapp.applications.blueprint import Answer
from webapp.auth.sessions import current_user, login_required
from webapp.problems import Problem
from webapp.projects import overview

pages = Blueprint(
    "revisions", __name__, url_prefix="/projects/<project>/applications/<application>/revisions"
)


@pages.get("")
@login_required
def index(project: str, application: str) -> str:
    """Show the revisions of an application, newest first, each with what it changed."""
    found = queries.get_for(current_user, project, application)
    before = request.args.get("before", type=int)
    page = revisions.list_of(found, before=before)
    return render_template(
        "revisions/index.html",
        section="projects",
        project=found.project,
        application=found,
        may=overview.rights(current_user, found.project),
        revisions=page.changes,
        next_cursor=page.next_cursor,
        first=before is None,
    )


@pages.route("/<int:number>", methods=["GET", "POST"])
@login_required
def show(project: str, application: str, number: int) -> Answer:
    """Show a revision and what going back to it would change; go back to it and show the job."""
    found = queries.get_for(current_user, project, application)
    trouble: Problem | None = None
    if request.method == "POST":
        versions = etags.version_of(request.form.get("version", ""))
        try:
            _, job = services.roll_back(current_user, project, application, number, versions=versions)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            if problem.status not in (409, 412, 422, 503):
                raise
            trouble = problem
            found = queries.get_for(current_user, project, application)
    change = revisions.get(found, number)
    page = render_template(
        "revisions/show.html",
        section="projects",
        project=found.project,
        application=found,
        may=overview.rights(current_user, found.project),
        change=change,
        back=revisions.between(found.spec, change.revision.spec),
        trouble=trouble,
    )
    return (page, trouble.status) if trouble else page
