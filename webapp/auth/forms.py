"""The sign-in form."""

from typing import ClassVar

from webapp.pages.forms import Form, Texts


class SignInForm(Form):
    """Name and password."""

    labels: ClassVar[Texts] = {"name": "Name", "password": "Password"}
