"""What a release changes, object by object, told without secrets."""

import base64
import gzip
import json
from typing import Any

import yaml

from webapp.audit.changes import MASK, diff

MAX_TOLD = 30
_SECRET_PARTS = ("data", "stringData")
Json = dict[str, Any]


def changes_between(before: str, after: str) -> list[Json]:
    """Return what differs between two manifests: {kind, name, action, changes, before, after} by object.

    `action` is created, changed or removed; `changes` has the fields of a changed one, each with its values
    before and after; `before` and `after` are the objects themselves, None where there is none. Nothing in
    it is the value of a Secret.
    """
    old, new = _objects(before), _objects(after)
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        one, other = old.get(key), new.get(key)
        if one == other:
            continue
        action = "created" if one is None else "removed" if other is None else "changed"
        found.append(
            {
                "kind": key[0],
                "name": key[1],
                "action": action,
                "changes": _fields(one, other) if one and other else [],
                "before": _masked(one, None),
                "after": _masked(other, one),
            }
        )
    return found


def sentences(changes: list[Json]) -> list[str]:
    """Return a line for each change, for who is waiting."""
    verbs = {"created": "creates", "changed": "changes", "removed": "removes"}
    lines = []
    for item in changes[:MAX_TOLD]:
        fields = [change["field"] for change in item["changes"]]
        more = f": {', '.join(fields[:6])}{' …' if len(fields) > 6 else ''}" if fields else ""
        lines.append(f"{verbs[item['action']]} {item['kind']} {item['name']}{more}")
    if len(changes) > MAX_TOLD:
        lines.append(f"and {len(changes) - MAX_TOLD} more objects")
    return lines


def summary(changes: list[Json]) -> list[Json]:
    """Return the changes without the objects themselves, for a job's result."""
    return [{key: item[key] for key in ("kind", "name", "action", "changes")} for item in changes]


def ansible_diff(changes: list[Json]) -> list[Json]:
    """Return the changes as Ansible's --diff shows them."""
    return [
        {
            "before_header": f"{item['kind']} {item['name']} as it is released",
            "after_header": f"{item['kind']} {item['name']} as it would be",
            **{side: _text(item[side]) for side in ("before", "after")},
        }
        for item in changes
    ]


def unpack(secret: Json) -> Json:
    """Return the release that a Secret of Helm's holds.

    Format: https://github.com/helm/helm/blob/main/pkg/storage/driver/util.go (base64 of gzipped JSON).
    """
    release: Json = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    return release


def pack(release: Json) -> str:
    """Return the release as the field `data.release` of a Secret of Helm's."""
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    return base64.b64encode(packed).decode()


def _objects(manifest: str) -> dict[tuple[str, str], Json]:
    documents = (item for item in yaml.load_all(manifest, Loader=yaml.CSafeLoader) if item)
    return {(item["kind"], item["metadata"]["name"]): item for item in documents}


def _fields(before: Json, after: Json) -> list[Json]:
    found = diff(before, after)
    if before["kind"] == "Secret":
        for item in found:
            if item["field"].split(".")[0] in _SECRET_PARTS:
                item["before"] = None if item["before"] is None else MASK
                both = item["before"] is not None
                item["after"] = None if item["after"] is None else f"{MASK} replaced" if both else MASK
    return found


def _masked(item: Json | None, before: Json | None) -> Json | None:
    """Return the object with every secret value replaced by a mark, which differs where the value does."""
    if item is None or item["kind"] != "Secret":
        return item
    masked = dict(item)
    for part in _SECRET_PARTS:
        if part in item:
            old = ((before or {}).get(part) or {}) if before else {}
            masked[part] = {
                name: f"{MASK} replaced" if name in old and old[name] != value else MASK
                for name, value in (item[part] or {}).items()
            }
    return masked


def _text(item: Json | None) -> str:
    return "" if item is None else yaml.safe_dump(item, sort_keys=False, allow_unicode=True)
