"""Values of a catalog entry: what members send, checked by the chart's own schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from webapp.applications.schemas import Secret
from webapp.catalog.entries import Entry
from webapp.catalog.schemas import CatalogSettings
from webapp.problems import FieldError, Problem


def complete(
    entry: Entry, settings: CatalogSettings, stored: Sequence[Secret] = ()
) -> tuple[dict[str, Any], list[Secret]]:
    """Return all values that members may set (what is given, else the entry's defaults), and the secret ones.

    A secret that is left out, or has no value, keeps the one in `stored`. Raises Problem validation-failed
    with the fields at fault, each below `values`.
    """
    secrets = {
        secret.name: secret.value for secret in stored if secret.value and secret.name in entry.secrets
    }
    secrets |= {secret.name: secret.value for secret in settings.secrets if secret.value}
    given = {name: value for name, value in settings.values.items() if name not in entry.secrets or value}
    values = {name: value for name, value in entry.defaults.items() if name not in entry.secrets}
    values |= {**secrets, **given}
    errors = [
        _field_error(error, entry)
        for error in sorted(
            Draft202012Validator(entry.schema).iter_errors(values), key=lambda item: item.path
        )
    ]
    if errors:
        raise Problem("validation-failed", " ".join(error.message for error in errors[:5]), errors=errors)
    apart = [Secret(name=name, value=values.pop(name)) for name in sorted(entry.secrets & set(values))]
    return values, apart


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
