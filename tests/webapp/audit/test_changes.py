"""What differs between two versions of something, with nothing secret in it."""

import json

from webapp.audit.changes import MASK, MAX_CHANGES, MAX_TEXT, diff


def changed(
    before: dict[str, object] | None, after: dict[str, object] | None
) -> dict[str, tuple[object, object]]:
    return {item["field"]: (item["before"], item["after"]) for item in diff(before, after)}


def test_only_what_differs_is_told_field_by_field() -> None:
    before = {"image": "a", "replicas": 1, "resources": {"limits": {"cpu": "1"}}}
    after = {"image": "b", "replicas": 1, "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    assert changed(before, after) == {"image": ("a", "b"), "resources.limits.memory": (None, "1Gi")}
    assert diff(before, before) == []


def test_creation_and_removal_have_one_side() -> None:
    assert changed(None, {"name": "web", "env": []}) == {"name": (None, "web")}
    assert changed({"name": "web"}, None) == {"name": ("web", None)}


def test_named_things_are_compared_by_name() -> None:
    before = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    after = {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "3"}]}
    assert changed(before, after) == {"env.A.value": ("1", "3")}


def test_secrets_are_masked_and_still_show_as_changed() -> None:
    before = {"secrets": [{"name": "KEY", "value": "old-secret"}], "smtp": {"password": "old-secret"}}
    after = {"secrets": [{"name": "KEY", "value": "new-secret"}], "smtp": {"password": "new-secret"}}
    found = diff(before, after)
    assert {item["field"] for item in found} == {"secrets.KEY.value", "smtp.password"}
    assert all(item["before"] == MASK and item["after"] == f"{MASK} replaced" for item in found)
    text = json.dumps(diff(before, after) + diff(before, None) + diff(None, after))
    assert "-secret" not in text
    assert changed(before, None)["smtp.password"] == (MASK, None)
    assert changed(None, after)["smtp.password"] == (None, MASK)


def test_entries_are_bounded() -> None:
    assert len(diff(None, {str(number): "x" for number in range(MAX_CHANGES + 50)})) == MAX_CHANGES
    assert len(diff(None, {"description": "x" * 10_000})[0]["after"]) == MAX_TEXT
