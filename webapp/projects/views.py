"""Pages of projects."""

from typing import TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.applications import services as applications
from webapp.applications.models import Application
from webapp.auth.sessions import current_user, login_required
from webapp.cluster import ClusterUnreachable
from webapp.jobs.models import Job
from webapp.jobs.services import list_jobs
from webapp.pages.formats import quota_rows
from webapp.problems import Problem
from webapp.projects import overview, services
from webapp.projects.forms import PRESETS, DeleteForm, ProjectForm
from webapp.projects.models import Project
from webapp.projects.schemas import ProjectSettings, ProjectSpec

pages = Blueprint("projects", __name__)

Answer: TypeAlias = Response | str | tuple[str, int]


@pages.get("/")
def home() -> Response:
    """Lead to the list of projects."""
    return redirect(url_for("projects.index"), code=303)


@pages.get("/projects")
@login_required
def index() -> str:
    """Show the projects of the user."""
    page = services.list_for(current_user, cursor=request.args.get("after"))
    cards, trouble = overview.cards(page.projects)
    return render_template(
        "projects/index.html", section="projects", cards=cards, trouble=trouble, next_cursor=page.next_cursor
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
    """Show a project: its applications, quota, members and recent jobs."""
    found = services.get_for(current_user, project)
    used, trouble = overview.quota_used(found)
    jobs = list_jobs(current_user, project_name=found.name, limit=6).jobs
    return render_template(
        "projects/show.html",
        section="projects",
        project=found,
        may=overview.rights(current_user, found),
        quota=quota_rows(found.spec["quota"], used),
        applications=_application_rows(found, ask_cluster=not trouble),
        jobs=jobs,
        running=next((job for job in jobs if not job.ended), None),
        failure=_failure(found, jobs),
        trouble=trouble,
    )


@pages.route("/projects/<project>/edit", methods=["GET", "POST"])
@login_required
def edit(project: str) -> Answer:
    """Show the form of a project, or store what changed and show the job."""
    found = services.get_for(current_user, project)
    if request.method == "GET":
        return _form_page(ProjectForm.stored(found.spec), found)
    form = ProjectForm.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _form_page(form, found)
    settings = form.check(ProjectSettings, form.body())
    if settings and not form.errors:
        try:
            _, job = services.update(current_user, project, settings)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(form, services.get_for(current_user, project)), 422


@pages.route("/projects/<project>/delete", methods=["GET", "POST"])
@login_required
def delete(project: str) -> Answer:
    """Ask for the project's name, and delete it when it was typed."""
    found = services.get_for(current_user, project)
    form = DeleteForm.posted(request.form.items())
    if request.method == "POST" and form.confirms(found.name):
        try:
            _, job = services.delete(current_user, project)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
            found = services.get_for(current_user, project)
    names = [item.name for item in applications.list_for(current_user, project, limit=100).applications]
    page = render_template(
        "parts/delete.html",
        section="projects",
        form=form,
        what="project",
        name=found.name,
        crumbs=_crumbs(found),
        back=url_for("projects.show", project=found.name),
        going=[
            f"all its applications: {', '.join(names)}" if names else "the project (it has no applications)",
            "all its volumes, with what is stored in them",
            f"the namespace '{found.name}' and everything in it",
        ],
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
        owner=project.owner.name if project else current_user.name,
    )


def _crumbs(project: Project) -> list[tuple[str, str]]:
    return [
        ("Projects", url_for("projects.index")),
        (project.name, url_for("projects.show", project=project.name)),
    ]


def _application_rows(project: Project, *, ask_cluster: bool) -> list[dict[str, str]]:
    """Return name, state, words (empty when the cluster is silent) and url of each application."""
    found: list[Application] = []
    cursor = None
    while True:
        page = applications.list_for(current_user, project.name, limit=100, cursor=cursor)
        found += page.applications
        cursor = page.next_cursor
        if cursor is None:
            break
    workloads = None
    if found and ask_cluster:
        try:
            workloads = applications.live(project)
        except ClusterUnreachable:
            workloads = None  # The page says so already where it shows the quota.
    return [
        {
            "name": item.name,
            "state": item.state,
            "words": "" if workloads is None else applications.status_words(item, workloads.get(item.name)),
            "url": applications.url_of(item),
        }
        for item in found
    ]


def _failure(project: Project, jobs: list[Job]) -> Job | None:
    """Return the job that left the project failed or blocked."""
    if project.state not in ("failed", "blocked"):
        return None
    return next((job for job in jobs if job.application_name is None and job.ended), None)
