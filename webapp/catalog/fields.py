"""The form of a catalog entry, made from its JSON Schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.catalog.entries import Entry


@dataclass(frozen=True)
class FormField:
    """One field. `kind`: text, password, number, check, select or lines (a list of texts)."""

    name: str
    label: str
    hint: str
    kind: str
    required: bool
    options: tuple[tuple[str, str], ...] = ()


def fields_of(entry: Entry) -> list[FormField]:
    """Return the fields for the values that members may set, in the schema's order.

    A value whose type no field can hold (an object, a list of objects) is left out: it keeps its default.
    """
    required = set(entry.schema["required"])
    found = []
    for name, schema in entry.schema["properties"].items():
        resolved = _resolve(entry.schema, schema)
        kind = _kind(resolved)
        if kind is None:
            continue
        found.append(
            FormField(
                name=f"values.{name}",
                label=resolved.get("title") or name,
                hint=resolved.get("description", ""),
                kind=kind,
                required=name in required and kind != "check",
                options=tuple((str(item), str(item)) for item in resolved.get("enum", ())),
            )
        )
    return found


def titles(entry: Entry) -> dict[str, str]:
    """Return what the values are called, by their names."""
    fields = entry.schema["properties"].items()
    return {name: _resolve(entry.schema, field).get("title") or name for name, field in fields}


def read(entry: Entry, posted: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what a browser sent (texts) into values of the types that the schema asks for.

    What cannot be turned stays as it is, so that the schema's own check names it. A field that was left
    empty is left out.
    """
    values: dict[str, Any] = {}
    for field in fields_of(entry):
        name = field.name.removeprefix("values.")
        text = posted.get(name, "")
        if field.kind == "check":
            values[name] = bool(text)
        elif field.kind == "lines":
            values[name] = [line.strip() for line in str(text).splitlines() if line.strip()]
        elif str(text).strip() == "":
            continue
        elif field.kind == "number":
            values[name] = _number(str(text).strip())
        else:
            values[name] = text
    return values


def _number(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _resolve(schema: Mapping[str, Any], field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field's schema with what it refers to (one `$ref` into `$defs`) put beneath its own."""
    reference = field.get("$ref", "")
    target = schema.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {}) if reference else {}
    return {**target, **field}


def _kind(schema: Mapping[str, Any]) -> str | None:
    if "enum" in schema:
        return "select"
    match schema.get("type"):
        case "string":
            return "password" if schema.get("writeOnly") or schema.get("format") == "password" else "text"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "check"
        case "array" if schema.get("items", {}).get("type") == "string":
            return "lines"
    return None
