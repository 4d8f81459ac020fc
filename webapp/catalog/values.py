"""Values of a catalog entry: what members send, checked by the chart's own schema."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from webapp.catalog.entries import Entry
from webapp.problems import FieldError, Problem


def complete(
    entry: Entry, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return all values that members may set: what is given, else the entry's defaults.

    A secret that is left out, null or empty keeps its value in `stored`. Raises Problem validation-failed
    with the fields at fault, each below `values`.
    """
    values = {name: value for name, value in entry.defaults.items() if name not in entry.secrets}
    values |= {name: value for name, value in given.items() if name not in entry.secrets or value}
    for name in entry.secrets:
        if name not in values and name in (stored or {}):
            values[name] = (stored or {})[name]
    errors = [
        _field_error(error, entry)
        for error in sorted(
            Draft202012Validator(entry.schema).iter_errors(values), key=lambda item: item.path
        )
    ]
    if errors:
        raise Problem("validation-failed", " ".join(error.message for error in errors[:5]), errors=errors)
    return values


def shown(entry: Entry, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as members may see them: without the secret ones."""
    return {name: value for name, value in values.items() if name not in entry.secrets}


def for_chart(
    entry: Entry, values: Mapping[str, Any], *, stopped: bool = False, restarted_at: str = "", salt: str = ""
) -> dict[str, Any]:
    """Return the values to release the chart with: the members', the operator's and Croft's own."""
    own = {"stopped": stopped, "restartedAt": restarted_at, "secretsSalt": salt}
    return {**values, **entry.fixed, **own}


def _field_error(error: ValidationError, entry: Entry) -> FieldError:
    path = [str(part) for part in error.absolute_path]
    instance: Any = error.instance
    rule: Any = error.validator_value
    below: Any = error.schema
    if error.validator == "required":
        missing = next(name for name in rule if name not in instance)
        return FieldError(".".join(["values", *path, missing]), f"'{missing}' has to be given.")
    if error.validator == "additionalProperties":
        allowed = ", ".join(entry.schema["properties"])
        unknown = sorted(set(instance) - set(below.get("properties", {})))
        return FieldError(
            ".".join(["values", *path, unknown[0]]),
            f"'{unknown[0]}' is no value of {entry.title}; there are {allowed}.",
        )
    field = ".".join(["values", *path])
    # The library's own sentence repeats the value, which may be a secret.
    if path and path[0] in entry.secrets:
        hint = entry.schema["properties"][path[0]].get("description", "it is not valid")
        return FieldError(field, f"'{path[0]}' cannot be used: {hint}.")
    return FieldError(field, f"{error.message[:1].upper()}{error.message[1:]}.")
