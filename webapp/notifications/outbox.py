"""Put a project's news into the outbox, in the transaction that makes them true; nothing is lost or made up.

webapp.notifications.sender brings them to their receivers.
"""

import uuid
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import utcnow
from webapp.jobs.kinds import message_of, title_of
from webapp.jobs.models import Job
from webapp.links import application_path, job_path, project_path
from webapp.notifications.models import EVENTS, TEST, Channel, Delivery
from webapp.projects.models import Project


def announce(
    session: Session,
    project: Project,
    event: str,
    summary: str,
    data: Mapping[str, Any],
    links: Mapping[str, str],
    once: str = "",
) -> int:
    """Add a message to each of the project's channels that hears of `event`; return how many. No commit.

    `summary`: one sentence, which e-mails have as their subject; `data`: more about it, JSON; `links`: paths
    of this portal by name. `once`, when given, says what the news are about: a channel that was told so
    before is not told again. The caller then holds a lock on the project's row.
    """
    if event not in EVENTS:
        raise ValueError(f"'{event}' is not one of the events that channels hear of")
    channels = session.scalars(select(Channel).where(Channel.project_id == project.id)).all()
    keys = {channel: _once_key(channel, event, once) for channel in channels if event in channel.events}
    told = set(
        session.scalars(select(Delivery.once_key).where(Delivery.once_key.in_(filter(None, keys.values()))))
    )
    hearing = [channel for channel, key in keys.items() if key not in told]
    for channel in hearing:
        delivery = add(session, channel, event, summary, {"project": project.name, **data}, links)
        delivery.once_key = keys[channel]
    return len(hearing)


def _once_key(channel: Channel, event: str, once: str) -> str | None:
    # The moment, because the number of a channel that was removed may be given out again.
    what = f"{channel.id} {channel.created_at.isoformat()} {event} {once}"
    return sha256(what.encode()).hexdigest() if once else None


def add(
    session: Session,
    channel: Channel,
    event: str,
    summary: str,
    data: Mapping[str, Any],
    links: Mapping[str, str],
) -> Delivery:
    """Add one message to one channel; do not commit."""
    now = utcnow()
    delivery = Delivery(
        id=uuid.uuid4().hex,
        channel_id=channel.id,
        kind=channel.kind,
        target=channel.target,
        secret=channel.secret,
        event=event,
        body={
            "type": event,
            "timestamp": now.isoformat(),
            "data": {"summary": summary, **data, "links": dict(links)},
        },
        state="waiting",
        attempts=0,
        next_try_at=now,
        error="",
        created_at=now,
    )
    session.add(delivery)
    return delivery


def job_ended(session: Session, job: Job) -> None:
    """Announce the end of a job; called before a deletion takes project and channels away."""
    if job.kind == "application.plan":
        return
    project = session.scalar(
        select(Project).where(Project.name == job.project_name, Project.created_at <= job.created_at)
    )
    if project is None:
        return
    links = {
        "page": f"/jobs/{job.id}",
        "job": job_path(job.id),
        "project": project_path(project.name),
    }
    if job.application_name:
        links["application"] = application_path(project.name, job.application_name)
    data = {
        "application": job.application_name,
        "job": {
            "id": job.id,
            "kind": job.kind,
            "state": job.state,
            "message": message_of(job),
            "user": job.user_name,
        },
    }
    announce(session, project, f"job.{job.state}", f"{title_of(job)}: {job.state}", data, links)


def test(session: Session, channel: Channel, user_name: str) -> Delivery:
    """Add a message that only shows that the channel works; do not commit."""
    project = channel.project.name
    summary = f"A test from project {project}"
    links = {"page": f"/projects/{project}/notifications", "project": project_path(project)}
    return add(session, channel, TEST, summary, {"project": project, "user": user_name}, links)
