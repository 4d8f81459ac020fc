"""roles/monitoring: what reaches the charts, and rules that are refused before anything is released."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helm import helm_binary
from tests.playbook import ROOT
from tests.roles.conftest import Ansible

GOOD = """groups:
  - name: good
    rules:
      - alert: Down
        expr: up{job="node"} == 0
        annotations:
          summary: "{{ $labels.node }} is away"
          description: "{{ 1 }} and {{ len .Labels }}"
          runbook_url: docs/runbooks/Down.md
"""
BROKEN = GOOD.replace('up{job="node"} == 0', "up{job=")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of rules and one that is none."""
    (tmp_path / "good.yml").write_text(GOOD)
    (tmp_path / "README.md").write_text("no rules")
    return tmp_path


def play(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}


def part(name: str) -> dict[str, Any]:
    """A part of the role."""
    return {"ansible.builtin.import_role": {"name": "monitoring", "tasks_from": name}}


def variables(folder: Path, **more: Any) -> dict[str, Any]:
    promtool = Path(helm_binary()).with_name("promtool")
    return {"monitoring_rules_dir": str(folder), "monitoring_promtool": str(promtool), **more}


def test_broken_rules_are_refused_by_name_before_anything_is_released(ansible: Ansible, folder: Path) -> None:
    (folder / "broken.yml").write_text(BROKEN)
    done = ansible(play(part("rules.yml")), variables=variables(folder))
    assert done.code == 2
    assert f"The rules in {folder} are wrong, so nothing was released" in done.text
    assert "broken.yml" in done.text
    assert "unexpected" in done.text


def test_rules_are_taken_as_they_are(ansible: Ansible, folder: Path, tmp_path_factory: Any) -> None:
    out = tmp_path_factory.mktemp("out") / "rules.json"
    write = {"ansible.builtin.copy": {"content": "{{ __monitoring_rules | to_json }}", "dest": str(out)}}
    base = {"monitoring_runbook_base_url": "https://git.example.org/croft/"}
    done = ansible(play(part("rules.yml"), write), variables=variables(folder, **base))
    assert done.code == 0, done.output
    link = "https://git.example.org/croft/docs/runbooks/Down.md"
    assert json.loads(out.read_text()) == {"good.yml": GOOD.replace("docs/runbooks/Down.md", link)}


def test_secrets_are_made_new_and_only_those_that_are_missing(ansible: Ansible, tmp_path: Path) -> None:
    source = str(ROOT / "roles/monitoring/templates/secrets.yml.j2")
    # Brings the role's variables and runs nothing.
    tasks: list[dict[str, Any]] = [{"ansible.builtin.import_role": {"name": "monitoring"}, "when": False}]
    for name in ("first", "second"):
        template = {"src": source, "dest": str(tmp_path / name), "mode": "0600"}
        missing = {"__monitoring_missing": ["alert-webhook"]}
        tasks.append({"ansible.builtin.template": template, "vars": missing})
    done = ansible(play(*tasks))
    assert done.code == 0, done.output
    first, second = ((tmp_path / name).read_text() for name in ("first", "second"))
    assert first != second
    assert first.count("kind: Secret") == 1
    assert "admin-password" not in first
    assert "pod-security.kubernetes.io/enforce: privileged" in first
