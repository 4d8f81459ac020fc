"""/api/v1/projects"""

from flask import Response
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.links import API, ListQuery, page_addresses, project_path
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects import responses, services
from webapp.projects.schemas import ProjectSettings, ProjectSpec
from webapp.schemas import Model, partial

api = api_blueprint(
    "projects_api", __name__, "/projects", "projects", "Fenced namespaces with a quota and members"
)

ProjectPatch = partial(ProjectSettings, "ProjectPatch")
_CHANGE = ("project-not-found", "role-too-low", "state-conflict")
_SETTINGS = (*_CHANGE, "quota-exceeds-nodes", "cluster-unreachable")


class ProjectPath(Model):
    """Which project."""

    project: str = Field(description="Name of the project", examples=["shop"])


@api.get(
    "", operation_id="listProjects", responses=answers({200: responses.ProjectList}, "validation-failed")
)
def list_projects(query: ListQuery) -> Response:
    """List the projects that you may see"""
    found = services.list_for(current_user, limit=query.limit, cursor=query.cursor)
    addresses = page_addresses(f"{API}/projects", query, found.next_cursor)
    return reply(responses.page(current_user, found, *addresses))


@api.post(
    "",
    operation_id="createProject",
    responses=answers(
        {202: responses.ProjectChange}, "name-taken", "quota-exceeds-nodes", "cluster-unreachable", body=True
    ),
)
def create_project(body: ProjectSpec) -> Response:
    """Create a project; you become its owner unless you name another"""
    project, job = services.create(current_user, body)
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.get(
    "/<project>",
    operation_id="getProject",
    responses=answers({200: responses.ProjectDetail}, "project-not-found"),
)
def get_project(path: ProjectPath) -> Response:
    """Show a project, its settings and how much of its quota is used now"""
    return reply(responses.detail(current_user, services.get_for(current_user, path.project)))


@api.put(
    "/<project>",
    operation_id="replaceProject",
    responses=answers({202: responses.ProjectChange}, *_SETTINGS, body=True),
)
def replace_project(path: ProjectPath, body: ProjectSettings) -> Response:
    """Replace all settings of a project; what is left out takes its default"""
    project, job = services.update(current_user, path.project, body)
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.patch(
    "/<project>",
    operation_id="changeProject",
    responses=answers({202: responses.ProjectChange}, *_SETTINGS, body=True),
)
def change_project(path: ProjectPath, body: ProjectPatch) -> Response:  # type: ignore[valid-type]
    """Change some settings of a project; those that are left out stay"""
    project = services.get_for(current_user, path.project)
    changes = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
    project, job = services.update(current_user, path.project, services.settings_with(project, changes))
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.delete(
    "/<project>",
    operation_id="deleteProject",
    responses=answers({202: responses.ProjectChange}, *_CHANGE),
)
def delete_project(path: ProjectPath) -> Response:
    """Delete a project with all its applications"""
    project, job = services.delete(current_user, path.project)
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))
