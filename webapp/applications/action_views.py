"""What a button on an application's page does: replicas, restart, stop, start, delete, export."""

from flask import Response as FlaskResponse
from flask import make_response, redirect, render_template, request, url_for

from webapp import etags
from webapp.applications import queries, services, transfer
from webapp.applications.blueprint import Answer, pages
from webapp.applications.forms import ReplicasForm
from webapp.applications.schemas import ApplicationSettings
from webapp.applications.views import page_of
from webapp.auth.sessions import current_user, login_required
from webapp.problems import Problem
from webapp.projects.forms import DeleteForm

_ACTIONS = {"restart": services.restart, "stop": services.stop, "start": services.start}


@pages.post("/<application>/replicas")
@login_required
def scale(project: str, application: str) -> Answer:
    """Change the number of replicas alone, and show the job."""
    found = queries.get_for(current_user, project, application)
    queries.refuse_catalog(found)
    form = ReplicasForm.posted(request.form.items())
    wanted = {**queries.shown_settings(found), "replicas": form.value("replicas")}
    settings = form.check(ApplicationSettings, wanted)
    if settings:
        try:
            # All else is what is stored now, so there is nothing here that could undo somebody's change.
            versions = {found.version}
            _, job = services.update(current_user, project, application, settings, versions=versions)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            # Whatever the larger number does not fit into, the number is what stands on this page.
            form.add_problem(Problem(problem.type.slug, problem.detail, field="replicas"))
    return page_of(queries.get_for(current_user, project, application), form), 422


@pages.post("/<application>/<any(restart, stop, start):action>")
@login_required
def act(project: str, application: str, action: str) -> Answer:
    """Restart, stop or start the application, and show the job."""
    form = ReplicasForm({})
    versions = etags.version_of(request.form.get("version", ""))
    try:
        _, job = _ACTIONS[action](current_user, project, application, versions=versions)
        return redirect(url_for("jobs.show", job_id=job.id), code=303)
    except Problem as problem:
        form.add_problem(Problem(problem.type.slug, problem.detail))
    found = queries.get_for(current_user, project, application)
    form.values["replicas"] = found.spec.get("replicas", "")
    return page_of(found, form), 422


@pages.get("/<application>/export")
@login_required
def export(project: str, application: str) -> FlaskResponse:
    """Send the application as a file for playbooks/application.yml."""
    found = queries.get_for(current_user, project, application)
    response = make_response(transfer.write(found))
    response.headers["Content-Type"] = transfer.MIME_TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}.yml"'
    return response


@pages.route("/<application>/delete", methods=["GET", "POST"])
@login_required
def delete(project: str, application: str) -> Answer:
    """Ask for the application's name, and delete it when it was typed."""
    found = queries.get_for(current_user, project, application)
    form = DeleteForm.posted(request.form.items())
    if request.method == "POST" and form.confirms(found.name):
        try:
            _, job = services.delete(current_user, project, application)
            return redirect(url_for("jobs.show", job_id=job.id), code=303)
        except Problem as problem:
            form.add_problem(problem)
            found = queries.get_for(current_user, project, application)
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
            f"its pods, and the address {queries.url_of(found)}" if queries.url_of(found) else "its pods",
            "its variables and secrets, and its revisions",
            f"its volume of {volume['size']}, with what is stored in it" if volume else "it has no volume",
        ],
    )
    return (page, 422) if form.errors else page
