"""Values on their way between Ansible's variables and the plugins."""

import re
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` rebuilt from plain dict, list, str, int, float, bool and None.

    Ansible hands over subclasses that resolve templates lazily and carry tags (where a text came from,
    whether it may be a template); json and yaml must see the finished, inert data.
    """
    if isinstance(value, Mapping):
        return {str.__str__(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    return value


def read_variable(variables: Mapping[str, Any], name: str) -> Any:
    """Return the variable `name` as it stands, never resolving templates in it. Raises KeyError."""
    if not re.fullmatch(r"__[a-z][a-z_]*", name):
        raise KeyError(f"'{name}' is not an internal variable (two underscores, lower-case letters)")
    return variables[name]
