"""Values on their way between Ansible's variables and the plugins."""

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
