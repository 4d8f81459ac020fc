"""/api/v1/projects"""

from typing import Literal

from flask import Response
from pydantic import Field

from webapp import cluster, etags
from webapp.auth.sessions import current_user
from webapp.cluster import ClusterUnreachable
from webapp.links import API, ListQuery, page_addresses, project_path
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects import archive, listing, overview, responses, services
from webapp.projects.schemas import ProjectSettings, ProjectSpec
from webapp.schemas import Model, partial

api = api_blueprint(
    "projects_api", __name__, "/projects", "projects", "Fenced namespaces with a quota and members"
)

ProjectPatch = partial(ProjectSettings, "ProjectPatch")
_TURN = ("project-not-found", "role-too-low", "state-conflict")
_CHANGE = (*_TURN, "version-conflict")
_SETTINGS = (*_CHANGE, "quota-exceeds-nodes", "cluster-unreachable")


class ProjectPath(Model):
    """Which project."""

    project: str = Field(description="Name of the project", examples=["shop"])


class ProjectQuery(ListQuery):
    """Which projects, in which order, and which page of them."""

    search: str = Field(
        "",
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="Words that name or description hold, all of them",
        examples=["shop"],
    )
    state: Literal["creating", "ready", "failed", "updating", "deleting", "blocked"] | None = Field(
        None, description="In this state alone", examples=["ready"]
    )
    archived: bool | None = Field(None, description="Archived ones alone, or none of them", examples=[False])
    role: Literal["own"] | None = Field(
        None,
        description="own: those that you are an owner of; all that you may see by default",
        examples=["own"],
    )
    sort: listing.Sort = Field(
        "name", description="Order; '-' for the other way round", examples=["-updatedAt"]
    )


@api.get(
    "", operation_id="listProjects", responses=answers({200: responses.ProjectList}, "validation-failed")
)
def list_projects(query: ProjectQuery) -> Response:
    """List the projects that you may see: searched, filtered and sorted"""
    chosen = listing.Filter(query.search, query.state, query.archived, query.role == "own")
    found = listing.list_for(current_user, chosen, sort=query.sort, limit=query.limit, cursor=query.cursor)
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
    project = services.get_for(current_user, path.project)
    return etags.tagged(reply(responses.detail(current_user, project)), project.version)


@api.put(
    "/<project>",
    operation_id="replaceProject",
    responses=answers({202: responses.ProjectChange}, *_SETTINGS, body=True),
)
def replace_project(path: ProjectPath, header: etags.IfMatch, body: ProjectSettings) -> Response:
    """Replace all settings of a project; what is left out takes its default

    The owner, and whether the project is archived, stay when they are left out.
    """
    project, job = services.update(current_user, path.project, body, etags.if_match())
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.patch(
    "/<project>",
    operation_id="changeProject",
    responses=answers({202: responses.ProjectChange}, *_SETTINGS, body=True),
)
def change_project(
    path: ProjectPath,
    header: etags.IfMatch,
    body: ProjectPatch,  # type: ignore[valid-type]
) -> Response:
    """Change some settings of a project; those that are left out stay"""
    changes = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
    project, job = services.change(
        current_user,
        path.project,
        lambda project: services.settings_with(project, changes),
        versions=etags.if_match(),
    )
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.delete(
    "/<project>",
    operation_id="deleteProject",
    responses=answers({202: responses.ProjectChange}, *_CHANGE),
)
def delete_project(path: ProjectPath, header: etags.IfMatch) -> Response:
    """Delete a project with all its applications"""
    project, job = services.delete(current_user, path.project, etags.if_match())
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.get(
    "/<project>/belongings",
    operation_id="listProjectBelongings",
    responses=answers({200: responses.Belongings}, "project-not-found", "cluster-unreachable"),
)
def list_belongings(path: ProjectPath) -> Response:
    """List what a deletion of the project would take away, as it is in the cluster now"""
    project = services.get_for(current_user, path.project)
    try:
        contents = cluster.reader().contents(project.name)
    except ClusterUnreachable as error:
        raise cluster.unreachable(error) from error
    return reply(responses.belongings(project, overview.application_names(project), contents))


@api.post(
    "/<project>/archive",
    operation_id="archiveProject",
    responses=answers({202: responses.ProjectChange}, *_TURN),
)
def archive_project(path: ProjectPath) -> Response:
    """Archive a project: all its applications are scaled to zero; volumes and settings stay"""
    project, job = archive.archive(current_user, path.project)
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))


@api.post(
    "/<project>/wake",
    operation_id="wakeProject",
    responses=answers({202: responses.ProjectChange}, *_TURN),
)
def wake_project(path: ProjectPath) -> Response:
    """Wake an archived project: its applications run again as before"""
    project, job = archive.wake(current_user, path.project)
    return reply(responses.change(current_user, project, job), 202, project_path(project.name))
