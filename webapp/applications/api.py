"""/api/v1/projects/<project>/applications"""

from flask import Response
from pydantic import Field

from webapp.applications import responses, services
from webapp.applications.schemas import ApplicationSettings, NewApplication
from webapp.auth.sessions import current_user
from webapp.links import ListQuery, application_path, page_addresses, project_path
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects.api import ProjectPath
from webapp.schemas import partial

api = api_blueprint(
    "applications_api",
    __name__,
    "/projects/<project>/applications",
    "applications",
    "What runs in a project: each application is one Helm release",
)

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
    found = services.list_for(current_user, path.project, limit=query.limit, cursor=query.cursor)
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
    return _accepted(*services.create(current_user, path.project, body))


@api.get(
    "/<application>",
    operation_id="getApplication",
    responses=answers({200: responses.ApplicationDetail}, *_FOUND),
)
def get_application(path: ApplicationPath) -> Response:
    """Show an application, its settings, its address and its pods as they are now"""
    return reply(responses.detail(services.get_for(current_user, path.project, path.application)))


@api.put(
    "/<application>",
    operation_id="replaceApplication",
    responses=answers({202: responses.ApplicationChange}, *_FOUND, *_CHECKS, body=True),
)
def replace_application(path: ApplicationPath, body: ApplicationSettings) -> Response:
    """Replace all settings of an application; a secret without a value keeps its value"""
    return _accepted(*services.update(current_user, path.project, path.application, body))


@api.patch(
    "/<application>",
    operation_id="changeApplication",
    responses=answers({202: responses.ApplicationChange}, *_FOUND, *_CHECKS, body=True),
)
def change_application(path: ApplicationPath, body: ApplicationPatch) -> Response:  # type: ignore[valid-type]
    """Change some settings of an application, like {"replicas": 3}; those that are left out stay"""
    application = services.get_for(current_user, path.project, path.application)
    changes = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
    settings = services.settings_with(application, changes)
    return _accepted(*services.update(current_user, path.project, path.application, settings))


@api.delete(
    "/<application>",
    operation_id="deleteApplication",
    responses=answers({202: responses.ApplicationChange}, *_FOUND, "role-too-low", "state-conflict"),
)
def delete_application(path: ApplicationPath) -> Response:
    """Delete an application, its volume included"""
    return _accepted(*services.delete(current_user, path.project, path.application))


def _accepted(application: responses.Application, job: responses.Job) -> Response:
    location = application_path(application.project.name, application.name)
    return reply(responses.change(application, job), 202, location)
