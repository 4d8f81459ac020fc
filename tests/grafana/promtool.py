"""Runs the bundle's promtool."""

import subprocess
from pathlib import Path

import yaml

from tests.prometheus import binary


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool to its end, whatever its result is."""
    command = [str(binary("promtool")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refused(expressions: list[str], folder: Path) -> str:
    """What promtool says of expressions that it cannot read; "" if it can read them all.

    One file and one call for all of them: a call for each would take minutes.
    """
    groups = [
        {"name": f"{number}", "rules": [{"record": "a:b:c", "expr": expression}]}
        for number, expression in enumerate(expressions)
    ]
    path = folder / "expressions.yml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    done = promtool("check", "rules", "--lint=none", path)
    return "" if done.returncode == 0 else done.stdout + done.stderr
