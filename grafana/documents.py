"""The parts of docs/ that are generated: every dashboard with its panels, every alert."""

from __future__ import annotations

from collections.abc import Sequence

from grafana.board import Board
from grafana.panels import Panel

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
