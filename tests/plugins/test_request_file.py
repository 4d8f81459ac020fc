"""plugins/module_utils/request_file.py: what a user wrote, read without being believed."""

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils.request_file import RequestError, read_request
from plugins.module_utils.results import plain

WEB: dict[str, Any] = {
    "project": "shop",
    "name": "web",
    "image": "web:1",
    "ports": [{"targetPort": 80}],
    "secrets": [{"name": "KEY", "value": "hunter2hunter2"}],
}


def write(folder: Path, content: Any, name: str = "request.json") -> str:
    """Write a request file and return its path."""
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    by_yaml = read_request(write(tmp_path, json.dumps({"application": WEB}), "request.yml"), "application")
    assert by_yaml == read_request(write(tmp_path, {"application": WEB}), "application")
    assert by_yaml["resources"]["limits"]["memory"] == "256Mi"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"project": WEB}, "has to hold one entry 'application'"),
        ({"application": WEB, "ansible_connection": "ssh"}, "has to hold one entry 'application'"),
        ({"application": []}, "has to hold one entry 'application'"),
        ("application: [", "is not valid YAML or JSON (line 1)"),
        ("application: !!python/object/apply:os.system ['id']", "is not valid YAML or JSON"),
        (
            {"application": {**WEB, "image": "a b", "replicas": 101}},
            "application.image: 'a b' is not the name",
        ),
        ({"application": {**WEB, "image": "a b", "replicas": 101}}, "application.replicas: "),
        ({"application": {**WEB, "colour": "red"}}, "application.colour: "),
    ],
)
def test_wrong_request_is_refused_with_the_field(tmp_path: Path, content: Any, sentence: str) -> None:
    with pytest.raises(RequestError) as refusal:
        read_request(write(tmp_path, content, "request.yml"), "application")
    assert sentence in str(refusal.value)
    assert "hunter2hunter2" not in str(refusal.value)


def test_missing_and_huge_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"add -e request_file=FILE"):
        read_request("", "application")
    with pytest.raises(RequestError, match="No such file"):
        read_request(str(tmp_path / "none.yml"), "application")
    with pytest.raises(RequestError, match="is larger than 2048 KiB"):
        read_request(write(tmp_path, "#" * (2 * 1024 * 1024 + 1)), "application")


def test_of_what_is_to_be_absent_only_the_names_count(tmp_path: Path) -> None:
    path = write(tmp_path, {"application": {"project": "shop", "name": "web", "replicas": -5}})
    assert read_request(path, "application", "absent") == {"project": "shop", "name": "web"}
    path = write(tmp_path, {"project": {"name": "kube-system"}})
    with pytest.raises(RequestError, match=r"project\.name: 'kube-system' is reserved"):
        read_request(path, "project", "absent")


def test_plain_values_are_of_the_base_types() -> None:
    class Tagged(str):
        __slots__ = ()

    found = plain({Tagged("a"): [Tagged("b"), 1, None, True]})
    assert found == {"a": ["b", 1, None, True]}
    assert {type(key) for key in found} | {type(found["a"][0])} == {str}
