"""The form of an application from the catalog; its fields come from the entry's schema."""

from typing import Any, ClassVar

from webapp.catalog.entries import Entry
from webapp.catalog.fields import FormField, fields_of, read
from webapp.pages.forms import Form, Texts


class CatalogForm(Form):
    """Name and values. `of` gives the class for an entry, which decides what the fields are."""

    labels: ClassVar[Texts] = {"name": "Name"}
    entry: Entry

    @classmethod
    def of(cls, entry: Entry) -> "type[CatalogForm]":
        """Return the form's class for one entry."""
        labels = {"name": "Name", **{field.name: field.label for field in fields_of(entry)}}
        return type("EntryForm", (cls,), {"entry": entry, "labels": labels})

    @property
    def fields(self) -> list[FormField]:
        """The fields of the values, in the schema's order."""
        return fields_of(self.entry)

    @classmethod
    def stored(cls, values: dict[str, Any]) -> "CatalogForm":
        """Return the form with these values, the secret ones left empty."""
        shown = {name: value for name, value in values.items() if name not in cls.entry.secrets}
        return cls({"values": {name: _text(value) for name, value in shown.items()}})

    def chosen(self) -> dict[str, Any]:
        """Return the values in the types that the schema asks for."""
        posted = self.values.get("values")
        return read(self.entry, posted if isinstance(posted, dict) else {})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
