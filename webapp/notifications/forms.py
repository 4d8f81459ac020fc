"""The form of a channel."""

from typing import Any, ClassVar

from webapp.notifications.models import EVENTS
from webapp.pages.forms import Form, Texts

# What the form says of each event.
EVENT_WORDS = {
    "job.succeeded": "A job has succeeded",
    "job.failed": "A job has failed",
    "job.cancelled": "A job was cancelled",
    "quota_request.decided": "A request for more quota was decided",
    "project.expiring": "The project will be archived soon",
    "alert.firing": "An alert fires",
    "alert.resolved": "An alert is over",
}


class ChannelForm(Form):
    """What a channel is made with and changed to. Each event is a box of its own: `event_<number>`."""

    labels: ClassVar[Texts] = {
        "kind": "Kind",
        "target": "Address",
        "events": "Events",
    }

    @classmethod
    def fresh(cls) -> "ChannelForm":
        """Return the form of a new channel."""
        return cls({"kind": "webhook", "chosen": ["job.failed"]})

    @classmethod
    def sent(cls, fields: Any) -> "ChannelForm":
        """Return the form as the browser sent it; `fields` is the request's MultiDict."""
        values = {name: fields.get(name, "") for name in ("kind", "target")}
        return cls({**values, "chosen": fields.getlist("events")})

    @property
    def chosen(self) -> list[str]:
        """The events whose boxes are ticked."""
        return list(self.values["chosen"])

    def boxes(self) -> list[tuple[str, str, bool]]:
        """Return name, words and state of each box."""
        return [(event, EVENT_WORDS[event], event in self.chosen) for event in EVENTS]

    def body(self) -> dict[str, Any]:
        """Return the values in the shape of the API's body."""
        if not self.chosen:
            self.add_error("events", "Choose at least one.")
        return {"kind": self.value("kind"), "target": self.value("target").strip(), "events": self.chosen}
