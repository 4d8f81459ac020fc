"""The parts of docs/ that are generated: every dashboard with its panels, every alert."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grafana.board import Board
from grafana.panels import Panel
from grafana.rulebook import OF_THE_NAMESPACE, Alert, Group, Recording

_UNITS = {
    "short": "number",
    "percentunit": "percent",
    "bytes": "bytes",
    "Bps": "bytes per second",
    "reqps": "requests per second",
    "ops": "operations per second",
    "pps": "packets per second",
    "cps": "events per second",
    "s": "seconds",
    "ms": "milliseconds",
    "d": "days",
    "dateTimeAsIso": "date and time",
}

_DASHBOARDS = """# Dashboards

Generated from the definitions in `grafana/boards/` by `make dashboards`; edit those, not this page. The same
JSON (`grafana/dashboards/`) is drawn by the portal and, where it is installed, by Grafana.

Each level leads to the next one down: cluster → namespace → application → pod, and cluster → node → pod. A
click on a curve, a bar or a row of a table opens what it stands for. Dashboards for members hold nothing but
series of one namespace.
"""


_ALERTS = """# Alerts

Generated from `grafana/alerts/` and `grafana/recordings/` by `make dashboards`; edit those, not this page.
Each alert has a runbook: what it means, how to look, how to cure it.

* **severity**: `critical` needs somebody now, `warning` today, `info` is good to know.
* **audience**: `operator`, or `project`: members of the project that the alert's label `namespace` names see
  it in the portal and are notified. Alerts about pods are the project's in a project, and the operator's in
  namespaces that are no project, the platform's own among them.
* **for**: how long the condition has to hold before the alert fires.
"""

_AUDIENCES = {OF_THE_NAMESPACE: "project or operator"}


def dashboards(boards: Sequence[Board]) -> str:
    """docs/dashboards.md."""
    parts = [_DASHBOARDS, _contents(boards)]
    parts += [_board(board) for board in boards]
    return "\n".join(parts)


def _contents(boards: Sequence[Board]) -> str:
    lines = ["| dashboard | for | panels | what it answers |", "| --- | --- | --- | --- |"]
    for board in boards:
        readers = "members, operators" if board.tenant else "operators"
        lines.append(
            f"| [{board.title}](#{_anchor(board.title)}) | {readers} | {len(board.panels)} | "
            f"{board.description} |"
        )
    return "\n".join(lines) + "\n"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _board(board: Board) -> str:
    lines = [f"## {board.title}", "", f"`{board.uid}`. {board.description}"]
    if board.variables:
        names = ", ".join(f"`{variable.build().name}`" for variable in board.variables)
        lines.append(f"Chosen in its head: {names}.")
    for row in board.rows:
        lines += ["", f"### {board.title}: {row.title}", ""]
        lines += ["| panel | unit | what it shows |", "| --- | --- | --- |"]
        lines += [f"| {panel.title} | {_unit(panel)} | {_description(panel)} |" for panel in row.panels]
    return "\n".join(lines) + "\n"


def _unit(panel: Panel) -> str:
    return "table" if panel.kind == "table" else _UNITS[panel.unit]


def _description(panel: Panel) -> str:
    """The description; a table's goes on with its columns."""
    if panel.kind != "table":
        return panel.description
    columns = ", ".join(
        [*panel.keys.values(), *(f"{column.title} ({_UNITS[column.unit]})" for column in panel.columns)]
    )
    return f"{panel.description} Columns: {columns}."


def alerts(groups: Sequence[Group], recorded: Sequence[Group]) -> str:
    """docs/alerts.md."""
    parts = [_ALERTS]
    for group in groups:
        parts += [f"## {group.name.removesuffix('-alerts').replace('-', ' ').capitalize()}", ""]
        parts += ["| alert | severity | for | audience | what it says |", "| --- | --- | --- | --- | --- |"]
        parts += [_alert(rule) for rule in group.rules if isinstance(rule, Alert)]
        parts.append("")
    parts += [
        "## Recorded series",
        "",
        "Series that Prometheus computes beforehand. Those whose name starts with",
    ]
    parts += ["`namespace` are seen by members as well.", "", "| series | group |", "| --- | --- |"]
    for group in recorded:
        parts += [
            f"| `{rule.record}` | {group.name} |" for rule in group.rules if isinstance(rule, Recording)
        ]
    return "\n".join(parts) + "\n"


def _alert(alert: Alert) -> str:
    audience = _AUDIENCES.get(alert.audience, alert.audience)
    name = f"[{alert.name}]({alert.runbook.removeprefix('docs/')})"
    said = _placeholders(f"**{alert.summary}.** {alert.description}")
    return f"| {name} | {alert.severity} | {alert.pending} | {audience} | {said} |"


def _placeholders(text: str) -> str:
    """Prometheus' templates as a reader sees them: {{ $labels.pod }} becomes <pod>."""
    text = re.sub(r"{{ \$labels\.(\w+) }}", r"‹\1›", text)
    return re.sub(r"{{ [^}]*\$value[^}]*}}", "‹value›", text)
