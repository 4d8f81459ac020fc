"""Pages of the catalog: what there is, and the forms of applications that come from it."""

from typing import TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import etags
from webapp.applications import queries, revisions
from webapp.applications.models import Application
from webapp.auth.sessions import current_user, login_required
from webapp.catalog import offered, services
from webapp.catalog.entries import Entry
from webapp.catalog.forms import CatalogForm
from webapp.catalog.schemas import CatalogSettings, NewCatalogApplication
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.access import require_role
from webapp.projects.models import Project

pages = Blueprint("catalog", __name__, url_prefix="/projects/<project>")

Answer: TypeAlias = Response | str | tuple[str, int]


@pages.get("/catalog")
@login_required
def index(project: str) -> str:
    """Show what members may run in the project beside images of their own."""
    found = projects.get_for(current_user, project)
    require_role(current_user, found, "developer")
    return render_template(
        "catalog/index.html", section="projects", project=found, entries=list(offered.entries().values())
    )


@pages.route("/catalog/<entry>", methods=["GET", "POST"])
@login_required
def new(project: str, entry: str) -> Answer:
    """Show the form of a new application from the catalog, or create it and show its job."""
    found = projects.get_for(current_user, project)
    require_role(current_user, found, "developer")
    chosen = offered.entry(entry)
    form_class = CatalogForm.of(chosen)
    if request.method == "GET":
        form = form_class.stored(dict(chosen.defaults))
        form.values["name"] = chosen.name
        return _page(form, chosen, found, None)
    form = form_class.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _page(form, chosen, found, None)
    body = {"name": form.value("name"), "catalog": chosen.name, "values": form.chosen()}
    wanted = form.check(NewCatalogApplication, body)
    if wanted:
        try:
            _, job = services.create(current_user, project, wanted)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _page(form, chosen, found, None), 422


@pages.route("/applications/<application>/values", methods=["GET", "POST"])
@login_required
def edit(project: str, application: str) -> Answer:
    """Show the form of an application from the catalog, or store what changed and show the job."""
    found = queries.get_for(current_user, project, application)
    require_role(current_user, found.project, "developer")
    if found.catalog_entry is None:
        return redirect(url_for("applications.edit", project=project, application=application), code=303)
    chosen = offered.entry(found.catalog_entry)
    form_class = CatalogForm.of(chosen)
    if request.method == "GET":
        return _page(form_class.stored(found.spec["values"]), chosen, found.project, found)
    form = form_class.posted(request.form.items(multi=True))
    if form.change_rows(request.form.get("action", "")):
        return _page(form, chosen, found.project, found)
    body = {"values": form.chosen(), "stopped": found.spec.get("stopped", False)}
    wanted = form.check(CatalogSettings, body)
    if wanted:
        overwrite = request.form.get("action") == "overwrite"
        versions = None if overwrite else etags.version_of(form.value("version"))
        try:
            _, job = services.update(current_user, project, application, wanted, versions=versions)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            found = queries.get_for(current_user, project, application)
            if problem.type.slug == "version-conflict":
                return _page(form, chosen, found.project, found, stale=True), 412
            form.add_problem(problem)
    return _page(form, chosen, found.project, found), 422


def _page(
    form: CatalogForm,
    entry: Entry,
    project: Project,
    application: Application | None,
    *,
    stale: bool = False,
) -> str:
    base = form.value("version")
    return render_template(
        "catalog/form.html",
        section="projects",
        form=form,
        entry=entry,
        project=project,
        application=application,
        others=revisions.since(application, int(base)) if stale and application and base.isdecimal() else [],
        stale=stale,
    )
