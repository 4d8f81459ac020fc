"""The forms of a project's pages."""

from dataclasses import dataclass
from typing import Any, ClassVar

from webapp.pages.forms import Form, Keys, Rows, Texts, lines
from webapp.projects.schemas import ProjectSettings, Quota


@dataclass(frozen=True)
class Preset:
    """A size that the form offers instead of limits of one's own."""

    key: str
    label: str
    quota: Quota


PRESETS = (
    Preset("small", "Small", Quota(cpu="1", memory="1Gi", storage="2Gi", pods=10)),
    Preset("medium", "Medium", Quota()),
    Preset("large", "Large", Quota(cpu="4", memory="8Gi", storage="20Gi", pods=50)),
)


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
        fitting = (preset.key for preset in PRESETS if preset.quota.model_dump(mode="json") == spec["quota"])
        form.values["size"] = next(fitting, "own")
        return form

    def body(self) -> dict[str, Any]:
        """Return the values in the shape of the API's body; a size stands for its limits."""
        body = dict(self.values)
        size = body.pop("size", "own")
        presets = {preset.key: preset for preset in PRESETS}
        if size in presets:
            body["quota"] = presets[size].quota.model_dump(mode="json")
        elif size != "own":
            self.add_error("size", "Choose one of the sizes.")
        body["egressCidrs"] = lines(self.value("egressCidrs"))
        return body


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
