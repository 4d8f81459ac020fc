"""Pages of plans."""

from flask import Blueprint, redirect, render_template, url_for

from webapp.applications import revisions
from webapp.applications.blueprint import Answer
from webapp.applications.models import Plan
from webapp.applications.queries import find, settings_of, without_secrets
from webapp.audit.changes import diff
from webapp.auth.sessions import current_user, login_required
from webapp.db import db
from webapp.plans import responses, services
from webapp.problems import Problem
from webapp.projects import overview

pages = Blueprint("plans", __name__, url_prefix="/plans")


@pages.get("/<plan_id>")
@login_required
def show(plan_id: str) -> str:
    """Show a plan: what it would do, or how far its job is."""
    return _page(services.get_for(current_user, plan_id), None)


@pages.post("/<plan_id>/apply")
@login_required
def apply(plan_id: str) -> Answer:
    """Apply the plan and show the job."""
    try:
        _, job = services.apply(current_user, plan_id)
        return redirect(url_for("jobs.show", job_id=job.id), code=303)
    except Problem as problem:
        if problem.status not in (409, 412, 422, 503):
            raise
        return _page(services.get_for(current_user, plan_id), problem), problem.status


def _page(plan: Plan, problem: Problem | None) -> str:
    job = services.job_of(plan)
    project, name = plan.project, plan.application_name
    application = find(db.session(), project, name)
    if plan.base_version is None:
        back = url_for("applications.new", project=project.name, plan=plan.id)
    else:
        back = url_for("applications.edit", project=project.name, application=name, plan=plan.id)
    changed = application is not None and application.version != plan.base_version
    return render_template(
        "plans/show.html",
        section="projects",
        plan=plan,
        project=project,
        application=application,
        job=job,
        state=services.state_of(plan, job),
        result=responses.result_of(job),
        settings=diff(settings_of(application.spec) if application else None, settings_of(plan.settings)),
        new=plan.base_version is None,
        secrets=[item["name"] for item in without_secrets(plan.settings)["secrets"]],
        others=revisions.since(application, plan.base_version)
        if application and changed and plan.base_version is not None and plan.applied_at is None
        else [],
        problem=problem,
        may=overview.rights(current_user, project),
        back=back,
    )
