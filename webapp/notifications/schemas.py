"""What users send about channels."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from webapp.notifications.models import EVENTS, Event, Kind
from webapp.schemas import Spec

# One address, plain enough that no mail server reads it as several.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_WORD = re.compile(r"[!-~]+")

Target = Annotated[str, Field(min_length=3, max_length=500)]
_TARGET = "An address like https://example.org/hook, or an e-mail address"


def _once(events: list[Event]) -> list[Event]:
    twice = next((event for event in events if events.count(event) > 1), None)
    if twice is not None:
        raise ValueError(f"the event '{twice}' is given twice")
    return events


Events = Annotated[list[Event], Field(min_length=1, max_length=len(EVENTS)), AfterValidator(_once)]
_EVENTS = f"What it hears of, from {', '.join(EVENTS)}"


def check_target(kind: str, target: str) -> None:
    """Raise ValueError when the target is not one of its kind."""
    if kind == "email":
        if not _EMAIL.fullmatch(target) or len(target) > 254:
            raise ValueError(f"'{target}' is not an e-mail address; write it like ada@example.org")
        return
    try:
        parts = urlsplit(target)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or not _WORD.fullmatch(target):
        raise ValueError(f"'{target}' is not an address; write it like https://example.org/hook")
    if parts.username is not None or parts.fragment:
        raise ValueError("the address may hold neither a user's name nor a part after #")


class NewChannel(Spec):
    """A receiver of a project's news."""

    kind: Kind = Field(description="webhook or email", examples=["webhook"])
    target: Target = Field(description=_TARGET, examples=["https://example.org/hook"])
    events: Events = Field(description=_EVENTS, examples=[["job.failed"]])

    @field_validator("target")
    @classmethod
    def fits_kind(cls, target: str, info: ValidationInfo) -> str:
        """Raise ValueError for a target that does not fit the kind."""
        if "kind" in info.data:
            check_target(info.data["kind"], target)
        return target


class ChannelChanges(Spec):
    """Settings of a channel to change; the others stay. Its kind cannot be changed."""

    target: Target | None = Field(None, description=_TARGET, examples=["https://example.org/hook"])
    events: Events | None = Field(None, description=_EVENTS, examples=[["job.failed"]])
