"""Pages of projects."""

from typing import Any, TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import cluster, etags
from webapp.alerts import services as alerts
from webapp.auth.sessions import current_user, login_required
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import ClusterEvent
from webapp.db import db, utcnow
from webapp.jobs.models import Job
from webapp.jobs.services import list_jobs
from webapp.pages.formats import quota_rows
from webapp.problems import Problem
from webapp.projects import archive, listing, overview, services
from webapp.projects.activity import action_words, activity
from webapp.projects.blocked import blocked_by
from webapp.projects.expiry import expires_soon
from webapp.projects.forms import DeleteForm, ProjectForm
from webapp.projects.models import Project
from webapp.projects.schemas import PRESETS, ProjectSettings, ProjectSpec
from webapp.quota_requests.services import open_of

pages = Blueprint("projects", __name__)

PAGE_SIZE = 24
STATES = ("ready", "creating", "updating", "failed", "deleting", "blocked")
SORTS = (
    ("name", "Name"),
    ("-name", "Name, from Z"),
    ("-updatedAt", "Last change"),
    ("updatedAt", "Oldest change"),
    ("-createdAt", "Newest"),
    ("createdAt", "Oldest"),
)
Answer: TypeAlias = Response | str | tuple[str, int]


@pages.get("/")
def home() -> Response:
    """Lead to the list of projects."""
    return redirect(url_for("projects.index"), code=303)


@pages.get("/projects")
@login_required
def index() -> str:
    """Show the projects of the user: searched, filtered and sorted as the form asks."""
    asked = request.args
    state, sort = asked.get("state", ""), asked.get("sort", "")
    chosen = listing.Filter(
        search=asked.get("search", "").replace("\0", "")[:100],
        state=state if state in STATES else None,
        archived=True if state == "archived" else None,
        own="own" in asked,
    )
    page = listing.list_for(
        current_user,
        chosen,
        sort=sort if sort in listing.SORTS else "name",
        limit=PAGE_SIZE,
        cursor=asked.get("after"),
    )
    cards, trouble = overview.cards(page.projects)
    kept: dict[str, Any] = {
        key: value for key in ("search", "state", "sort", "own") if (value := asked.get(key))
    }
    return render_template(
        "projects/index.html",
        section="projects",
        cards=cards,
        trouble=trouble,
        chosen=chosen,
        kept=kept,
        first=url_for("projects.index", **kept) if asked.get("after") else "",
        next=url_for("projects.index", **kept, after=page.next_cursor) if page.next_cursor else "",
        states=STATES,
        sorts=SORTS,
    )


@pages.route("/projects/new", methods=["GET", "POST"])
@login_required
def new() -> Answer:
    """Show the form of a new project, or create it and show its job."""
    if request.method == "GET":
        return _form_page(ProjectForm.fresh(), None)
    form = ProjectForm.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _form_page(form, None)
    spec = form.check(ProjectSpec, form.body())
    if spec and not form.errors:
        try:
            _, job = services.create(current_user, spec)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(form, None), 422


@pages.get("/projects/<project>")
@login_required
def show(project: str) -> str:
    """Show a project: its applications, quota, members, events and what was done lately."""
    found = services.get_for(current_user, project)
    used, trouble = overview.quota_used(found)
    jobs = list_jobs(current_user, project_name=found.name, limit=6).jobs
    return render_template(
        "projects/show.html",
        section="projects",
        project=found,
        may=overview.rights(current_user, found),
        quota=quota_rows(found.spec["quota"], used),
        applications=overview.application_rows(found, ask_cluster=not trouble),
        events=_events(found) if not trouble else [],
        activity=activity(found),
        action_words=action_words,
        jobs=jobs,
        running=next((job for job in jobs if not job.ended), None),
        failure=_failure(found, jobs),
        blocked_by=blocked_by(found),
        quota_request=open_of(db.session(), found),
        expires_soon=expires_soon(found.expires_at) and not found.archived,
        expired=found.expires_at is not None and found.expires_at <= utcnow(),
        trouble=trouble,
        brief=alerts.brief(found),
    )


@pages.route("/projects/<project>/edit", methods=["GET", "POST"])
@login_required
def edit(project: str) -> Answer:
    """Show the form of a project, or store what changed and show the job."""
    found = services.get_for(current_user, project)
    if request.method == "GET":
        return _form_page(ProjectForm.stored(found.spec), found)
    form = ProjectForm.posted(request.form.items(multi=True))
    versions = etags.version_of(form.take("version"))
    settings = form.check(ProjectSettings, form.body(found.spec))
    if settings and not form.errors:
        try:
            _, job = services.update(current_user, project, settings, versions)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(form, services.get_for(current_user, project)), 422


@pages.route("/projects/<project>/archive", methods=["GET", "POST"])
@login_required
def archive_project(project: str) -> Answer:
    """Say what archiving does, and do it."""
    found = services.get_for(current_user, project)
    form = DeleteForm()
    if request.method == "POST":
        try:
            _, job = archive.archive(current_user, project)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    page = render_template(
        "projects/archive.html",
        section="projects",
        form=form,
        project=found,
        crumbs=_crumbs(found),
        names=overview.application_names(found),
    )
    return (page, 422) if form.errors else page


@pages.post("/projects/<project>/wake")
@login_required
def wake(project: str) -> Response:
    """Wake the project and show the job."""
    _, job = archive.wake(current_user, project)
    return redirect(url_for("jobs.show", job_id=job.id), code=303)


@pages.route("/projects/<project>/delete", methods=["GET", "POST"])
@login_required
def delete(project: str) -> Answer:
    """Show what a deletion takes away, ask for the project's name, and delete it when it was typed."""
    found = services.get_for(current_user, project)
    form = DeleteForm.posted(request.form.items())
    if request.method == "POST" and form.confirms(found.name):
        try:
            _, job = services.delete(current_user, project)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
            found = services.get_for(current_user, project)
    contents, trouble = None, ""
    try:
        contents = cluster.reader().contents(found.name)
    except ClusterUnreachable as error:
        trouble = (
            f"What is really there cannot be shown: {error}. A deletion waits until the cluster answers."
        )
    page = render_template(
        "projects/delete.html",
        section="projects",
        form=form,
        project=found,
        crumbs=_crumbs(found),
        names=overview.application_names(found),
        contents=contents,
        trouble=trouble,
    )
    return (page, 422) if form.errors else page


def _form_page(form: ProjectForm, project: Project | None) -> str:
    return render_template(
        "projects/form.html",
        section="projects",
        form=form,
        blank=ProjectForm.blank(),
        presets=PRESETS,
        project=project,
        today=utcnow().date().isoformat(),
        owner=project.owner.name if project else current_user.name,
    )


def _crumbs(project: Project) -> list[tuple[str, str]]:
    return [
        ("Projects", url_for("projects.index")),
        (project.name, url_for("projects.show", project=project.name)),
    ]


def _events(project: Project) -> list[ClusterEvent]:
    """Return what Kubernetes noted; nothing when it has just gone silent, which the page says next time."""
    try:
        return overview.events(project)
    except ClusterUnreachable:
        return []


def _failure(project: Project, jobs: list[Job]) -> Job | None:
    """Return the job that left the project failed or blocked."""
    if project.state not in ("failed", "blocked"):
        return None
    return next((job for job in jobs if job.application_name is None and job.ended), None)
