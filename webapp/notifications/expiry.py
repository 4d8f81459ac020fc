"""Tell a project's channels, once, that it will be archived soon."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import db, utcnow, writing
from webapp.links import project_path
from webapp.notifications import outbox
from webapp.notifications.models import Channel, Delivery
from webapp.projects.expiry import WARNING
from webapp.projects.models import Project

EVENT = "project.expiring"


def announce_expiring() -> int:
    """Add a message to each channel that hears of it and has not; return how many. Commits."""
    now = utcnow()
    query = select(Project.id).where(
        Project.expires_at > now, Project.expires_at <= now + WARNING, ~Project.archived
    )
    count = 0
    for project_id in list(db.session.scalars(query)):
        with writing() as session:
            channels = session.scalars(select(Channel).where(Channel.project_id == project_id)).all()
            for channel in channels:
                if EVENT in channel.events and not _told(session, channel):
                    _tell(session, channel)
                    count += 1
    return count


def _told(session: Session, channel: Channel) -> bool:
    moment = channel.project.expires_at
    if moment is None:
        return True
    query = select(Delivery.body).where(
        Delivery.channel_id == channel.id, Delivery.event == EVENT, Delivery.created_at >= moment - WARNING
    )
    # A new date is news again.
    return any(body["data"].get("expiresAt") == moment.isoformat() for body in session.scalars(query))


def _tell(session: Session, channel: Channel) -> None:
    project = channel.project
    moment = project.expires_at
    assert moment is not None  # noqa: S101 - found by it
    summary = f"Project {project.name} is archived on {moment:%Y-%m-%d}"
    message = f"Nothing of it runs from {moment:%Y-%m-%d %H:%M} UTC on, unless its owner sets a later date."
    links = {"page": f"/projects/{project.name}", "project": project_path(project.name)}
    data = {"project": project.name, "message": message, "expiresAt": moment.isoformat()}
    outbox.add(session, channel, EVENT, summary, data, links)
