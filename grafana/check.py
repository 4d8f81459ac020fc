"""What is wrong with the committed files: stale ones, dashboards and rules that break the rules."""

from __future__ import annotations

from grafana import output, structure


def faults() -> list[str]:
    """One sentence for each fault."""
    found = [
        fault for path in sorted(output.DASHBOARDS.glob("*.json")) for fault in structure.file_faults(path)
    ]
    return found + output.stale()
