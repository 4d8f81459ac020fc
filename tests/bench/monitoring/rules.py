"""What rules cost at every evaluation, and what the recording ones save beside their expressions."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.bench.monitoring.ask import Asker, Row, measure
from tests.bench.monitoring.dashboards import Query
from tests.bench.web import ROOT

RULES = ROOT / "grafana" / "rules"
RECORDING, ALERTS = RULES / "recording.yml", RULES / "alerts.yml"
INTERVAL_S = 60
PAIR_RANGE = "24 h"


@dataclass
class Group:
    """A group of rules, evaluated every `interval` seconds; a row for each rule."""

    name: str
    interval: float
    rows: list[Row] = field(default_factory=list)

    def numbers(self) -> dict[str, float | str]:
        """Return the group's name, its rules, and milliseconds of one evaluation, the slowest rule beside."""
        times = [statistics.median(row.times) * 1000 for row in self.rows]
        slowest = max(self.rows, key=lambda row: statistics.median(row.times))
        return {
            "group": self.name,
            "rules": len(self.rows),
            "interval_s": self.interval,
            "evaluation_ms": sum(times),
            "cpu_ms": sum(row.cpu / len(row.times) for row in self.rows) * 1000,
            "slowest": slowest.query.panel,
            "slowest_ms": max(times),
        }


def expressions() -> list[str]:
    """Return the expressions of all rules."""
    return [str(rule["expr"]) for path in (RECORDING, ALERTS) for _, rule in _rules(path)]


def records() -> dict[str, float]:
    """Return the names of all recorded series, with the seconds between their values."""
    return {rule["record"]: _seconds(group) for group, rule in _rules(RECORDING)}


def groups(asker: Asker, rounds: int) -> list[Group]:
    """Evaluate every rule `rounds` times at the last moment."""
    found: dict[str, Group] = {}
    for path in (RECORDING, ALERTS):
        for group, rule in _rules(path):
            one = found.setdefault(group["name"], Group(group["name"], _seconds(group)))
            query = Query(group["name"], rule.get("record") or rule["alert"], str(rule["expr"]), True)
            one.rows.append(asker.row(query, {}, "1 h"))
    measure([row for group in found.values() for row in group.rows], rounds)
    return list(found.values())


def pairs(asker: Asker, rounds: int) -> list[tuple[Row, Row]]:
    """Ask for each recorded series over PAIR_RANGE, and once for its expression; return both rows of each."""
    found = []
    for _, rule in _rules(RECORDING):
        name, labels = rule["record"], rule.get("labels", {})
        matchers = ",".join(f'{key}="{value}"' for key, value in labels.items())
        recorded = Query("recorded", name, f"{name}{{{matchers}}}", False)
        raw = Query("raw", name, str(rule["expr"]), False)
        found.append((asker.row(recorded, {}, PAIR_RANGE), asker.row(raw, {}, PAIR_RANGE)))
    measure([recorded for recorded, _ in found], rounds)
    # Some of them take as long as Prometheus lets them.
    measure([raw for _, raw in found], 1)
    return found


def _rules(path: Path) -> Iterator[tuple[dict, dict]]:
    for group in yaml.safe_load(path.read_text())["groups"]:
        for rule in group["rules"]:
            yield group, rule


def _seconds(group: dict) -> float:
    """Return a group's interval in seconds; its text is like 30s or 1m."""
    text = str(group.get("interval", f"{INTERVAL_S}s"))
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
