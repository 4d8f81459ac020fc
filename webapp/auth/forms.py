"""The forms to sign in and to register."""

from typing import ClassVar

from webapp.pages.forms import Form, Texts


class SignInForm(Form):
    """Name and password."""

    labels: ClassVar[Texts] = {"name": "Name", "password": "Password"}


class RegisterForm(Form):
    """An account of one's own."""

    labels: ClassVar[Texts] = {
        "name": "Name",
        "email": "E-mail address",
        "password": "Password",
        "again": "The password once more",
    }
