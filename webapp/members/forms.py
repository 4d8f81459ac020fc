"""The forms of the page of members."""

from typing import ClassVar

from webapp.pages.forms import Form, Texts

ROLES = (("developer", "Developer"), ("viewer", "Viewer"), ("owner", "Owner"))
LEAVES = (*ROLES, ("", "No role: leaves the project"))


class MemberForm(Form):
    """Somebody to add."""

    labels: ClassVar[Texts] = {"user": "Name of the user", "role": "Role"}


class TransferForm(Form):
    """Who answers for the project from now on."""

    labels: ClassVar[Texts] = {"owner": "New owner", "previousOwner": "You stay as"}


class KubeconfigForm(Form):
    """How long a kubeconfig is to work."""

    labels: ClassVar[Texts] = {"expiresInHours": "Hours until it stops to work"}
