"""Alerts and recording rules: readable, in style, and each alert proven to fire and to be silent."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana import output, recordings
from grafana.alerts import ALERTS
from grafana.errors import DefinitionError
from grafana.rulebook import PROJECT, Alert, Group, Recording, text
from grafana.style import query_faults
from tests.grafana.promtool import promtool

CASES = sorted((Path(__file__).parent / "rules").glob("*.yml"))
RULES = [output.RULES / "recording.yml", output.RULES / "alerts.yml"]


def _tests() -> list[dict[str, Any]]:
    return [test for path in CASES for test in yaml.safe_load(path.read_text())["tests"]]


def _proven(fires: bool) -> set[str]:
    """Names of the alerts that have a case in which they fire, or one in which they do not."""
    asked = [case for test in _tests() for case in test["alert_rule_test"]]
    return {case["alertname"] for case in asked if bool(case.get("exp_alerts")) is fires}


def test_rules_can_be_read() -> None:
    done = promtool("check", "rules", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_rule_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "alerts.yml"
    broken.write_text(RULES[1].read_text().replace("expr: max by (node)", "expr: max by (node", 1))
    assert promtool("check", "rules", broken).returncode != 0


@pytest.mark.slow
def test_alerts_do_as_their_cases_say() -> None:
    done = promtool("test", "rules", *CASES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_proven_to_fire_and_to_be_silent() -> None:
    names = {alert.name for alert in ALERTS}
    assert names - _proven(fires=True) == set(), "no case in which they fire"
    # The watchdog fires always.
    assert names - _proven(fires=False) == {"Watchdog"}, "no case in which they are silent"


def test_cases_say_all_that_a_reader_of_the_alert_sees() -> None:
    for test in _tests():
        for case in test["alert_rule_test"]:
            for expected in case["exp_alerts"]:
                said = expected["exp_annotations"]
                assert set(said) == {"summary", "description", "runbook_url"}, test["name"]
                assert "<no value>" not in " ".join(said.values()), test["name"]
                assert "{{" not in " ".join(said.values()), test["name"]


@pytest.mark.parametrize("rule", [*ALERTS, *(rule for group in recordings.GROUPS for rule in group.rules)])
def test_a_rule_keeps_to_the_style(rule: Alert | Recording) -> None:
    assert query_faults(rule.expr, dashboard=False) == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_tells_labels_that_its_expression_keeps(alert: Alert) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description + alert.audience))
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", alert.expr))))
    kept |= set(re.findall(r'(\w+)="', alert.expr))
    for record in re.findall(r"\b([a-z_]+):\w+:\w+", alert.expr):
        kept |= set(record.split("_"))
    if "label_replace" in alert.expr:
        kept.add("what")
    assert named <= kept


def test_members_are_told_of_their_namespace_alone() -> None:
    for alert in ALERTS:
        if alert.audience == PROJECT:
            assert "namespace" in alert.expr, alert.name


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": "node_down"}, "not written LikeThis"),
        ({"severity": "page"}, "severity 'page'"),
        ({"description": "No sentence"}, "whole sentences"),
        ({"audience": PROJECT}, "keeps no namespace"),
    ],
)
def test_a_badly_made_alert_is_refused(change: dict[str, str], fault: str) -> None:
    well = {
        "name": "NodeDown",
        "expr": 'up{job="node"} == 0',
        "pending": "5m",
        "severity": "critical",
        "summary": "A node is down",
        "description": "It does not answer.",
    }
    Alert(**well)
    with pytest.raises(DefinitionError, match=fault):
        Alert(**(well | change))


def test_a_recording_rule_has_a_name_of_three_parts() -> None:
    with pytest.raises(DefinitionError, match="cpu_used"):
        Recording("cpu_used", 'up{job="x"}')


def test_a_rule_is_defined_once() -> None:
    rule = Recording("a:b:c", 'up{job="x"}')
    with pytest.raises(DefinitionError, match="a:b:c"):
        text([Group("one", (rule,)), Group("two", (rule,))])
