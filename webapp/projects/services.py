"""Projects: the rules that the API and the pages share. Every change is desired state plus a job."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import cluster
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import QuotaUse
from webapp.db import db, utcnow, writing
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue
from webapp.problems import FieldError, Problem, invalid
from webapp.projects.access import no_such_project, require_role, visible_to
from webapp.projects.capacity import check_fits_nodes
from webapp.projects.models import Membership, Project
from webapp.projects.schemas import ProjectSettings, ProjectSpec

MAX_PAGE = 100


@dataclass(frozen=True)
class ProjectPage:
    """Some projects in order of their names; `next_cursor` leads to those after them, None at the end."""

    projects: list[Project]
    next_cursor: str | None


def create(user: User, spec: ProjectSpec) -> tuple[Project, Job]:
    """Store a new project and the job that makes it. The owner is `user` when `spec` does not name one.

    Raises Problem: validation-failed (members), name-taken, quota-exceeds-nodes, cluster-unreachable; nothing
    is stored then.
    """
    if "owner" not in spec.model_fields_set:
        spec = spec.model_copy(update={"owner": user.name})
    people = _check_people(user, spec, None)
    if db.session.scalar(select(Project.id).where(Project.name == spec.name)) is not None:
        raise _name_taken(spec.name)
    _check_cluster(spec, new=True)
    user_id = user.id
    try:
        with writing() as session:
            project = Project(name=spec.name, state="creating")
            _settle(project, spec, people)
            session.add(project)
            job = _enqueue(session, "project.create", project, session.get_one(User, user_id))
    except IntegrityError as error:
        raise _name_taken(spec.name) from error
    return project, job


def list_for(user: User, *, limit: int = 50, cursor: str | None = None) -> ProjectPage:
    """Return the projects that the user may see, at most `limit` (up to 100) after `cursor`."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(Project).where(visible_to(user)).order_by(Project.name).limit(limit + 1)
    if cursor is not None:
        query = query.where(Project.name > cursor)
    found = list(db.session.scalars(query))
    page = found[:limit]
    return ProjectPage(page, page[-1].name if len(found) > limit else None)


def get_for(user: User, name: str) -> Project:
    """Return the project. Raises Problem project-not-found, also when the user is no member of it."""
    project = db.session.scalar(select(Project).where(Project.name == name, visible_to(user)))
    if project is None:
        raise no_such_project(name)
    return project


def update(user: User, name: str, settings: ProjectSettings) -> tuple[Project, Job]:
    """Store a project's new settings and the job that applies them; an owner not named stays.

    Raises Problem: project-not-found, role-too-low, validation-failed (members), state-conflict,
    quota-exceeds-nodes, cluster-unreachable; nothing is stored then.
    """
    project = get_for(user, name)
    require_role(user, project, "owner")
    if "owner" not in settings.model_fields_set:
        settings = settings.model_copy(update={"owner": project.owner.name})
    spec = ProjectSpec(
        name=project.name, **{key: getattr(settings, key) for key in ProjectSettings.model_fields}
    )
    people = _check_people(user, spec, project)
    _check_cluster(spec, new=False)
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = lock(session, actor, name, "owner")
        if project.state in ("deleting", "blocked"):
            raise _being_deleted(project)
        _settle(project, spec, people)
        project.state = "updating"
        project.version += 1
        job = _enqueue(session, "project.update", project, actor)
    return project, job


def delete(user: User, name: str) -> tuple[Project, Job]:
    """Mark the project as being deleted and store the job that deletes it with all its applications.

    Raises Problem: project-not-found, role-too-low, or state-conflict while it is being deleted already.
    """
    require_role(user, get_for(user, name), "owner")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = lock(session, actor, name, "owner")
        if project.state == "deleting":
            raise _being_deleted(project)
        project.state = "deleting"
        job = _enqueue(session, "project.delete", project, actor)
    return project, job


def live_quota(project: Project) -> QuotaUse | None:
    """Return the project's quota as the cluster counts it; None when it has none yet.

    Raises ClusterUnreachable.
    """
    return cluster.reader().quota(project.name)


def spec_of(project: Project) -> ProjectSpec:
    """Return the project's desired state as a model."""
    return ProjectSpec.model_validate(project.spec)


def settings_with(project: Project, changes: dict[str, Any]) -> ProjectSettings:
    """Return the project's settings with some replaced; `changes` has the names of the API (camelCase).

    Raises Problem validation-failed when the whole is not valid.
    """
    stored = {key: value for key, value in project.spec.items() if key != "name"}
    try:
        return ProjectSettings.model_validate({**stored, **changes})
    except ValidationError as error:
        raise invalid(error) from error


def lock(session: Session, user: User, name: str, role: str) -> Project:
    """Return the project with its row locked, for a change by `user`, who must have `role`.

    Raises Problem project-not-found or role-too-low: both may have changed since they were looked at first.
    """
    query = select(Project).where(Project.name == name, visible_to(user)).with_for_update(of=Project)
    project = session.scalar(query.execution_options(populate_existing=True))
    if project is None:
        raise no_such_project(name)
    require_role(user, project, role)
    return project


def refuse_deleted(project: Project) -> None:
    """Raise Problem state-conflict when the project is being deleted, or its deletion is stuck."""
    if project.state in ("deleting", "blocked"):
        raise _being_deleted(project)


def _check_people(user: User, spec: ProjectSpec, project: Project | None) -> dict[str, int]:
    """Return the ids of the owner and the members by name; raise Problem for those who cannot be."""
    names = {spec.owner, *(member.user for member in spec.members)}
    query = select(User.name, User.id).where(User.name.in_(names), User.is_active)
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


def _check_cluster(spec: ProjectSpec, *, new: bool) -> None:
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


def _settle(project: Project, spec: ProjectSpec, people: dict[str, int]) -> None:
    project.description = spec.description
    project.owner_id = people[spec.owner]
    project.spec = spec.model_dump(mode="json")
    wanted = {people[member.user]: member.role for member in spec.members}
    project.memberships = [member for member in project.memberships if member.user_id in wanted]
    for member in project.memberships:
        member.role = wanted.pop(member.user_id)
    project.memberships += [Membership(user_id=user_id, role=role) for user_id, role in wanted.items()]
    project.updated_at = utcnow()


def _enqueue(session: Session, kind: str, project: Project, user: User) -> Job:
    return enqueue(
        session, kind=kind, project_name=project.name, user=user, request={"project": project.spec}
    )


def _name_taken(name: str) -> Problem:
    return Problem("name-taken", f"There is a project '{name}' already; choose another name.", field="name")


def _being_deleted(project: Project) -> Problem:
    if project.state == "blocked":
        detail = (
            f"The deletion of project '{project.name}' is blocked; delete it again once the cause is gone."
        )
    else:
        detail = f"Project '{project.name}' is being deleted; wait until it is gone."
    return Problem("state-conflict", detail)
