"""Versions as entity tags, so that two editors do not overwrite each other (RFC 9110, section 13.1.1)."""

from collections.abc import Collection
from typing import TypeAlias

from flask import Response, request
from pydantic import ConfigDict, Field

from webapp.problems import Problem
from webapp.schemas import Model

# The versions that a change may be based on; None for "whatever it is now".
Versions: TypeAlias = Collection[int] | None


class IfMatch(Model):
    """The version that the change is based on."""

    model_config = ConfigDict(extra="ignore")

    if_match: str | None = Field(
        None,
        alias="If-Match",
        max_length=200,
        description="The ETag that you have seen: when it is another one by now, nothing is changed",
        examples=['"3"'],
    )


def etag(version: int) -> str:
    """Return the entity tag of a version: "3" with its quotes."""
    return f'"{version}"'


def tagged(response: Response, version: int) -> Response:
    """Return the response with the version of what it shows as its ETag."""
    response.headers["ETag"] = etag(version)
    return response


def if_match() -> Versions:
    """Return the versions that the request's If-Match names; None without one, and for `*`."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    tags = request.if_match.as_set(include_weak=False)
    # What is no number is the tag of no version, so it fits none.
    return {int(tag) for tag in tags if tag.isascii() and tag.isdecimal() and len(tag) < 10}


def version_of(text: str) -> Versions:
    """Return the version that a form's hidden field names; no condition when it is not a number."""
    return {int(text)} if text.isascii() and text.isdecimal() and len(text) < 10 else None


def check(versions: Versions, current: int, what: str, changes: str = "") -> None:
    """Raise Problem version-conflict unless `current` is among `versions`.

    `what` names the thing ("Application 'web'"); `changes` is a sentence that says who changed what since.
    """
    if versions is None or current in versions:
        return
    detail = f"{what} is at version {current} now, not the one that your change is based on."
    advice = "Look at it again, then send your change with its present version."
    raise Problem(
        "version-conflict", " ".join(filter(None, (detail, changes, advice))), headers={"ETag": etag(current)}
    )
