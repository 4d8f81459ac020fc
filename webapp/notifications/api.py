"""/api/v1/projects/<project>/channels"""

from flask import Response
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.links import ListQuery, PageLinks, page_addresses, project_path
from webapp.notifications import responses, services
from webapp.notifications.responses import channel_path
from webapp.notifications.schemas import ChannelChanges, NewChannel
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model

api = api_blueprint(
    "notifications_api",
    __name__,
    "/projects/<project>/channels",
    "notifications",
    "Where a project's news go: webhooks and e-mail",
)
_PROBLEMS = ("project-not-found", "role-too-low")
_ONE = (*_PROBLEMS, "channel-not-found", "validation-failed")


class ProjectPath(Model):
    """Which project."""

    project: str = Field(description="Name of the project", examples=["shop"])


class ChannelPath(ProjectPath):
    """Which channel."""

    channel: int = Field(ge=1, le=2**31 - 1, description="Number of the channel", examples=[7])


@api.get("", operation_id="listChannels", responses=answers({200: responses.ChannelList}, *_PROBLEMS))
def list_channels(path: ProjectPath) -> Response:
    """List the project's channels"""
    project, found = services.list_for(current_user, path.project)
    links = responses.ChannelListLinks(self_=channel_path(project.name), project=project_path(project.name))
    items = [responses.channel_body(current_user, channel) for channel in found]
    return reply(responses.ChannelList(items=items, links=links))


@api.post(
    "",
    operation_id="createChannel",
    responses=answers({201: responses.NewChannelBody}, *_PROBLEMS, "state-conflict", body=True),
)
def create_channel(path: ProjectPath, body: NewChannel) -> Response:
    """Add a channel

    A webhook gets each message as a POST with a JSON body, signed as Standard Webhooks says: the headers
    webhook-id, webhook-timestamp and webhook-signature. It has been delivered when the answer is a 2xx; else
    it is tried again with growing waits, with the same webhook-id. Redirects are not followed, and addresses
    inside of the platform are refused.
    """
    channel, secret = services.create(current_user, path.project, body)
    return reply(
        responses.new_channel_body(current_user, channel, secret),
        201,
        channel_path(channel.project.name, channel.id),
    )


@api.get("/<channel>", operation_id="getChannel", responses=answers({200: responses.ChannelBody}, *_ONE))
def get_channel(path: ChannelPath) -> Response:
    """Show a channel"""
    channel = services.get_for(current_user, path.project, path.channel)
    return reply(responses.channel_body(current_user, channel))


@api.patch(
    "/<channel>",
    operation_id="changeChannel",
    responses=answers({200: responses.ChannelBody}, *_PROBLEMS, "channel-not-found", body=True),
)
def change_channel(path: ChannelPath, body: ChannelChanges) -> Response:
    """Change where a channel leads, or what it hears of; the key of its signatures stays"""
    channel = services.update(current_user, path.project, path.channel, body)
    return reply(responses.channel_body(current_user, channel))


@api.delete(
    "/<channel>", operation_id="deleteChannel", responses=answers({200: responses.ChannelRemoved}, *_ONE)
)
def delete_channel(path: ChannelPath) -> Response:
    """Remove a channel, with what still waits to be sent to it"""
    services.delete(current_user, path.project, path.channel)
    links = responses.ChannelListLinks(self_=channel_path(path.project), project=project_path(path.project))
    return reply(responses.ChannelRemoved(removed=True, links=links))


@api.post(
    "/<channel>/test",
    operation_id="testChannel",
    responses=answers({202: responses.DeliveryBody}, *_ONE, "state-conflict"),
)
def test_channel(path: ChannelPath) -> Response:
    """Send a message that shows that the channel works; follow links.deliveries"""
    delivery = services.test(current_user, path.project, path.channel)
    location = f"{channel_path(path.project, path.channel)}/deliveries"
    return reply(responses.delivery_body(path.project, path.channel, delivery), 202, location)


@api.get(
    "/<channel>/deliveries",
    operation_id="listDeliveries",
    responses=answers({200: responses.DeliveryList}, *_ONE),
)
def list_deliveries(path: ChannelPath, query: ListQuery) -> Response:
    """List what was sent to a channel in the last 30 days, newest first"""
    page = services.deliveries(
        current_user, path.project, path.channel, cursor=query.cursor, limit=query.limit
    )
    address = f"{channel_path(path.project, path.channel)}/deliveries"
    here, following = page_addresses(address, query, page.next_cursor)
    items = [responses.delivery_body(path.project, path.channel, item) for item in page.deliveries]
    return reply(responses.DeliveryList(items=items, links=PageLinks(self_=here, next=following)))
