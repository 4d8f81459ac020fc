"""What the API answers about channels."""

from datetime import datetime

from pydantic import Field

from webapp.auth.models import User
from webapp.links import PageLinks, project_path
from webapp.notifications import services
from webapp.notifications.models import Channel, Delivery
from webapp.schemas import Model


class ChannelLinks(Model):
    """Where to go from a channel."""

    self_: str = Field(alias="self", description="The channel", examples=["/api/v1/projects/shop/channels/7"])
    test: str = Field(
        description="Send a message to try it, with POST", examples=["/api/v1/projects/shop/channels/7/test"]
    )
    deliveries: str = Field(
        description="What was sent to it", examples=["/api/v1/projects/shop/channels/7/deliveries"]
    )
    project: str = Field(description="Its project", examples=["/api/v1/projects/shop"])


class ChannelBody(Model):
    """A receiver of a project's news."""

    id: int = Field(description="Number of the channel", examples=[7])
    kind: str = Field(description="webhook or email", examples=["webhook"])
    target: str = Field(
        description="Where the news go; the path of a webhook is shown to owners alone",
        examples=["https://example.org/hook"],
    )
    events: list[str] = Field(description="What it hears of", examples=[["job.failed"]])
    created_by: str = Field(description="Who made it", examples=["ada"])
    created_at: datetime = Field(description="When it was made, UTC", examples=["2026-01-31T12:00:00Z"])
    links: ChannelLinks = Field(description="Where to go from here")


class NewChannelBody(ChannelBody):
    """A channel that was just made."""

    secret: str | None = Field(
        description=(
            "Key of a webhook's signatures (Standard Webhooks), shown this once; null for e-mail. Verify the "
            "header webhook-signature with it"
        ),
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class ChannelListLinks(Model):
    """Where to go from the list."""

    self_: str = Field(alias="self", description="This list", examples=["/api/v1/projects/shop/channels"])
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])


class ChannelList(Model):
    """All channels of a project."""

    items: list[ChannelBody] = Field(description="The channels, oldest first")
    links: ChannelListLinks = Field(description="Where to go from here")


class ChannelRemoved(Model):
    """A channel is gone."""

    removed: bool = Field(description="Whether it is gone", examples=[True])
    links: ChannelListLinks = Field(description="The channels that are left")


class DeliveryLinks(Model):
    """Where to go from a delivery."""

    channel: str = Field(description="Its channel", examples=["/api/v1/projects/shop/channels/7"])
    deliveries: str = Field(
        description="All that was sent there", examples=["/api/v1/projects/shop/channels/7/deliveries"]
    )


class DeliveryBody(Model):
    """One message to a channel."""

    id: str = Field(
        description="Id of the delivery, which a webhook gets as webhook-id",
        examples=["0f8c2ab3d4e5f60718293a4b5c6d7e8f"],
    )
    event: str = Field(description="What it tells of, or test", examples=["job.failed"])
    state: str = Field(
        description="waiting (for its first or next attempt), delivered or failed", examples=["delivered"]
    )
    attempts: int = Field(description="How often it was tried", examples=[1])
    error: str = Field(
        description="Why the last attempt failed; empty when it did not",
        examples=["example.org answered 502 Bad Gateway"],
    )
    next_try_at: datetime | None = Field(
        description="When it is tried next, while it waits", examples=["2026-01-31T12:00:10Z"]
    )
    created_at: datetime = Field(description="When it happened, UTC", examples=["2026-01-31T12:00:00Z"])
    delivered_at: datetime | None = Field(
        description="When the receiver took it", examples=["2026-01-31T12:00:01Z"]
    )
    links: DeliveryLinks = Field(description="Where to go from here")


class DeliveryList(Model):
    """One page of what was sent to a channel, newest first."""

    items: list[DeliveryBody] = Field(description="The deliveries")
    links: PageLinks = Field(description="This page and the next")


def channel_path(project: str, channel_id: int | None = None) -> str:
    """Return the API's path of a channel, or of all channels of a project."""
    path = f"{project_path(project)}/channels"
    return path if channel_id is None else f"{path}/{channel_id}"


def channel_body(user: User, channel: Channel) -> ChannelBody:
    """Return a channel as the user may see it."""
    return ChannelBody(**_fields(user, channel))


def new_channel_body(user: User, channel: Channel, secret: str | None) -> NewChannelBody:
    """Return a channel that was just made, with the key of its signatures."""
    return NewChannelBody(**_fields(user, channel), secret=secret)


def _fields(user: User, channel: Channel) -> dict[str, object]:
    path = channel_path(channel.project.name, channel.id)
    return {
        "id": channel.id,
        "kind": channel.kind,
        "target": services.shown_target(user, channel),
        "events": channel.events,
        "created_by": channel.created_by,
        "created_at": channel.created_at,
        "links": ChannelLinks(
            self_=path,
            test=f"{path}/test",
            deliveries=f"{path}/deliveries",
            project=project_path(channel.project.name),
        ),
    }


def delivery_body(project: str, channel_id: int, delivery: Delivery) -> DeliveryBody:
    """Return a delivery as the API shows it."""
    path = channel_path(project, channel_id)
    return DeliveryBody(
        id=delivery.id,
        event=delivery.event,
        state=delivery.state,
        attempts=delivery.attempts,
        error=delivery.error,
        next_try_at=delivery.next_try_at if delivery.state == "waiting" else None,
        created_at=delivery.created_at,
        delivered_at=delivery.delivered_at,
        links=DeliveryLinks(channel=path, deliveries=f"{path}/deliveries"),
    )
