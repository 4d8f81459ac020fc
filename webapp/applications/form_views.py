"""Pages that make an application or change its settings: forms, clones and imports."""

from typing import Any

from flask import current_app, redirect, render_template, request, url_for

from webapp import etags
from webapp.applications import queries, revisions, services, transfer
from webapp.applications.blueprint import Answer, pages
from webapp.applications.forms import ApplicationForm, CloneForm, ImportForm
from webapp.applications.models import Application
from webapp.applications.schemas import ApplicationSettings, CloneTarget, NewApplication
from webapp.auth.sessions import current_user, login_required
from webapp.config import Config
from webapp.plans import services as plans
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.access import require_role
from webapp.projects.models import Project


@pages.route("/new", methods=["GET", "POST"])
@login_required
def new(project: str) -> Answer:
    """Show the form of a new application; create it and show its job, or plan it and show the plan."""
    found = projects.get_for(current_user, project)
    require_role(current_user, found, "developer")
    if request.method == "GET":
        return _form_page(_planned_form(project) or ApplicationForm.fresh(), found, None)
    form = ApplicationForm.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _form_page(form, found, None)
    wanted = form.check(NewApplication, form.body())
    if wanted:
        try:
            wanted = plans.with_secrets(current_user, form.value("plan"), wanted)
            if request.form.get("action") == "preview":
                plan = plans.plan_new(current_user, project, wanted)
                return redirect(url_for("plans.show", plan_id=plan.id), code=303)
            _, job = services.create(current_user, project, wanted)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(form, projects.get_for(current_user, project), None), 422


@pages.route("/<application>/edit", methods=["GET", "POST"])
@login_required
def edit(project: str, application: str) -> Answer:
    """Show the form of an application; store what changed and show the job, or plan it and show the plan."""
    found = queries.get_for(current_user, project, application)
    require_role(current_user, found.project, "developer")
    if found.catalog_entry is not None:
        return redirect(url_for("catalog.edit", project=project, application=application), code=303)
    if request.method == "GET":
        form = _planned_form(project) or ApplicationForm.stored(queries.shown_spec(found))
        form.values.setdefault("version", found.version)
        return _form_page(form, found.project, found)
    form = ApplicationForm.posted(request.form.items(multi=True))
    action = request.form.get("action", "")
    if form.change_rows(action):
        return _form_page(form, found.project, found)
    settings = form.check(ApplicationSettings, form.body())
    if settings:
        versions = None if action == "overwrite" else etags.version_of(form.value("version"))
        try:
            settings = plans.with_secrets(current_user, form.value("plan"), settings)
            if action == "preview":
                plan = plans.plan_change(current_user, project, application, settings, versions=versions)
                return redirect(url_for("plans.show", plan_id=plan.id), code=303)
            _, job = services.update(current_user, project, application, settings, versions=versions)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            found = queries.get_for(current_user, project, application)
            if problem.type.slug == "version-conflict":
                return _form_page(form, found.project, found, stale=True), 412
            form.add_problem(problem)
    return _form_page(form, found.project, found), 422


@pages.route("/<application>/clone", methods=["GET", "POST"])
@login_required
def clone(project: str, application: str) -> Answer:
    """Ask for the clone's name and project, and make it."""
    found = queries.get_for(current_user, project, application)
    form = CloneForm({"name": f"{found.name[:38]}-2", "project": project})
    if request.method == "POST":
        form = CloneForm.posted(request.form.items())
        target = form.check(CloneTarget, form.values)
        if target:
            try:
                goes_to = target.project or project
                _, job = services.clone(current_user, project, application, goes_to, target.name)
                return redirect(url_for("jobs.show", job_id=job.id), code=303)
            except Problem as problem:
                if problem.type.slug in ("project-not-found", "role-too-low"):
                    problem = Problem("validation-failed", problem.detail, field="project")
                form.add_problem(problem)
                found = queries.get_for(current_user, project, application)
    page = render_template(
        "applications/clone.html",
        section="projects",
        project=found.project,
        application=found,
        form=form,
    )
    return (page, 422) if form.errors else page


@pages.route("/import", methods=["GET", "POST"])
@login_required
def import_yaml(project: str) -> Answer:
    """Ask for the text or the file of an application, and make it."""
    found = projects.get_for(current_user, project)
    require_role(current_user, found, "developer")
    form = ImportForm.posted(request.form.items())
    if request.method == "POST":
        upload = request.files.get("file")
        if upload is not None and upload.filename:
            form.values["yaml"] = upload.read().decode("utf-8", errors="replace")
        try:
            name = form.value("name").strip() or None
            _, job = transfer.create(current_user, project, form.value("yaml"), name)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
            found = projects.get_for(current_user, project)
    page = render_template("applications/import.html", section="projects", project=found, form=form)
    return (page, 422) if form.errors else page


def _planned_form(project: str) -> ApplicationForm | None:
    """Return the form filled with the settings of the plan that the address names, if that is one's own."""
    plan_id = request.args.get("plan", "")
    if not plan_id:
        return None
    plan = plans.get_for(current_user, plan_id)
    if plan.project.name != project:
        return None
    form = ApplicationForm.stored(queries.without_secrets(plan.settings))
    form.values |= {"plan": plan.id, "version": plan.base_version}
    return form


def _form_page(
    form: ApplicationForm, project: Project, application: Application | None, *, stale: bool = False
) -> str:
    config: Config = current_app.config["CROFT"]
    stored = application.spec if application else {}
    base = form.value("version")
    return render_template(
        "applications/form.html",
        section="projects",
        form=form,
        blank=ApplicationForm.blank(),
        project=project,
        application=application,
        stored_secrets=_names(stored) | _names(plans.settings_of(current_user, form.value("plan"))),
        stored_key=bool((stored.get("tls") or {}).get("key")),
        issuer=config.cert_issuer,
        default_host=config.application_host(project.name, application.name if application else "<name>"),
        others=revisions.since(application, int(base)) if stale and application and base.isdecimal() else [],
        stale=stale,
    )


def _names(spec: dict[str, Any]) -> set[str]:
    return {secret["name"] for secret in spec.get("secrets") or []}
