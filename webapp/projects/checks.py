"""What is checked of a project's settings before they are stored."""

from collections import Counter

from sqlalchemy import or_, select

from webapp import cluster
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.db import db, utcnow
from webapp.problems import FieldError, Problem
from webapp.projects.capacity import check_fits_nodes
from webapp.projects.models import Project
from webapp.projects.schemas import ProjectSettings, ProjectSpec


def complete(project: Project, settings: ProjectSettings) -> ProjectSpec:
    """Return the project's desired state with these settings.

    Raises Problem validation-failed for an expiry in the past; waking drops one that has passed.
    """
    values = {key: getattr(settings, key) for key in ProjectSettings.model_fields}
    expires_at, now = settings.expires_at, utcnow()
    if expires_at is not None and expires_at <= now and not settings.archived:
        if expires_at != project.expires_at:
            raise past_expiry()
        if project.archived:
            # Who wakes an expired project wants it to stay awake.
            values["expires_at"] = None
    return ProjectSpec(name=project.name, **values)


def check_people(user: User, spec: ProjectSpec, project: Project | None) -> dict[str, int]:
    """Return the ids of the owner and the members by name; raise Problem for those who cannot be."""
    names = {spec.owner, *(member.user for member in spec.members)}
    # Who cannot sign in any more stays a member until somebody says otherwise.
    known = [project.owner_id, *(member.user_id for member in project.memberships)] if project else []
    query = select(User.name, User.id).where(User.name.in_(names), or_(User.is_active, User.id.in_(known)))
    ids: dict[str, int] = {row.name: row.id for row in db.session.execute(query)}
    errors = []
    if spec.owner not in ids:
        errors.append(FieldError("owner", f"There is no user '{spec.owner}'."))
    elif project is None and spec.owner != user.name and not user.is_admin:
        errors.append(FieldError("owner", "Only an administrator may create a project for somebody else."))
    count = Counter(member.user for member in spec.members)
    for index, member in enumerate(spec.members):
        field = f"members.{index}.user"
        if member.user not in ids:
            errors.append(FieldError(field, f"There is no user '{member.user}'."))
        elif member.user == spec.owner:
            errors.append(FieldError(field, f"'{member.user}' is the owner already."))
        elif count[member.user] > 1:
            errors.append(FieldError(field, f"'{member.user}' is listed twice."))
    if errors:
        raise Problem("validation-failed", " ".join(error.message for error in errors[:5]), errors=errors)
    return ids


def check_cluster(spec: ProjectSpec, *, new: bool) -> None:
    """Raise Problem when the nodes cannot hold the quota, or the name of a new project is taken there."""
    reader = cluster.reader()
    try:
        check_fits_nodes(spec.quota, reader.nodes())
        namespace = reader.namespace(spec.name) if new else None
    except ClusterUnreachable as error:
        raise cluster.unreachable(error) from error
    if namespace is not None and namespace.ending:
        raise Problem(
            "name-taken", f"The namespace '{spec.name}' is just being deleted; try again.", field="name"
        )
    if namespace is not None:
        owner = "another project's" if namespace.project else "not a project's"
        raise Problem(
            "name-taken",
            f"The cluster has a namespace '{spec.name}' already, and it is {owner}; choose another name.",
            field="name",
        )


def name_taken(name: str) -> Problem:
    """Return the problem for a name that another project has."""
    return Problem("name-taken", f"There is a project '{name}' already; choose another name.", field="name")


def past_expiry() -> Problem:
    """Return the problem for an expiry that has passed already."""
    return Problem("validation-failed", "This lies in the past.", field="expiresAt")
