"""Users in requests and answers of the API."""

from datetime import datetime

from pydantic import Field

from webapp.auth.models import User
from webapp.links import API, PageLinks
from webapp.schemas import Model, Verbatim

_EMAIL = "E-mail address; null for none"


class NewUser(Model):
    """A user to make."""

    name: str = Field(
        min_length=1,
        max_length=64,
        description="Lower-case letters, digits and . _ - @; never changes",
        examples=["grace"],
    )
    email: str | None = Field(None, max_length=254, description=_EMAIL, examples=["grace@example.org"])
    is_admin: bool = Field(False, description="Whether the user may see and do everything", examples=[False])
    password: Verbatim | None = Field(
        None,
        min_length=12,
        max_length=256,
        description="Left out, one is generated, which must be changed at the first sign-in",
        examples=["correct horse battery staple"],
    )


class UserChanges(Model):
    """What to change of a user; what is left out stays."""

    email: str | None = Field(None, max_length=254, description=_EMAIL, examples=["grace@example.org"])
    is_admin: bool = Field(False, description="Whether the user may see and do everything", examples=[False])
    is_active: bool = Field(
        True, description="Whether the user may sign in; false ends sessions and API tokens", examples=[True]
    )


class PasswordReset(Model):
    """A password for a user who has lost theirs."""

    password: Verbatim | None = Field(
        None,
        min_length=12,
        max_length=256,
        description="Left out, one is generated; either must be changed at the next sign-in",
        examples=["correct horse battery staple"],
    )


class UserLinks(Model):
    """Where to go from a user."""

    self_: str = Field(alias="self", description="The user", examples=["/api/v1/users/grace"])
    reset_password: str = Field(
        description="Give them a new password with POST", examples=["/api/v1/users/grace/reset-password"]
    )
    audit: str = Field(description="What they did", examples=["/api/v1/audit?user=grace"])


class UserBody(Model):
    """A user."""

    name: str = Field(description="Name", examples=["grace"])
    email: str | None = Field(description=_EMAIL, examples=["grace@example.org"])
    is_admin: bool = Field(description="Whether the user may see and do everything", examples=[False])
    is_active: bool = Field(description="Whether the user may sign in", examples=[True])
    has_password: bool = Field(description="False: through single sign-on alone", examples=[True])
    must_change_password: bool = Field(
        description="Whether the password was made by somebody else", examples=[False]
    )
    created_at: datetime = Field(description="When the account was made", examples=["2026-01-31T12:00:00Z"])
    last_sign_in_at: datetime | None = Field(
        description="The last sign-in; null before the first", examples=["2026-02-01T08:00:00Z"]
    )
    links: UserLinks = Field(description="Where to go from here")


class UserWithPassword(UserBody):
    """A user whose password was set."""

    generated_password: str | None = Field(
        description="The password that was generated, shown this once; null when one was given",
        examples=["p0fYwXy7sLwq2mVbN8dA"],
    )


class UserList(Model):
    """One page of users by name."""

    items: list[UserBody] = Field(description="The users")
    links: PageLinks = Field(description="This page and the next")


class UserRemoved(Model):
    """A user that is gone."""

    removed: bool = Field(description="Always true", examples=[True])
    links: dict[str, str] = Field(description="Where the others are", examples=[{"users": "/api/v1/users"}])


def user_path(name: str) -> str:
    """Return the API's path of a user."""
    return f"{API}/users/{name}"


def user_body(user: User) -> UserBody:
    """Return a user as it is answered."""
    return UserBody.model_validate(_fields(user))


def user_with_password(user: User, generated: str | None) -> UserWithPassword:
    """Return a user as it is answered once, with the password that was generated."""
    return UserWithPassword.model_validate(_fields(user) | {"generated_password": generated})


def _fields(user: User) -> dict[str, object]:
    names = (
        "name",
        "email",
        "is_admin",
        "is_active",
        "must_change_password",
        "created_at",
        "last_sign_in_at",
    )
    path = user_path(user.name)
    links = UserLinks(
        self_=path, reset_password=f"{path}/reset-password", audit=f"{API}/audit?user={user.name}"
    )
    found = {name: getattr(user, name) for name in names}
    return found | {"has_password": user.password_hash is not None, "links": links}
