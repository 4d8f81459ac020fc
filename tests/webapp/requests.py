"""Bodies of requests, and what follows an accepted one."""

from typing import Any

from sqlalchemy import select

from webapp.db import db, writing
from webapp.jobs.effects import end
from webapp.jobs.models import Job
from webapp.openapi import Portal

SHOP: dict[str, Any] = {
    "name": "shop",
    "description": "Our web shop",
    "owner": "ada",
    "members": [{"user": "dev", "role": "developer"}, {"user": "eve", "role": "viewer"}],
}
WEB: dict[str, Any] = {
    "name": "web",
    "image": "registry.example.org/team/web:1.2",
    "ports": [{"name": "http", "targetPort": 8080}],
    "env": [{"name": "LOG_LEVEL", "value": "info"}],
    "secrets": [{"name": "PASSWORD", "value": "hunter2-hunter2"}],
}


def end_jobs(app: Portal, state: str = "succeeded") -> None:
    """End every waiting job in its turn, as the worker would."""
    with app.app_context(), writing() as session:
        waiting = select(Job).where(Job.state.in_(("queued", "running"))).order_by(Job.created_at)
        for job in session.scalars(waiting).all():
            end(session, job, state, f"it {state}")


def job_of(app: Portal, answer: Any) -> dict[str, Any]:
    """Return the stored job that an answer links to, as a dictionary."""
    with app.app_context():
        job = db.session.get_one(Job, answer.json["job"]["id"])
        return {
            "kind": job.kind,
            "state": job.state,
            "project": job.project_name,
            "application": job.application_name,
            "request": job.request,
            "user": job.user_name,
        }
