"""What users send about their own account."""

from pydantic import Field

from webapp.account.responses import Scope
from webapp.auth.api_tokens import MAX_DAYS
from webapp.schemas import Model, Verbatim


class AccountChanges(Model):
    """What to change of the account."""

    email: str | None = Field(
        max_length=254, description="E-mail address; null for none", examples=["ada@example.org"]
    )


class PasswordChange(Model):
    """A new password."""

    current_password: Verbatim = Field(
        min_length=1, max_length=256, description="The present one", examples=["correct horse battery staple"]
    )
    new_password: Verbatim = Field(
        min_length=12, max_length=256, description="The new one", examples=["every good boy deserves fudge"]
    )


class NewToken(Model):
    """A personal API token to make."""

    name: str = Field(min_length=1, max_length=64, description="What it is for", examples=["backup script"])
    scope: Scope = Field("read", description="read: look at all; write: change as well", examples=["read"])
    expires_in_days: int = Field(
        90, ge=1, le=MAX_DAYS, description="For how many days it works", examples=[90]
    )
