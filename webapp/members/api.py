"""/api/v1/projects/<project>/members and what members get"""

from typing import Literal

from flask import Response, g, make_response
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.links import API, project_path
from webapp.members import kubeconfig, services
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects import responses as projects
from webapp.projects.schemas import UserName
from webapp.schemas import Model, Spec

api = api_blueprint(
    "members_api", __name__, "/projects", "members", "Who may work in a project, and with which role"
)

_CHANGE = ("project-not-found", "role-too-low", "state-conflict", "validation-failed")


class MembersPath(Model):
    """Whose members."""

    project: str = Field(description="Name of the project", examples=["shop"])


class MemberPath(MembersPath):
    """Which member."""

    user: str = Field(description="Name of the user", examples=["grace"])


class MemberSettings(Spec):
    """What a member may do."""

    role: services.Role = Field(
        description="owner: everything; developer: change applications; viewer: read", examples=["developer"]
    )


class Transfer(Spec):
    """Who answers for the project from now on."""

    owner: UserName = Field(description="Name of the new owner", examples=["grace"])
    previous_owner: Literal["owner", "developer", "viewer"] | None = Field(
        "developer",
        description="Role in which the present owner stays; null to leave the project",
        examples=["developer"],
    )


class KubeconfigQuery(Model):
    """How long a kubeconfig is to work."""

    expires_in_hours: int = Field(
        kubeconfig.DEFAULT_H,
        ge=1,
        le=kubeconfig.LONGEST_H,
        description="Hours until it stops to work",
        examples=[8],
    )


class MemberLinks(Model):
    """Where to go from a member."""

    self_: str = Field(
        alias="self", description="The member", examples=["/api/v1/projects/shop/members/grace"]
    )
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])


class MemberBody(Model):
    """A member of a project."""

    user: str = Field(description="Name of the user", examples=["grace"])
    role: str = Field(description="owner, developer or viewer", examples=["developer"])
    answers_for_it: bool = Field(
        description="Whether this is the one who answers for the project", examples=[False]
    )
    links: MemberLinks = Field(description="Where to go from here")


class MemberListLinks(Model):
    """Whose members they are."""

    self_: str = Field(alias="self", description="This list", examples=["/api/v1/projects/shop/members"])
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])


class MemberList(Model):
    """All members of a project: first who answers for it, then the others by name."""

    items: list[MemberBody] = Field(description="The members")
    links: MemberListLinks = Field(description="Whose they are")


@api.get(
    "/<project>/members",
    operation_id="listMembers",
    responses=answers({200: MemberList}, "project-not-found"),
)
def list_members(path: MembersPath) -> Response:
    """List who may work in the project"""
    items = [_body(path.project, person) for person in services.list_for(current_user, path.project)]
    base = project_path(path.project)
    return reply(MemberList(items=items, links=MemberListLinks(self_=f"{base}/members", project=base)))


@api.get(
    "/<project>/members/<user>",
    operation_id="getMember",
    responses=answers({200: MemberBody}, "project-not-found", "member-not-found"),
)
def get_member(path: MemberPath) -> Response:
    """Show a member"""
    return reply(_body(path.project, services.get_for(current_user, path.project, path.user)))


@api.put(
    "/<project>/members/<user>",
    operation_id="putMember",
    responses=answers({202: projects.ProjectChange}, *_CHANGE, body=True),
)
def put_member(path: MemberPath, body: MemberSettings) -> Response:
    """Add a member, or change a member's role"""
    project, job = services.put(current_user, path.project, path.user, body.role)
    location = f"{project_path(project.name)}/members/{path.user}"
    return reply(projects.change(current_user, project, job), 202, location)


@api.delete(
    "/<project>/members/<user>",
    operation_id="removeMember",
    responses=answers({202: projects.ProjectChange}, *_CHANGE, "member-not-found"),
)
def remove_member(path: MemberPath) -> Response:
    """Remove a member, who at once sees nothing of the project any more"""
    project, job = services.remove(current_user, path.project, path.user)
    return reply(projects.change(current_user, project, job), 202, f"{API}/projects/{project.name}/members")


@api.post(
    "/<project>/transfer",
    operation_id="transferProject",
    responses=answers({202: projects.ProjectChange}, *_CHANGE, body=True),
)
def transfer_project(path: MembersPath, body: Transfer) -> Response:
    """Give the project another owner"""
    project, job = services.transfer(current_user, path.project, body.owner, body.previous_owner)
    return reply(projects.change(current_user, project, job), 202, project_path(project.name))


@api.get(
    "/<project>/kubeconfig",
    operation_id="getKubeconfig",
    responses={
        **answers(
            {},
            "project-not-found",
            "state-conflict",
            "cluster-unreachable",
            "validation-failed",
        ),
        "200": {
            "description": "A kubeconfig with a token of its own, worth as much as your role",
            "content": {
                "application/yaml": {
                    "schema": {"type": "object"},
                    "example": {"apiVersion": "v1", "kind": "Config", "current-context": "shop"},
                }
            },
        },
    },
)
def get_kubeconfig(path: MembersPath, query: KubeconfigQuery) -> Response:
    """Get a kubeconfig for yourself, limited to the project and to some hours

    Save it as a file and use it with `kubectl --kubeconfig FILE get pods`.
    """
    token = g.get("api_token")
    # What may only read must not come by more on this way.
    read_only = token is not None and token.scope == "read"
    issued = kubeconfig.issue(current_user, path.project, query.expires_in_hours, read_only=read_only)
    return attachment(issued)


def attachment(issued: kubeconfig.Kubeconfig) -> Response:
    """Return a kubeconfig as a file to save, which nothing on the way may keep."""
    response = make_response(issued.text)
    response.headers["Content-Type"] = "application/yaml"
    response.headers["Content-Disposition"] = f'attachment; filename="{issued.file_name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _body(project: str, person: services.Person) -> MemberBody:
    base = project_path(project)
    return MemberBody(
        user=person.user,
        role=person.role,
        answers_for_it=person.answers_for_it,
        links=MemberLinks(self_=f"{base}/members/{person.user}", project=base),
    )
