"""Pages of applications."""

from typing import Any, TypeAlias

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.applications import services
from webapp.applications.forms import ApplicationForm, ReplicasForm
from webapp.applications.models import Application
from webapp.applications.schemas import ApplicationSettings, NewApplication
from webapp.auth.sessions import current_user, login_required
from webapp.cluster import ClusterUnreachable
from webapp.config import Config
from webapp.jobs.services import list_jobs
from webapp.problems import Problem
from webapp.projects import overview
from webapp.projects import services as projects
from webapp.projects.access import require_role
from webapp.projects.forms import DeleteForm
from webapp.projects.models import Project

pages = Blueprint("applications", __name__, url_prefix="/projects/<project>/applications")

Answer: TypeAlias = Response | str | tuple[str, int]


@pages.route("/new", methods=["GET", "POST"])
@login_required
def new(project: str) -> Answer:
    """Show the form of a new application, or create it and show its job."""
    found = projects.get_for(current_user, project)
    require_role(current_user, found, "developer")
    if request.method == "GET":
        return _form_page(ApplicationForm.fresh(), found, None)
    form = ApplicationForm.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _form_page(form, found, None)
    wanted = form.check(NewApplication, form.body())
    if wanted:
        try:
            _, job = services.create(current_user, project, wanted)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(form, projects.get_for(current_user, project), None), 422


@pages.get("/<application>")
@login_required
def show(project: str, application: str) -> str:
    """Show an application: what runs, its settings and recent jobs."""
    found = services.get_for(current_user, project, application)
    return _page(found, ReplicasForm({"replicas": found.spec["replicas"]}))


@pages.post("/<application>/replicas")
@login_required
def scale(project: str, application: str) -> Answer:
    """Change the number of replicas alone, and show the job."""
    found = services.get_for(current_user, project, application)
    form = ReplicasForm.posted(request.form.items())
    settings = form.check(ApplicationSettings, {**_settings(found), "replicas": form.value("replicas")})
    if settings:
        try:
            _, job = services.update(current_user, project, application, settings)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            # Whatever the larger number does not fit into, the number is what stands on this page.
            form.add_problem(Problem(problem.type.slug, problem.detail, field="replicas"))
    return _page(services.get_for(current_user, project, application), form), 422


@pages.route("/<application>/edit", methods=["GET", "POST"])
@login_required
def edit(project: str, application: str) -> Answer:
    """Show the form of an application, or store what changed and show the job."""
    found = services.get_for(current_user, project, application)
    require_role(current_user, found.project, "developer")
    if request.method == "GET":
        return _form_page(ApplicationForm.stored(services.shown_spec(found)), found.project, found)
    form = ApplicationForm.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _form_page(form, found.project, found)
    settings = form.check(ApplicationSettings, form.body())
    if settings:
        try:
            _, job = services.update(current_user, project, application, settings)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
            found = services.get_for(current_user, project, application)
    return _form_page(form, found.project, found), 422


@pages.route("/<application>/delete", methods=["GET", "POST"])
@login_required
def delete(project: str, application: str) -> Answer:
    """Ask for the application's name, and delete it when it was typed."""
    found = services.get_for(current_user, project, application)
    form = DeleteForm.posted(request.form.items())
    if request.method == "POST" and form.confirms(found.name):
        try:
            _, job = services.delete(current_user, project, application)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
            found = services.get_for(current_user, project, application)
    back = url_for("applications.show", project=project, application=application)
    volume = found.spec.get("volume")
    page = render_template(
        "parts/delete.html",
        section="projects",
        form=form,
        what="application",
        name=found.name,
        crumbs=[
            ("Projects", url_for("projects.index")),
            (project, url_for("projects.show", project=project)),
            (found.name, back),
        ],
        back=back,
        going=[
            f"its pods, and the address {services.url_of(found)}",
            "its variables and secrets",
            f"its volume of {volume['size']}, with what is stored in it" if volume else "it has no volume",
        ],
    )
    return (page, 422) if form.errors else page


def _page(application: Application, form: ReplicasForm) -> str:
    trouble, status, words = "", None, ""
    try:
        status = services.live(application.project).get(application.name)
        words = services.status_words(application, status)
    except ClusterUnreachable as error:
        trouble = overview.cluster_silent(error)
    name = application.project.name
    jobs = list_jobs(current_user, project_name=name, application_name=application.name, limit=6).jobs
    return render_template(
        "applications/show.html",
        section="projects",
        project=application.project,
        application=application,
        may=overview.rights(current_user, application.project),
        url=services.url_of(application),
        spec=services.shown_spec(application),
        status=status,
        words=words,
        form=form,
        jobs=jobs,
        running=next((job for job in jobs if not job.ended), None),
        failure=next((job for job in jobs if job.ended), None) if application.state == "failed" else None,
        trouble=trouble,
    )


def _form_page(form: ApplicationForm, project: Project, application: Application | None) -> str:
    config: Config = current_app.config["CROFT"]
    secrets = services.shown_spec(application)["secrets"] if application else []
    return render_template(
        "applications/form.html",
        section="projects",
        form=form,
        blank=ApplicationForm.blank(),
        project=project,
        application=application,
        stored_secrets=[secret["name"] for secret in secrets],
        default_host=config.application_host(project.name, application.name if application else "<name>"),
    )


def _settings(application: Application) -> dict[str, Any]:
    """Return the stored settings in the shape of a change: secrets by name, which keeps their values."""
    spec = services.shown_spec(application)
    return {key: value for key, value in spec.items() if key not in ("name", "project")}
