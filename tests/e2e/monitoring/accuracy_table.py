"""The table of test_accuracy in docs/monitoring.md, made anew with PICTURES=1."""

import os
import re
from dataclasses import dataclass

from tests.playbook import ROOT

PAGE = ROOT / "docs" / "monitoring.md"
_BETWEEN = re.compile(r"(<!-- accuracy -->\n).*?(<!-- end of accuracy -->)", re.DOTALL)
_MIB = 2**20
# How the values of each kind are written: what they are divided by, and the unit.
_UNITS = {
    "cpu": (1, "cores", 3),
    "memory": (_MIB, "MiB", 1),
    "written": (_MIB, "MiB/s", 3),
    "sent": (_MIB, "MiB/s", 3),
    "received": (_MIB, "MiB/s", 3),
    "requests": (1, "req/s", 2),
    "errors": (0.01, "%", 2),
}
_HEAD = """
| load | dashboard, panel | unit | the panel | the load itself | kernel | metrics-server | furthest |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Row:
    """What one panel showed, and what the others counted; None where they do not count this."""

    what: str
    panel: str
    shown: float
    used: float
    kernel: float | None
    top: float | None

    def text(self) -> str:
        """Return the row as Markdown; the last column is the panel's distance from the furthest one."""
        others = [value for value in (self.used, self.kernel, self.top) if value is not None]
        furthest = max(abs(self.shown / value - 1) for value in others)
        divisor, unit, digits = _UNITS[self.what]
        numbers = [
            "–" if value is None else f"{value / divisor:.{digits}f}"
            for value in (self.shown, self.used, self.kernel, self.top)
        ]
        return " | ".join([f"| {self.what}", self.panel, unit, *numbers, f"{furthest:.1%} |"])


def write(rows: list[Row]) -> None:
    """Put the table in its place, when PICTURES=1 asks for it."""
    if os.environ.get("PICTURES"):
        body = "\n".join(row.text() for row in rows)
        table = f"{_HEAD}{body}\n\n"
        new, count = _BETWEEN.subn(lambda match: f"{match[1]}{table}{match[2]}", PAGE.read_text())
        assert count == 1, f"{PAGE} has no place for the table"
        PAGE.write_text(new)
