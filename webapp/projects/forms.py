"""The forms of a project's pages."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from webapp.pages.forms import Form, Keys, Rows, Texts, lines
from webapp.projects.schemas import PRESETS, ProjectSettings


class ProjectForm(Form):
    """What a project is created with and changed to."""

    labels: ClassVar[Texts] = {
        "name": "Name",
        "description": "Description",
        "size": "Size",
        "quota": "Size",
        "quota.cpu": "CPU",
        "quota.memory": "Memory",
        "quota.storage": "Storage",
        "quota.pods": "Pods",
        "members": "Members",
        "members.*.user": "User",
        "members.*.role": "Role",
        "podSecurity": "Pod security level",
        "egressCidrs": "Addresses outside the cluster",
        "expiresAt": "Expires",
    }
    patterns: ClassVar[Texts] = {
        "members.*.user": "This cannot be a user's name: use lower-case letters, digits and . _ - @."
    }
    new_rows: ClassVar[Rows] = {"members": {"user": "", "role": "developer"}}
    row_keys: ClassVar[Keys] = {"members": ("user",)}

    @classmethod
    def fresh(cls) -> "ProjectForm":
        """Return the form of a new project, with the model's own defaults."""
        return cls.stored(ProjectSettings().model_dump(mode="json"))

    @classmethod
    def stored(cls, spec: dict[str, Any]) -> "ProjectForm":
        """Return the form of a project with this stored specification."""
        form = cls(spec)
        form.values["egressCidrs"] = "\n".join(spec.get("egressCidrs", []))
        fitting = (key for key, quota in PRESETS.items() if quota.model_dump(mode="json") == spec["quota"])
        form.values["size"] = next(fitting, "own")
        form.values["expiresAt"] = (spec.get("expiresAt") or "")[:10]
        return form

    def body(self, stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the values in the shape of the API's body; a size stands for its limits.

        `stored`: the project's specification, whose parts that the form does not show stay.
        """
        body = dict(self.values)
        size = body.pop("size", "own")
        if size in PRESETS:
            body["quota"] = PRESETS[size].model_dump(mode="json")
        elif size != "own":
            self.add_error("size", "Choose one of the sizes.")
        body["egressCidrs"] = lines(self.value("egressCidrs"))
        body["expiresAt"] = self._expiry((stored or {}).get("expiresAt"))
        if stored is not None:
            body["members"] = stored.get("members", [])
        return body

    def take(self, name: str) -> str:
        """Remove a field that is not one of the settings, and return it."""
        return str(self.values.pop(name, ""))

    def _expiry(self, stored: str | None) -> str | None:
        """Return the end of the day that was entered; the stored moment where that is on this day."""
        day = self.value("expiresAt").strip()
        if not day:
            return None
        if stored is not None and stored.startswith(day):
            return stored
        try:
            date.fromisoformat(day)
        except ValueError:
            self.add_error("expiresAt", "Write a date, like 2027-01-31.")
            return None
        return f"{day}T23:59:59Z"


class DeleteForm(Form):
    """The typed confirmation of a deletion."""

    labels: ClassVar[Texts] = {"confirm": "Name"}

    def confirms(self, name: str) -> bool:
        """Tell whether the name was typed; if not, say so at the field."""
        typed = self.value("confirm").strip()
        if typed == name:
            return True
        wrong = "This is not the name: type" if typed else "Type"
        self.add_error("confirm", f"{wrong} '{name}' to confirm.")
        return False
