"""Pages of jobs."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.applications import queries as applications
from webapp.applications.models import Application
from webapp.auth.sessions import current_user, login_required
from webapp.db import db
from webapp.jobs import by_hand, retry, services
from webapp.jobs import stream as job_stream
from webapp.jobs.forms import JobFilter
from webapp.jobs.kinds import TITLES
from webapp.jobs.lines import lines_of
from webapp.jobs.models import STATES, Job
from webapp.jobs.waiting import look
from webapp.pages.formats import state_word
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.models import Project

pages = Blueprint("jobs", __name__)

# A page holds at most this many events; the API pages through more.
MAX_EVENTS = 5_000


@pages.get("/jobs")
@login_required
def index() -> str:
    """Show the jobs that the user may see, newest first."""
    form = JobFilter(request.args.to_dict())
    chosen = form.chosen()
    page = services.list_jobs(current_user, cursor=request.args.get("after"), limit=30, **form.query())
    return render_template(
        "jobs/index.html",
        section="jobs",
        jobs=page.jobs,
        form=form,
        chosen=chosen,
        states=[(state, state_word(state)) for state in STATES],
        kinds=list(TITLES.items()),
        next_cursor=page.next_cursor,
        first=not request.args.get("after"),
    )


@pages.get("/jobs/<job_id>")
@login_required
def show(job_id: str) -> str:
    """Show a job with all its events so far; static/job.js adds what comes later."""
    job = services.get_job(current_user, job_id)
    events = services.events_after(db.session(), job.id, limit=MAX_EVENTS)
    project, application = _subjects(job)
    result = job.result or {}
    session = db.session()
    return render_template(
        "jobs/show.html",
        section="jobs",
        job=job,
        lines=lines_of(events, job.created_at),
        last_event=events[-1].number if events else 0,
        project=project,
        application=application,
        may_cancel=services.may_cancel(current_user, job),
        may_retry=retry.refusal(current_user, job, session) is None,
        retried_by=retry.retried_by(session, job),
        waiting=look(session, job),
        hand=by_hand.of(job, current_app.config["CROFT"]),
        url=result.get("url") if job.state == "succeeded" and application else None,
        removed=result.get("removed"),
        left=result.get("left") or [],
        next=_next(job, project, application),
    )


@pages.get("/jobs/<job_id>/events")
@login_required
def stream(job_id: str) -> Response:
    """Answer with the job's events as Server-Sent Events, those above the number `after` if it is given."""
    after = request.args.get("after", 0, type=int)
    return job_stream.respond(services.get_job(current_user, job_id), max(0, after))


@pages.post("/jobs/<job_id>/cancel")
@login_required
def cancel(job_id: str) -> Response:
    """Cancel the job and show its page."""
    try:
        services.cancel(current_user, job_id)
    except Problem as problem:
        # It ended between the click and now: its page tells how.
        if problem.type.slug != "state-conflict":
            raise
    return redirect(url_for("jobs.show", job_id=job_id), code=303)


@pages.post("/jobs/<job_id>/retry")
@login_required
def retry_job(job_id: str) -> Response:
    """Queue the job again and show the new one."""
    try:
        found = retry.retry(current_user, job_id)
    except Problem as problem:
        # Something came since the page was shown: the job's own page tells what, and offers no retry.
        if problem.type.slug != "state-conflict":
            raise
        return redirect(url_for("jobs.show", job_id=job_id), code=303)
    return redirect(url_for("jobs.show", job_id=found.id), code=303)


def _subjects(job: Job) -> tuple[Project | None, Application | None]:
    """Return what the job is about, as far as it still exists and the user may see it."""
    try:
        project = projects.get_for(current_user, job.project_name)
        if job.application_name is None:
            return project, None
    except Problem:
        return None, None
    try:
        return project, applications.get_for(current_user, job.project_name, job.application_name)
    except Problem:
        return project, None


def _next(job: Job, project: Project | None, application: Application | None) -> tuple[str, str]:
    """Return words and address of what a user does after this job."""
    if application and project:
        address = url_for("applications.show", project=project.name, application=application.name)
        return "Go to the application", address
    if project:
        return "Go to the project", url_for("projects.show", project=project.name)
    return "Go to the projects", url_for("projects.index")
