"""Deletions that are stuck: what holds the namespace up, as the job that failed has told."""

import re

from sqlalchemy import select

from webapp.db import db
from webapp.jobs.models import Job
from webapp.projects.models import Project

_BLOCKERS = re.compile(r"blocked by (.*?)\. Remove what holds it", re.DOTALL)


def blocked_by(project: Project) -> list[str]:
    """Return what blocks the deletion of a project in the state blocked; nothing in any other state.

    Each is an object with the finalizer that holds it, or an API that does not answer.
    """
    if project.state != "blocked":
        return []
    query = select(Job.message).where(
        Job.project_name == project.name,
        Job.kind == "project.delete",
        Job.finished_at.is_not(None),
        Job.created_at >= project.created_at,
    )
    message = db.session.scalar(query.order_by(Job.created_at.desc()).limit(1)) or ""
    found = _BLOCKERS.search(message)
    return [part.strip() for part in found[1].split("; ")] if found else [message] if message else []
