"""/api/v1/projects/<project>/applications"""

from collections.abc import Callable
from typing import TypeAlias

from flask import Response, make_response
from pydantic import Field

from webapp import etags
from webapp.applications import queries, responses, services, transfer
from webapp.applications.models import Application
from webapp.applications.responses import accepted
from webapp.applications.schemas import ApplicationSettings, CloneTarget, NewApplication
from webapp.auth.sessions import current_user
from webapp.etags import IfMatch, if_match
from webapp.jobs.models import Job
from webapp.links import ListQuery, page_addresses, project_path
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects.api import ProjectPath
from webapp.schemas import DnsLabel, Model, partial

api = api_blueprint(
    "applications_api",
    __name__,
    "/projects/<project>/applications",
    "applications",
    "What runs in a project: each application is one Helm release",
)

Endpoint: TypeAlias = Callable[..., Response]
ApplicationPatch = partial(ApplicationSettings, "ApplicationPatch")
_FOUND = ("project-not-found", "application-not-found")
_CHECKS = (
    "role-too-low",
    "state-conflict",
    "host-taken",
    "quota-exceeded",
    "quota-exceeds-nodes",
    "cluster-unreachable",
)


CHANGE_PROBLEMS = (*_FOUND, *_CHECKS, "validation-failed", "version-conflict")


class ImportText(Model):
    """An application as YAML."""

    yaml: str = Field(
        max_length=transfer.SIZE_LIMIT,
        description="The text of a file that playbooks/application.yml takes; its project does not count",
        examples=["application:\n  name: web\n  image: nginx:1\n  ports:\n    - targetPort: 80\n"],
    )
    name: DnsLabel | None = Field(
        None, description="Name of the application; the one in the text when left out", examples=["web"]
    )


class ApplicationPath(ProjectPath):
    """Which application of which project."""

    application: str = Field(description="Name of the application", examples=["web"])


@api.get(
    "",
    operation_id="listApplications",
    responses=answers({200: responses.ApplicationList}, "project-not-found", "validation-failed"),
)
def list_applications(path: ProjectPath, query: ListQuery) -> Response:
    """List the applications of a project, with what really runs"""
    found = queries.list_for(current_user, path.project, limit=query.limit, cursor=query.cursor)
    addresses = page_addresses(f"{project_path(path.project)}/applications", query, found.next_cursor)
    return reply(responses.page(found, *addresses))


@api.post(
    "",
    operation_id="createApplication",
    responses=answers(
        {202: responses.ApplicationChange}, "project-not-found", "name-taken", *_CHECKS, body=True
    ),
)
def create_application(path: ProjectPath, body: NewApplication) -> Response:
    """Create an application"""
    return accepted(*services.create(current_user, path.project, body))


@api.get(
    "/<application>",
    operation_id="getApplication",
    responses=answers({200: responses.ApplicationDetail}, *_FOUND),
)
def get_application(path: ApplicationPath) -> Response:
    """Show an application, its settings, its address and its pods as they are now"""
    application = queries.get_for(current_user, path.project, path.application)
    return etags.tagged(reply(responses.detail(application)), application.version)


@api.put(
    "/<application>",
    operation_id="replaceApplication",
    responses=answers({202: responses.ApplicationChange}, *CHANGE_PROBLEMS, body=True),
)
def replace_application(path: ApplicationPath, header: IfMatch, body: ApplicationSettings) -> Response:
    """Replace all settings of an application; a secret without a value keeps its value"""
    return accepted(*services.update(current_user, path.project, path.application, body, versions=if_match()))


@api.patch(
    "/<application>",
    operation_id="changeApplication",
    responses=answers({202: responses.ApplicationChange}, *CHANGE_PROBLEMS, body=True),
)
def change_application(path: ApplicationPath, header: IfMatch, body: ApplicationPatch) -> Response:  # type: ignore[valid-type]
    """Change some settings of an application, like {"replicas": 3}; those that are left out stay"""
    application = queries.get_for(current_user, path.project, path.application)
    changes = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
    settings = queries.settings_with(application, changes)
    return accepted(
        *services.update(current_user, path.project, path.application, settings, versions=if_match())
    )


@api.delete(
    "/<application>",
    operation_id="deleteApplication",
    responses=answers(
        {202: responses.ApplicationChange}, *_FOUND, "role-too-low", "state-conflict", "version-conflict"
    ),
)
def delete_application(path: ApplicationPath, header: IfMatch) -> Response:
    """Delete an application, its volume included"""
    return _done(services.delete, path)


def _action(verb: str) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint as POST /<application>/<verb>, which takes no body."""
    declared: Callable[[Endpoint], Endpoint] = api.post(
        f"/<application>/{verb}",
        operation_id=f"{verb}Application",
        responses=answers({202: responses.ApplicationChange}, *CHANGE_PROBLEMS),
    )
    return declared


@_action("restart")
def restart_application(path: ApplicationPath, header: IfMatch) -> Response:
    """Start all pods of an application anew, one after the other where the quota has room for that"""
    return _done(services.restart, path)


@_action("stop")
def stop_application(path: ApplicationPath, header: IfMatch) -> Response:
    """Stop an application: no pod runs, while its settings and its volume stay"""
    return _done(services.stop, path)


@_action("start")
def start_application(path: ApplicationPath, header: IfMatch) -> Response:
    """Start a stopped application with as many pods as before"""
    return _done(services.start, path)


@api.post(
    "/<application>/clone",
    operation_id="cloneApplication",
    responses=answers({202: responses.ApplicationChange}, *_FOUND, "name-taken", *_CHECKS, body=True),
)
def clone_application(path: ApplicationPath, body: CloneTarget) -> Response:
    """Clone an application: same settings, another name or project, no host name of its own

    Values of secrets come along when you are a developer of both projects; otherwise the clone has none.
    """
    target = body.project or path.project
    return accepted(*services.clone(current_user, path.project, path.application, target, body.name))


@api.get(
    "/<application>/export",
    operation_id="exportApplication",
    responses={**answers({}, *_FOUND), "200": transfer.DOCUMENTED},
)
def export_application(path: ApplicationPath) -> Response:
    """Export an application as the file that playbooks/application.yml takes; secrets by name alone"""
    application = queries.get_for(current_user, path.project, path.application)
    response = make_response(transfer.write(application))
    response.headers["Content-Type"] = transfer.MIME_TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="{application.name}.yml"'
    return etags.tagged(response, application.version)


@api.post(
    "/import",
    operation_id="importApplication",
    responses=answers(
        {202: responses.ApplicationChange}, "project-not-found", "name-taken", *_CHECKS, body=True
    ),
)
def import_application(path: ProjectPath, body: ImportText) -> Response:
    """Create an application from the text of such a file"""
    return accepted(*transfer.create(current_user, path.project, body.yaml, body.name))


def _done(act: Callable[..., tuple[Application, Job]], path: ApplicationPath) -> Response:
    """Act on the application, in a version that If-Match names, and answer with what was accepted."""
    return accepted(*act(current_user, path.project, path.application, versions=if_match()))
