"""Do again what a job did not bring to its end, with the present settings."""

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from webapp.applications.models import Application
from webapp.audit.services import record
from webapp.auth.models import User
from webapp.db import writing
from webapp.jobs.kinds import TITLES, title_of
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue, get_job
from webapp.problems import Problem
from webapp.projects.access import role_of
from webapp.projects.models import Project

# What shows while the job is done again.
_STATES = {"create": "creating", "delete": "deleting"}


def refusal(user: User, job: Job, session: Session) -> str | None:
    """Say why the job cannot be retried by the user, in a sentence; None when it can."""
    project = session.scalar(select(Project).where(Project.name == job.project_name))
    if project is not None and project.created_at > job.created_at:
        project = None
    return _role(user, job, project) or _state(session, job, project)


def retry(user: User, job_id: str) -> Job:
    """Queue the kind of an ended job again, for what its project or application is set to now. Commits.

    Raises Problem: job-not-found, role-too-low, or state-conflict when the job has not ended, has succeeded,
    or something came since: its object is gone, or was changed.
    """
    job = get_job(user, job_id)
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        job = session.scalars(
            select(Job).where(Job.id == job_id).execution_options(populate_existing=True)
        ).one()
        project = session.scalar(
            select(Project)
            .where(Project.name == job.project_name, Project.created_at <= job.created_at)
            .with_for_update(of=Project)
            .execution_options(populate_existing=True)
        )
        if why := _role(actor, job, project):
            raise Problem("role-too-low", why)
        if why := _state(session, job, project):
            raise Problem("state-conflict", why)
        assert project is not None  # noqa: S101 - a job without its project was refused
        found = _again(session, job, project, actor)
        record(
            session,
            actor,
            "job.retry",
            project=job.project_name,
            object_name=job.application_name or "",
            job_id=found.id,
        )
    return found


def _again(session: Session, job: Job, project: Project, user: User) -> Job:
    subject, verb = job.kind.split(".")
    target = project if subject == "project" else _application(session, job, project)
    assert target is not None  # noqa: S101 - a job without its application was refused
    target.state = _STATES.get(verb, "updating")
    new = enqueue(
        session,
        kind=job.kind,
        project_name=job.project_name,
        application_name=job.application_name,
        user=user,
        request={subject: target.spec},
    )
    new.retry_of = job.id
    return new


def _role(user: User, job: Job, project: Project | None) -> str | None:
    if project is None:
        return None
    owners = job.kind.startswith("project.")
    if role_of(user, project) in (("owner",) if owners else ("owner", "developer")):
        return None
    return f"Only {'owners' if owners else 'owners and developers'} of the project may retry this job."


def _state(session: Session, job: Job, project: Project | None) -> str | None:
    if job.state not in ("failed", "cancelled"):
        return f"Only a job that failed or was cancelled can be retried; this one is {job.state}."
    if job.kind == "application.plan":
        return "A plan is not retried: make a new one from the application's settings."
    if project is None:
        return f"Project '{job.project_name}' is gone, so there is nothing to do again."
    if job.application_name is not None:
        if project.state in ("deleting", "blocked"):
            return f"Project '{project.name}' is being deleted."
        if project.archived:
            return f"Project '{project.name}' is archived; wake it first."
        if _application(session, job, project) is None:
            return f"Application '{job.application_name}' is gone, so there is nothing to do again."
    later = _later(session, job)
    if later is None:
        return None
    if later.retry_of == job.id:
        return f"It was retried already: {TITLES[later.kind].lower()}, by {later.user_name}."
    return f"Another change came since: '{title_of(later)}' by {later.user_name}. Change it again instead."


def _application(session: Session, job: Job, project: Project) -> Application | None:
    query = select(Application).where(
        Application.project_id == project.id,
        Application.name == job.application_name,
        Application.created_at <= job.created_at,
    )
    return session.scalar(query.with_for_update(of=Application))


def _later(session: Session, job: Job) -> Job | None:
    """Return the newest job about the same object that came after this one."""
    same = (
        Job.application_name.is_(None)
        if job.application_name is None
        else Job.application_name == job.application_name
    )
    query = select(Job).where(
        Job.project_name == job.project_name,
        same,
        Job.kind != "application.plan",
        tuple_(Job.created_at, Job.id) > tuple_(job.created_at, job.id),
    )
    return session.scalar(query.order_by(Job.created_at.desc(), Job.id.desc()).limit(1))


def retried_by(session: Session, job: Job) -> str | None:
    """Return the id of the newest job that does this one again, None when there is none."""
    query = select(Job.id).where(Job.retry_of == job.id)
    return session.scalar(query.order_by(Job.created_at.desc()).limit(1))
