"""The recorded series of a day, computed by promtool from the rules that the charts install."""

import subprocess
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.bench.monitoring.prometheus import Server
from tests.bench.monitoring.selectors import recorded

Rules: TypeAlias = dict[str, list[dict[str, Any]]]


def levels(rules: Path) -> list[Rules]:
    """Split a file of recording rules so that each level only reads what the levels before have recorded.

    Raises ValueError when rules read each other in a circle.
    """
    groups = yaml.safe_load(rules.read_text())["groups"]
    left = [rule["record"] for group in groups for rule in group["rules"]]
    found = []
    while left:
        ready = {
            rule["record"]
            for group in groups
            for rule in group["rules"]
            if rule["record"] in left and not recorded(str(rule["expr"])) & set(left)
        }
        if not ready:
            raise ValueError(f"{rules} has rules that read each other: {', '.join(sorted(left))}")
        left = [record for record in left if record not in ready]
        parts = [_part(group, ready) for group in groups]
        found.append({"groups": [part for part in parts if part["rules"]]})
    return found


def _part(group: dict[str, Any], records: set[str]) -> dict[str, Any]:
    """Return a group with those of its rules alone that make the records."""
    return group | {"rules": [rule for rule in group["rules"] if rule["record"] in records]}


def backfill(level: Rules, server: Server, data: Path, day: range, promtool: Path) -> None:
    """Write blocks of one level's series over the seconds of `day` into `data`; `server` knows the rest."""
    rules = data.parent / "level.yml"
    rules.write_text(yaml.safe_dump(level))
    command = (
        "nice", promtool, "tsdb", "create-blocks-from", "rules", f"--url={server.url}",
        f"--start={day.start}", f"--end={day.stop}", f"--output-dir={data}", rules,
    )  # fmt: skip
    done = subprocess.run(command, text=True, check=False, capture_output=True)
    if done.returncode or "error" in done.stderr.lower():
        raise RuntimeError(f"promtool cannot backfill {rules}:\n{done.stderr[-3000:]}")
