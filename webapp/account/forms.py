"""Forms of the user's own account."""

from typing import ClassVar

from webapp.pages.forms import Form, Texts


class EmailForm(Form):
    """The e-mail address."""

    labels: ClassVar[Texts] = {"email": "E-mail address"}


class PasswordForm(Form):
    """A new password."""

    labels: ClassVar[Texts] = {
        "currentPassword": "Present password",
        "newPassword": "New password",
        "again": "The new password once more",
    }


class TokenForm(Form):
    """A personal API token."""

    labels: ClassVar[Texts] = {
        "name": "What it is for",
        "scope": "It may",
        "expiresInDays": "Works for (days)",
    }
