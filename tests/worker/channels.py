"""Channels of a project and what was sent to them, in the database of a WorkerPortal."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.worker.portal import WorkerPortal
from webapp.db import db, writing
from webapp.jobs import services
from webapp.notifications.models import Channel, Delivery
from webapp.notifications.webhook import new_secret
from webapp.projects.models import Project


def add_channel(project: str, kind: str, target: str, *events: str) -> str:
    """Store a channel of ada's; return the key of its signatures."""
    secret = new_secret()
    with writing() as session:
        found = session.scalars(select(Project).where(Project.name == project)).one()
        session.add(
            Channel(
                project_id=found.id,
                kind=kind,
                target=target,
                secret=secret if kind == "webhook" else None,
                events=list(events),
                created_by="ada",
            )
        )
    return secret


def deliveries() -> list[Delivery]:
    """Return all that was or is to be sent, oldest first."""
    with Session(db.engine, expire_on_commit=False) as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.created_at)))


def all_are(state: str, count: int = 1) -> Callable[[], bool]:
    """Return a question: are there so many deliveries, all in this state?"""
    return lambda: [item.state for item in deliveries()] == [state] * count


def end_a_job(portal: WorkerPortal, project: str) -> str:
    """End a job without a playbook; return its id."""
    return services.cancel(portal.user(), portal.enqueue(project)).id
