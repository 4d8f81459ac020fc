"""Projects with a date: archived by the portal itself when it has come, and announced before."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webapp.audit.services import record
from webapp.db import db, utcnow, writing
from webapp.jobs.services import enqueue
from webapp.projects.models import Project

# Pages warn so long before.
WARNING = timedelta(days=7)
MOST_AT_ONCE = 50


def archive_expired() -> list[str]:
    """Queue a job that archives each project whose time is over; return their names.

    Meant to be called again and again, by several workers at once if need be: the row's lock decides.
    """
    due = select(Project.name).where(
        Project.expires_at <= utcnow(), ~Project.archived, Project.state.not_in(("deleting", "blocked"))
    )
    names = list(db.session.scalars(due.order_by(Project.expires_at).limit(MOST_AT_ONCE)))
    db.session.rollback()
    return [name for name in names if _archive(name)]


def expires_soon(moment: datetime | None) -> bool:
    """Tell whether the moment is near enough to be warned of."""
    return moment is not None and moment - utcnow() <= WARNING


def _archive(name: str) -> bool:
    with writing() as session:
        query = select(Project).where(Project.name == name).with_for_update(of=Project, skip_locked=True)
        project = session.scalar(query.execution_options(populate_existing=True))
        if (
            project is None
            or project.archived
            or project.state in ("deleting", "blocked")
            or project.expires_at is None
            or project.expires_at > utcnow()
        ):
            return False
        before = project.spec
        project.spec = {**before, "archived": True}
        project.archived = True
        project.state = "updating"
        project.version += 1
        job = enqueue(
            session,
            kind="project.archive",
            project_name=name,
            user=None,
            request={"project": project.spec},
        )
        record(session, None, job.kind, project=name, before=before, after=project.spec, job_id=job.id)
    return True
