"""The page of an application."""

from importlib import import_module

from flask import current_app, render_template

from webapp import cluster
from webapp.alerts import services as alerts
from webapp.applications import certificates, queries, revisions
from webapp.applications.blueprint import pages
from webapp.applications.forms import ReplicasForm
from webapp.applications.models import Application
from webapp.auth.sessions import current_user, login_required
from webapp.catalog import offered
from webapp.catalog.fields import titles
from webapp.cluster import ClusterUnreachable
from webapp.jobs.services import list_jobs
from webapp.projects import overview

__all__ = ["page_of", "pages"]


@pages.get("/<application>")
@login_required
def show(project: str, application: str) -> str:
    """Show an application: what runs, its settings, revisions and recent jobs."""
    found = queries.get_for(current_user, project, application)
    return page_of(found, ReplicasForm({"replicas": found.spec.get("replicas", "")}))


def page_of(application: Application, form: ReplicasForm) -> str:
    """Return the page of an application; `form` is the one for its replicas, with its errors."""
    project = application.project
    trouble, status, words, events, volumes, addresses = "", None, "", [], [], []
    try:
        status = queries.live(project).get(application.name)
        words = queries.status_words(application, status)
        events = cluster.reader().events(project.name, application.name)
        volumes = cluster.reader().volumes(project.name, application.name)
        addresses = cluster.reader().addresses(project.name, application.name)
    except ClusterUnreachable as error:
        trouble = overview.cluster_silent(error)
    found = list_jobs(
        current_user, project_name=project.name, application_name=application.name, limit=8
    ).jobs
    # A plan changes nothing, so the application's state does not come from one.
    jobs = [job for job in found if job.kind != "application.plan"][:6]
    tls = application.spec.get("tls") or {}
    entry = offered.entries().get(application.catalog_entry or "")
    return render_template(
        "applications/show.html",
        section="projects",
        project=project,
        application=application,
        may=overview.rights(current_user, project),
        url=queries.url_of(application),
        spec=queries.shown_spec(application),
        certificate=certificates.describe(tls.get("certificate") or "") if tls else None,
        status=status,
        words=words,
        events=events,
        volumes=volumes,
        addresses=addresses,
        entry=entry,
        titles=titles(entry) if entry else {},
        form=form,
        jobs=jobs,
        revisions=revisions.list_of(application, limit=5).changes,
        running=next((job for job in jobs if not job.ended), None),
        failure=next((job for job in jobs if job.ended), None) if application.state == "failed" else None,
        trouble=trouble,
        brief=alerts.brief(project, application.name),
        endpoints=current_app.view_functions,
    )


for _name in ("form_views", "action_views"):
    # Their views belong to the same blueprint.
    import_module(f"webapp.applications.{_name}")
