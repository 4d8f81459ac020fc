"""The recorded series of a day, computed by promtool from the rules that the charts install."""

import subprocess
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.bench.monitoring.prometheus import Server
from tests.bench.monitoring.selectors import recorded

EVERY = "60s"
Rules: TypeAlias = dict[str, list[dict[str, Any]]]


def levels(rules: Path) -> list[Rules]:
    """Split a file of recording rules so that each level only reads what the levels before have recorded.

    Raises ValueError when rules read each other in a circle.
    """
    groups = yaml.safe_load(rules.read_text())["groups"]
    left = [(group["name"], rule) for group in groups for rule in group["rules"] if "record" in rule]
    found = []
    while left:
        waiting = {rule["record"] for _, rule in left}
        ready = [one for one in left if not recorded(str(one[1]["expr"])) & waiting]
        if not ready:
            raise ValueError(f"{rules} has rules that read each other: {', '.join(sorted(waiting))}")
        left = [one for one in left if one not in ready]
        found.append({"groups": [_group(name, ready) for name in sorted({name for name, _ in ready})]})
    return found


def _group(name: str, ready: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return {"name": name, "interval": EVERY, "rules": [rule for group, rule in ready if group == name]}


def backfill(level: Rules, server: Server, data: Path, day: range, promtool: Path) -> None:
    """Write blocks of one level's series over the seconds of `day` into `data`; `server` knows the rest."""
    rules = data.parent / "level.yml"
    rules.write_text(yaml.safe_dump(level))
    command = (
        "nice", promtool, "tsdb", "create-blocks-from", "rules", f"--url={server.url}",
        f"--eval-interval={EVERY}", f"--start={day.start}", f"--end={day.stop}",
        f"--output-dir={data}", rules,
    )  # fmt: skip
    done = subprocess.run(command, text=True, check=False, capture_output=True)
    if done.returncode or "error" in done.stderr.lower():
        raise RuntimeError(f"promtool cannot backfill {rules}:\n{done.stderr[-3000:]}")
