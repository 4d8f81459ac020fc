"""Members of a project: the rules that the API and the pages share. Each change is one of the project."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from webapp.auth.models import User
from webapp.jobs.models import Job
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.models import Project
from webapp.projects.schemas import ProjectSettings

Role: TypeAlias = Literal["owner", "developer", "viewer"]


@dataclass(frozen=True)
class Person:
    """Somebody who may work in a project; `answers_for_it` is true for its one owner by name."""

    user: str
    role: str
    answers_for_it: bool = False


def list_for(user: User, project_name: str) -> list[Person]:
    """Return the project's owner, then its members by name. Raises Problem project-not-found."""
    return people_of(projects.get_for(user, project_name))


def people_of(project: Project) -> list[Person]:
    """Return the project's owner, then its members by name."""
    others = [
        Person(member.user.name, member.role)
        for member in project.memberships
        if member.user_id != project.owner_id
    ]
    owner = Person(project.owner.name, "owner", answers_for_it=True)
    return [owner, *sorted(others, key=lambda person: person.user)]


def get_for(user: User, project_name: str, name: str) -> Person:
    """Return the member. Raises Problem project-not-found or member-not-found."""
    found = next((person for person in list_for(user, project_name) if person.user == name), None)
    if found is None:
        raise _no_such_member(project_name, name)
    return found


def put(user: User, project_name: str, name: str, role: Role, *, new: bool = False) -> tuple[Project, Job]:
    """Make `name` a member with this role, or change the role; with `new` only make one.

    Raises Problem as projects.services.change does, with validation-failed (user) for somebody who does not
    exist and state-conflict for the owner.
    """

    def settle(project: Project) -> ProjectSettings:
        if project.owner.name == name:
            raise Problem(
                "state-conflict",
                f"'{name}' is the owner of project '{project_name}': transfer the ownership first.",
                field="user",
            )
        members = _members(project)
        if new and any(member["user"] == name for member in members):
            raise Problem("state-conflict", f"'{name}' is a member already.", field="user")
        others = [member for member in members if member["user"] != name]
        return projects.settings_with(project, {"members": [*others, {"user": name, "role": role}]})

    return _change(user, project_name, settle)


def remove(user: User, project_name: str, name: str) -> tuple[Project, Job]:
    """Take the member out of the project.

    Raises Problem as projects.services.change does, member-not-found, or state-conflict for the owner.
    """

    def settle(project: Project) -> ProjectSettings:
        if project.owner.name == name:
            raise Problem(
                "state-conflict",
                f"'{name}' is the owner of project '{project_name}': transfer the ownership first.",
            )
        members = _members(project)
        others = [member for member in members if member["user"] != name]
        if len(others) == len(members):
            raise _no_such_member(project_name, name)
        return projects.settings_with(project, {"members": others})

    return _change(user, project_name, settle)


def transfer(user: User, project_name: str, owner: str, keeps: Role | None) -> tuple[Project, Job]:
    """Make `owner` the project's owner; who was it stays with the role `keeps`, or leaves (None).

    Raises Problem as projects.services.change does, with validation-failed (owner) for somebody who does not
    exist, and state-conflict when nothing would change.
    """

    def settle(project: Project) -> ProjectSettings:
        before = project.owner.name
        if before == owner:
            raise Problem("state-conflict", f"'{owner}' is the owner already.", field="owner")
        members = [member for member in _members(project) if member["user"] not in (owner, before)]
        if keeps is not None:
            members.append({"user": before, "role": keeps})
        return projects.settings_with(project, {"owner": owner, "members": members})

    return projects.change(user, project_name, settle)


def _change(user: User, project_name: str, settle: projects.Settle) -> tuple[Project, Job]:
    try:
        return projects.change(user, project_name, settle)
    except Problem as problem:
        if problem.type.slug != "validation-failed":
            raise
        # The list of members is the project's; here it is about one of them.
        raise Problem("validation-failed", problem.errors[0].message, field="user") from problem


def _members(project: Project) -> list[dict[str, str]]:
    return [
        {"user": member.user.name, "role": member.role}
        for member in project.memberships
        if member.user_id != project.owner_id
    ]


def _no_such_member(project_name: str, name: str) -> Problem:
    return Problem("member-not-found", f"Project '{project_name}' has no member '{name[:64]}'.")
