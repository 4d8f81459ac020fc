"""What the database says of projects, applications and jobs, in a form that is quick to compare."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Engine, select

from webapp.applications.models import Application
from webapp.jobs.models import Job
from webapp.projects.models import Project


class Watched(Protocol):
    """Anything that names a project."""

    project: str | None


@dataclass(frozen=True)
class Signatures:
    """Rows by project: they differ when something that pages show of it has changed."""

    projects: dict[str, tuple[Any, ...]]
    applications: dict[str, dict[str, tuple[Any, ...]]]
    jobs: dict[str, list[tuple[Any, ...]]]

    def of(
        self, project: str | None, application: str | None, projects: frozenset[str] | None
    ) -> tuple[Any, ...]:
        """Return what belongs to a project, to one application, or (no project) the jobs of `projects`."""
        if project is None:
            return tuple(
                row
                for name, rows in sorted(self.jobs.items())
                if projects is None or name in projects
                for row in rows
            )
        own = self.applications.get(project, {})
        jobs = self.jobs.get(project, [])
        if application is None:
            return self.projects.get(project), tuple(own.items()), tuple(jobs)
        jobs = [row for row in jobs if row[-1] in (None, application)]
        return self.projects.get(project), own.get(application), tuple(jobs)


def read_signatures(engine: Engine, watches: Iterable[Watched]) -> Signatures:
    """Read what the watches compare: three queries, however many they are. Raises DBAPIError."""
    names = {watch.project for watch in watches if watch.project is not None}
    project_rows = select(Project.name, Project.state, Project.version, Project.updated_at).where(
        Project.name.in_(names)
    )
    application_rows = (
        select(Project.name, Application.name, Application.state, Application.version, Application.updated_at)
        .join(Project, Project.id == Application.project_id)
        .where(Project.name.in_(names))
        .order_by(Application.name)
    )
    # Jobs that have ended do not change; one that ends leaves this list, which is a change.
    job_rows = (
        select(Job.project_name, Job.id, Job.state, Job.cancel_requested, Job.application_name)
        .where(Job.state.in_(("queued", "running")))
        .order_by(Job.created_at, Job.id)
    )
    applications: dict[str, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    jobs: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    projects: dict[str, tuple[Any, ...]] = {}
    with engine.connect() as connection:
        if names:
            projects = {row[0]: tuple(row) for row in connection.execute(project_rows)}
            for own in connection.execute(application_rows):
                applications[own[0]][own[1]] = tuple(own[2:])
        for job in connection.execute(job_rows):
            jobs[job[0]].append(tuple(job[1:]))
    return Signatures(projects, applications, jobs)
