"""Channels of a project: the rules that the API and the pages share."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from webapp.audit.services import record
from webapp.auth.models import User
from webapp.config import Config
from webapp.cursors import read_cursor, write_cursor
from webapp.db import db, writing
from webapp.notifications import outbox, webhook
from webapp.notifications.addresses import AddressRefused, check_host
from webapp.notifications.models import TEST, Channel, Delivery
from webapp.notifications.schemas import ChannelChanges, NewChannel, check_target
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.access import require_role, role_of
from webapp.projects.models import Project

MAX_CHANNELS = 20


def list_for(user: User, project_name: str) -> tuple[Project, list[Channel]]:
    """Return the project and its channels. Raises Problem project-not-found or role-too-low."""
    project = projects.get_for(user, project_name)
    require_role(user, project, "developer")
    query = select(Channel).where(Channel.project_id == project.id).order_by(Channel.id)
    return project, list(db.session.scalars(query))


def get_for(user: User, project_name: str, channel_id: int) -> Channel:
    """Return the channel. Raises Problem project-not-found, role-too-low or channel-not-found."""
    project = projects.get_for(user, project_name)
    require_role(user, project, "developer")
    return _find(db.session(), project, channel_id)


def create(user: User, project_name: str, new: NewChannel) -> tuple[Channel, str | None]:
    """Store a channel; return it and, for a webhook, the key of its signatures, which is not shown again.

    Raises Problem: project-not-found, role-too-low, validation-failed (target), state-conflict (too many).
    """
    require_role(user, projects.get_for(user, project_name), "owner")
    _check(new.kind, new.target)
    secret = webhook.new_secret() if new.kind == "webhook" else None
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = projects.lock(session, actor, project_name, "owner")
        count = session.scalar(select(func.count()).where(Channel.project_id == project.id)) or 0
        if count >= MAX_CHANNELS:
            raise Problem(
                "state-conflict",
                f"Project '{project_name}' has {count} channels, the most; remove one first.",
            )
        channel = Channel(
            project=project,
            kind=new.kind,
            target=new.target,
            secret=secret,
            events=list(new.events),
            created_by=actor.name,
        )
        session.add(channel)
        session.flush()
        _record(session, actor, "channel.create", channel, after=_settings(channel))
    return channel, secret


def update(user: User, project_name: str, channel_id: int, changes: ChannelChanges) -> Channel:
    """Store a channel's new target or events. Raises Problem as `create` does, or channel-not-found."""
    require_role(user, projects.get_for(user, project_name), "owner")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = projects.lock(session, actor, project_name, "owner")
        channel = _find(session, project, channel_id)
        before = _settings(channel)
        if changes.target is not None:
            _check(channel.kind, changes.target)
            channel.target = changes.target
        if changes.events is not None:
            channel.events = list(changes.events)
        _record(session, actor, "channel.update", channel, before=before, after=_settings(channel))
    return channel


def delete(user: User, project_name: str, channel_id: int) -> None:
    """Remove a channel, and what still waits to be sent to it.

    Raises Problem project-not-found, role-too-low or channel-not-found.
    """
    require_role(user, projects.get_for(user, project_name), "owner")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = projects.lock(session, actor, project_name, "owner")
        channel = _find(session, project, channel_id)
        _record(session, actor, "channel.delete", channel, before=_settings(channel))
        for delivery in session.scalars(
            select(Delivery).where(Delivery.channel_id == channel.id, Delivery.state == "waiting")
        ).all():
            delivery.state, delivery.error = "failed", "The channel was removed."
        session.delete(channel)


def test(user: User, project_name: str, channel_id: int) -> Delivery:
    """Send a message to the channel that shows that it works.

    Raises Problem project-not-found, role-too-low, channel-not-found, or state-conflict while an earlier test
    is on its way.
    """
    require_role(user, projects.get_for(user, project_name), "owner")
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = projects.lock(session, actor, project_name, "owner")
        channel = _find(session, project, channel_id)
        _check(channel.kind, channel.target)
        waiting = select(Delivery.id).where(
            Delivery.channel_id == channel.id, Delivery.event == TEST, Delivery.state == "waiting"
        )
        if session.scalar(waiting.limit(1)) is not None:
            raise Problem("state-conflict", "An earlier test is still on its way; see how it goes first.")
        delivery = outbox.test(session, channel, actor.name)
        _record(session, actor, "channel.test", channel)
    return delivery


@dataclass(frozen=True)
class DeliveryPage:
    """Some deliveries, newest first; `next_cursor` leads to the ones before them, None at the end."""

    deliveries: list[Delivery]
    next_cursor: str | None


def deliveries(
    user: User, project_name: str, channel_id: int, *, cursor: str | None = None, limit: int = 20
) -> DeliveryPage:
    """Return what was sent to the channel, newest first. Raises Problem as `get_for`, or bad-request."""
    channel = get_for(user, project_name, channel_id)
    query = select(Delivery).where(Delivery.channel_id == channel.id)
    if cursor is not None:
        query = query.where(tuple_(Delivery.created_at, Delivery.id) < tuple_(*read_cursor(cursor)))
    query = query.order_by(Delivery.created_at.desc(), Delivery.id.desc())
    found = list(db.session.scalars(query.limit(limit + 1)))
    page = found[:limit]
    more = len(found) > limit
    return DeliveryPage(page, write_cursor(page[-1].created_at, page[-1].id) if more else None)


def shown_target(user: User, channel: Channel) -> str:
    """Return the channel's target as the user may see it: whole for owners, as its path may be a secret."""
    if role_of(user, channel.project) == "owner":
        return channel.target
    return _masked(channel.kind, channel.target)


def email_possible() -> bool:
    """Whether the operator has set a mail server."""
    config: Config = current_app.config["CROFT"]
    return bool(config.smtp_host)


def _check(kind: str, target: str) -> None:
    config: Config = current_app.config["CROFT"]
    try:
        check_target(kind, target)
        if kind == "webhook":
            check_host(urlsplit(target).hostname or "", config)
    except ValueError as error:
        raise Problem("validation-failed", _sentence(error), field="target") from error
    except AddressRefused as error:
        raise Problem("validation-failed", f"{error}.", field="target") from error
    if kind == "email" and not email_possible():
        detail = "The operator has set no mail server, so no e-mail can be sent; use a webhook."
        raise Problem("validation-failed", detail, field="kind")


def _find(session: Session, project: Project, channel_id: int) -> Channel:
    query = select(Channel).where(Channel.id == channel_id, Channel.project_id == project.id)
    channel = session.scalar(query.execution_options(populate_existing=True))
    if channel is None:
        raise Problem("channel-not-found", f"Project '{project.name}' has no channel {channel_id}.")
    return channel


def _settings(channel: Channel) -> dict[str, object]:
    return {
        "kind": channel.kind,
        "target": _masked(channel.kind, channel.target),
        "events": list(channel.events),
    }


def _masked(kind: str, target: str) -> str:
    if kind == "email":
        return target
    parts = urlsplit(target)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}/…"


def _record(
    session: Session,
    user: User,
    action: str,
    channel: Channel,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    name = f"{channel.kind} {channel.id}"
    project = channel.project.name
    record(session, user, action, project=project, object_name=name, before=before, after=after)


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
