"""Who may see and do what in a project."""

from sqlalchemy import ColumnElement, or_, select, true

from webapp.auth.models import User
from webapp.problems import Problem
from webapp.projects.models import Membership, Project

ROLES = ("viewer", "developer", "owner")


def visible_to(user: User) -> ColumnElement[bool]:
    """Return the condition for the projects that the user may see: administrators see all."""
    if user.is_admin:
        return true()
    joined = select(Membership.project_id).where(Membership.user_id == user.id)
    return or_(Project.owner_id == user.id, Project.id.in_(joined))


def role_of(user: User, project: Project) -> str | None:
    """Return the user's role in the project; administrators are owners everywhere, None is no member."""
    if user.is_admin or project.owner_id == user.id:
        return "owner"
    return next((member.role for member in project.memberships if member.user_id == user.id), None)


def require_role(user: User, project: Project, role: str) -> None:
    """Raise Problem role-too-low unless the user's role is `role` or above it."""
    own = role_of(user, project)
    if own is None or ROLES.index(own) < ROLES.index(role):
        needed = "an owner" if role == "owner" else f"a {role}"
        raise Problem(
            "role-too-low", f"You are a {own or 'stranger'} of project '{project.name}'; this takes {needed}."
        )


def no_such_project(name: str) -> Problem:
    """Return the problem for a project that does not exist or that the user may not know of."""
    return Problem("project-not-found", f"There is no project '{name[:64]}' that you may see.")
