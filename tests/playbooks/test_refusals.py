"""Playbooks refuse what is wrong before they look for a cluster, and never run what a user wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils.request_file import RequestError, validate
from tests.playbook import run_playbook

Json = dict[str, Any]
PROJECT: Json = {
    "name": "shop",
    "description": "Our shop",
    "owner": "ada",
    "members": [{"user": "bob", "role": "viewer"}],
    "quota": {"cpu": "1", "memory": "1Gi", "storage": "1Gi"},
    "podSecurity": "baseline",
    "egressCidrs": ["203.0.113.0/24"],
}
APPLICATION: Json = {
    "project": "shop",
    "name": "web",
    "image": "registry.example.org/web:1",
    "command": ["/web"],
    "args": ["--verbose"],
    "ports": [{"name": "http", "targetPort": 80, "protocol": "TCP"}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "env": [{"name": "A", "value": "1"}],
    "secrets": [{"name": "B", "value": "2"}],
    "host": "web.example.net",
    "healthPath": "/healthz",
    "volume": {"size": "1Gi", "mountPath": "/data"},
    "metrics": {"port": "http", "path": "/metrics"},
}
REQUESTS: dict[str, Json] = {"project": PROJECT, "application": APPLICATION}


def texts(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all strings in a request."""
    if isinstance(value, str):
        return [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in pairs for found in texts(item, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """A copy of a request with another text at `path`."""
    if not path:
        return text
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], text)
    return copy


CASES = [(kind, path) for kind, request in REQUESTS.items() for path in texts(request)]


@pytest.mark.parametrize("marks", ["{{ lookup('pipe', 'id') }}", "{% set x = 1 %}", "{# note #}", "a{{b"])
@pytest.mark.parametrize(("kind", "path"), CASES)
def test_template_in_any_field_is_refused_by_the_model(kind: str, path: tuple[Any, ...], marks: str) -> None:
    validate(REQUESTS[kind], kind)
    with pytest.raises(RequestError, match=r"template marks|Input should be"):
        validate(replaced(REQUESTS[kind], path, marks), kind)


@pytest.mark.parametrize("way", ["request file", "vars file", "spec", "name of the file"])
@pytest.mark.parametrize("kind", ["project", "application"])
def test_template_is_not_run_whichever_way_it_comes(kind: str, way: str, tmp_path: Path) -> None:
    proof = tmp_path / "executed"
    payload = "{{ lookup('pipe', 'touch " + str(proof) + "') }}"
    request = REQUESTS[kind]
    for path in texts(request):
        request = replaced(request, path, payload)
    file = tmp_path / "request.yml"
    file.write_text(
        json.dumps({kind: request, f"{kind}_spec": request} if way == "spec" else {kind: request})
    )
    arguments: dict[str, tuple[str, ...]] = {
        "request file": ("-e", f"request_file={file}"),
        "vars file": ("-e", f"@{file}"),
        "spec": ("-e", f"@{file}", "-e", f"request_file={file}"),
        "name of the file": ("-e", json.dumps({"request_file": f"{tmp_path}/none.yml"})),
    }
    run = run_playbook(kind, *arguments[way])
    expected = {
        "request file": "template marks such as",
        "vars file": f"write the {kind} into a file and add -e request_file=FILE",
        "spec": f"{kind}_spec is set already",
        "name of the file": "No such file",
    }
    assert expected[way] in run.message
    assert run.code != 0
    assert run.changed == 0
    assert not proof.exists(), "a user's text was executed"


@pytest.mark.parametrize(
    ("kind", "difference", "sentence"),
    [
        ("project", {"name": "kube-system"}, "project.name: 'kube-system' is reserved for the platform"),
        ("project", {"name": "No_Label"}, "project.name: 'No_Label' is not a DNS label"),
        ("project", {"quota": {"cpu": "lots"}}, "project.quota.cpu: 'lots' is not a quantity"),
        ("application", {"image": "a b"}, "application.image: 'a b' is not the name of an image"),
        ("application", {"ports": [{"targetPort": 70000}]}, "application.ports.0.targetPort: "),
    ],
)
def test_wrong_field_is_named(kind: str, difference: Json, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({kind: {**REQUESTS[kind], **difference}}))
    run = run_playbook(kind, variables={"request_file": str(file)})
    assert run.code != 0
    assert sentence in run.message


def test_missing_cluster_and_wrong_kubeconfig_say_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"application": APPLICATION}))
    variables = {"request_file": str(file)}
    nowhere = run_playbook("application", variables=variables, environment={"HOME": str(tmp_path)})
    assert "no cluster is given: add -e croft_kubeconfig=FILE" in nowhere.message
    wrong = run_playbook("application", variables={**variables, "croft_kubeconfig": "/nowhere/config"})
    assert "/nowhere/config leads to no cluster (No such file or directory)" in wrong.message


def test_secret_shows_up_nowhere_in_the_output(tmp_path: Path) -> None:
    secret = {"name": "KEY", "value": "hunter2hunter2"}
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"application": {**APPLICATION, "secrets": [secret]}}))
    variables = {"request_file": str(file), "croft_kubeconfig": "/nowhere/config"}
    run = run_playbook("application", "-vvvv", variables=variables)
    assert run.code != 0
    assert "hunter2hunter2" not in run.output
