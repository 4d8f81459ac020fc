"""Projects: the rules that the API and the pages share. Every change is desired state plus a job."""

from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp import cluster, etags
from webapp.audit.services import record
from webapp.auth.models import User
from webapp.cluster.state import QuotaUse
from webapp.db import db, utcnow, writing
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue
from webapp.problems import Problem, invalid
from webapp.projects import checks
from webapp.projects.access import no_such_project, require_role, visible_to
from webapp.projects.models import Membership, Project
from webapp.projects.schemas import ProjectSettings, ProjectSpec

# What the settings become, worked out from the project as it is then.
Settle: TypeAlias = Callable[[Project], ProjectSettings]
# What else happens in the transaction that stores a change and its job.
Also: TypeAlias = Callable[[Session, Project, Job], None]


def create(user: User, spec: ProjectSpec) -> tuple[Project, Job]:
    """Store a new project and the job that makes it. The owner is `user` when `spec` does not name one.

    Raises Problem: validation-failed (members), name-taken, quota-exceeds-nodes, cluster-unreachable; nothing
    is stored then.
    """
    if "owner" not in spec.model_fields_set:
        spec = spec.model_copy(update={"owner": user.name})
    if spec.expires_at is not None and spec.expires_at <= utcnow():
        raise checks.past_expiry()
    people = checks.check_people(user, spec, None)
    if db.session.scalar(select(Project.id).where(Project.name == spec.name)) is not None:
        raise checks.name_taken(spec.name)
    checks.check_cluster(spec, new=True)
    user_id = user.id
    try:
        with writing() as session:
            project = Project(name=spec.name, state="creating")
            _settle(project, spec, people)
            session.add(project)
            actor = session.get_one(User, user_id)
            job = _enqueue(session, "project.create", project, actor)
            record(session, actor, job.kind, project=project.name, after=project.spec, job_id=job.id)
    except IntegrityError as error:
        raise checks.name_taken(spec.name) from error
    return project, job


def get_for(user: User, name: str) -> Project:
    """Return the project. Raises Problem project-not-found, also when the user is no member of it."""
    project = db.session.scalar(select(Project).where(Project.name == name, visible_to(user)))
    if project is None:
        raise no_such_project(name)
    return project


def update(
    user: User, name: str, settings: ProjectSettings, versions: etags.Versions = None
) -> tuple[Project, Job]:
    """Store a project's new settings and the job that applies them; an owner, or whether it is archived,
    that is not named stays. `versions`: those that the change may be based on.

    Raises Problem as `change` does.
    """

    def complete(project: Project) -> ProjectSettings:
        kept = {"owner": project.owner.name, "archived": project.archived}
        return settings.model_copy(
            update={key: value for key, value in kept.items() if key not in settings.model_fields_set}
        )

    return change(user, name, complete, versions=versions)


def change(
    user: User,
    name: str,
    settle: Settle,
    *,
    versions: etags.Versions = None,
    kind: str | None = None,
    also: Also | None = None,
) -> tuple[Project, Job]:
    """Store what `settle` makes of a project's settings, and the job that applies them.

    `settle` is asked twice: first for the checks that take their time, then with the project's row locked, so
    that a change made meanwhile is not lost. The job's kind follows from whether the project falls asleep or
    wakes, unless `kind` says it.

    Raises Problem: project-not-found, role-too-low, validation-failed (members, expiry), state-conflict,
    version-conflict, quota-exceeds-nodes, cluster-unreachable; nothing is stored then.
    """
    project = get_for(user, name)
    require_role(user, project, "owner")
    refuse_deleted(project)
    spec = checks.complete(project, settle(project))
    people = checks.check_people(user, spec, project)
    if spec.quota != spec_of(project).quota:
        checks.check_cluster(spec, new=False)
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = lock(session, actor, name, "owner")
        refuse_deleted(project)
        etags.check(versions, project.version, f"Project '{name}'")
        spec = checks.complete(project, settle(project))
        people = checks.check_people(actor, spec, project)
        before, archived = project.spec, project.archived
        _settle(project, spec, people)
        project.state = "updating"
        project.version += 1
        if kind is None:
            kinds = {(False, True): "project.archive", (True, False): "project.wake"}
            kind = kinds.get((archived, spec.archived), "project.update")
        job = _enqueue(session, kind, project, actor)
        record(session, actor, kind, project=name, before=before, after=project.spec, job_id=job.id)
        if also is not None:
            also(session, project, job)
    return project, job


def delete(user: User, name: str, versions: etags.Versions = None) -> tuple[Project, Job]:
    """Mark the project as being deleted and store the job that deletes it with all its applications.

    Raises Problem: project-not-found, role-too-low, version-conflict, or state-conflict while it is being
    deleted already.
    """
    require_role(user, get_for(user, name), "owner")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = lock(session, actor, name, "owner")
        if project.state == "deleting":
            raise _being_deleted(project)
        etags.check(versions, project.version, f"Project '{name}'")
        project.state = "deleting"
        job = _enqueue(session, "project.delete", project, actor)
        record(session, actor, job.kind, project=name, before=project.spec, job_id=job.id)
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
    # A user that is gone takes the membership along, but not the name from the settings.
    there = {member.user.name for member in project.memberships}
    stored["members"] = [member for member in stored.get("members", []) if member["user"] in there]
    if changes.get("preset"):
        stored.pop("quota", None)
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


def refuse_unchangeable(project: Project) -> None:
    """Raise Problem state-conflict when nothing in the project may be changed: deleted, blocked, archived."""
    refuse_deleted(project)
    if project.archived:
        raise Problem("state-conflict", f"Project '{project.name}' is archived; wake it first.")


def _settle(project: Project, spec: ProjectSpec, people: dict[str, int]) -> None:
    project.description = spec.description
    project.owner_id = people[spec.owner]
    project.spec = spec.model_dump(mode="json")
    project.archived, project.expires_at = spec.archived, spec.expires_at
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


def _being_deleted(project: Project) -> Problem:
    if project.state == "blocked":
        detail = (
            f"The deletion of project '{project.name}' is blocked; delete it again once the cause is gone."
        )
    else:
        detail = f"Project '{project.name}' is being deleted; wait until it is gone."
    return Problem("state-conflict", detail)
