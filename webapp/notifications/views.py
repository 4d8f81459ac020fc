"""Pages of a project's notifications."""

from typing import TypeAlias

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.sessions import current_user, login_required
from webapp.notifications import services
from webapp.notifications.forms import EVENT_WORDS, ChannelForm
from webapp.notifications.models import TEST, Channel
from webapp.notifications.schemas import ChannelChanges, NewChannel
from webapp.problems import Problem
from webapp.projects.access import role_of

pages = Blueprint("notifications", __name__)

Answer: TypeAlias = Response | str | tuple[str, int]
# Deliveries that the page shows of each channel.
RECENT = 5


@pages.get("/projects/<project>/notifications")
@login_required
def index(project: str) -> str:
    """Show the project's channels, and how the last messages fared."""
    return _page(project)


@pages.route("/projects/<project>/notifications/new", methods=["GET", "POST"])
@login_required
def new(project: str) -> Answer:
    """Show the form of a new channel, or make it and show the key of its signatures, this once."""
    found = services.list_for(current_user, project)[0]
    if request.method == "GET":
        return _form_page(project, ChannelForm.fresh(), None)
    form = ChannelForm.sent(request.form)
    body = form.check(NewChannel, form.body())
    if body and not form.errors:
        try:
            channel, secret = services.create(current_user, found.name, body)
            if secret is None:
                return redirect(url_for("notifications.index", project=project), code=303)
            return _page(project, made=channel, secret=secret)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(project, form, None), 422


@pages.route("/projects/<project>/notifications/<int:channel_id>/edit", methods=["GET", "POST"])
@login_required
def edit(project: str, channel_id: int) -> Answer:
    """Show the form of a channel, or change it."""
    channel = services.get_for(current_user, project, channel_id)
    if request.method == "GET":
        values = {"kind": channel.kind, "target": channel.target, "chosen": channel.events}
        if role_of(current_user, channel.project) != "owner":
            raise Problem("role-too-low", "Only owners of the project may change its channels.")
        return _form_page(project, ChannelForm(values), channel)
    form = ChannelForm.sent(request.form)
    form.values["kind"] = channel.kind
    body = form.body()
    changes = form.check(ChannelChanges, {"target": body["target"], "events": body["events"] or None})
    if changes and not form.errors:
        try:
            services.update(current_user, project, channel_id, changes)
            return redirect(url_for("notifications.index", project=project), code=303)
        except Problem as problem:
            form.add_problem(problem)
    return _form_page(project, form, services.get_for(current_user, project, channel_id)), 422


@pages.post("/projects/<project>/notifications/<int:channel_id>/test")
@login_required
def test(project: str, channel_id: int) -> Answer:
    """Send a message that shows that the channel works."""
    try:
        services.test(current_user, project, channel_id)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return _page(project, trouble=problem.detail), problem.status
    return redirect(f"{url_for('notifications.index', project=project)}#channel-{channel_id}", code=303)


@pages.post("/projects/<project>/notifications/<int:channel_id>/delete")
@login_required
def delete(project: str, channel_id: int) -> Response:
    """Remove a channel."""
    services.delete(current_user, project, channel_id)
    return redirect(url_for("notifications.index", project=project), code=303)


def _page(
    project: str, *, made: Channel | None = None, secret: str | None = None, trouble: str | None = None
) -> str:
    found, channels = services.list_for(current_user, project)
    return render_template(
        "notifications/index.html",
        section="projects",
        project=found,
        owner=role_of(current_user, found) == "owner",
        channels=[
            {
                "channel": channel,
                "target": services.shown_target(current_user, channel),
                "deliveries": services.deliveries(current_user, project, channel.id, limit=RECENT).deliveries,
            }
            for channel in channels
        ],
        words={**EVENT_WORDS, TEST: "A test"},
        made=made,
        secret=secret,
        trouble=trouble,
    )


def _form_page(project: str, form: ChannelForm, channel: Channel | None) -> str:
    found, _channels = services.list_for(current_user, project)
    if role_of(current_user, found) != "owner":
        raise Problem("role-too-low", "Only owners of the project may change its channels.")
    return render_template(
        "notifications/form.html",
        section="projects",
        project=found,
        form=form,
        channel=channel,
        email_possible=services.email_possible(),
    )
