"""Forms of administrators about users."""

from typing import Any, ClassVar

from webapp.pages.forms import Form, Texts


class UserForm(Form):
    """A user's settings."""

    labels: ClassVar[Texts] = {
        "name": "Name",
        "email": "E-mail address",
        "password": "Password",
        "isAdmin": "Administrator",
        "isActive": "May sign in",
        "confirm": "Name of the user",
    }

    def new_user(self) -> dict[str, Any]:
        """Return the body of a request for a new user."""
        return {
            "name": self.value("name"),
            "email": self.value("email").strip() or None,
            "isAdmin": bool(self.value("isAdmin")),
            "password": self.value("password") or None,
        }

    def changes(self) -> dict[str, Any]:
        """Return the body of a request that changes a user."""
        return {
            "email": self.value("email").strip() or None,
            "isAdmin": bool(self.value("isAdmin")),
            "isActive": bool(self.value("isActive")),
        }
