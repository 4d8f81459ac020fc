"""What a change changed, field by field, with nothing secret in it."""

from collections.abc import Iterator, Mapping
from typing import Any

MASK = "••••••"
# Lists of named secrets, and fields that hold one.
SECRET_LISTS = frozenset({"secrets"})
SECRET_FIELDS = frozenset({"key", "password", "secret", "token"})
MAX_CHANGES = 200
MAX_TEXT = 500


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return what differs: {"field": "resources.limits.cpu", "before": "1", "after": "2"} each.

    A field that is on one side alone has None on the other. Lists of named things (variables, ports, members)
    are compared by name, others as a whole. Values of secrets are masked; a changed one still shows as a
    change ("replaced").
    """
    old, new = dict(_flatten(before or {})), dict(_flatten(after or {}))
    found = []
    for field in [*old, *(name for name in new if name not in old)]:
        one, other = old.get(field), new.get(field)
        if one == other:
            continue
        if _is_secret(field):
            one, other = (MASK if one is not None else None), (f"{MASK} replaced" if one and other else MASK)
            other = other if new.get(field) is not None else None
        found.append({"field": field, "before": _short(one), "after": _short(other)})
    return found[:MAX_CHANGES]


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if value:
            for key, item in value.items():
                yield from _flatten(item, f"{path}.{key}" if path else str(key))
        elif path:
            yield path, {}
    elif isinstance(value, list) and value and all(_name(item) is not None for item in value):
        for item in value:
            rest = {key: inner for key, inner in item.items() if key not in ("name", "user")}
            # A name alone (a secret without its value) still has to show.
            yield from _flatten(rest or True, f"{path}.{_name(item)}")
    elif value not in (None, [], ""):
        yield path, value


def _name(item: Any) -> str | None:
    return (item.get("name") or item.get("user")) if isinstance(item, Mapping) else None


def _is_secret(field: str) -> bool:
    parts = field.split(".")
    return parts[0] in SECRET_LISTS or parts[-1] in SECRET_FIELDS


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= MAX_TEXT:
        return value
    return f"{value[: MAX_TEXT - 1]}…"
