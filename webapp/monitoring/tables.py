"""Tables: the answers of several instant queries side by side, one row for each set of labels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.monitoring.fields import style_of
from webapp.monitoring.links import Lookup, Place
from webapp.monitoring.queries import Answer
from webapp.monitoring.results import Cell, Table
from webapp.monitoring.schema import Panel

MAX_ROWS = 500
Row = dict[str, Any]


def table(panel: Panel, answers: Sequence[Answer], place: Place) -> tuple[Table, tuple[str, ...]]:
    """Return the panel's table, and notes about what is not shown."""
    names, rows = _merged(answers)
    order, titles = _organized(panel, names)
    values = {name for name in order if name.startswith("Value")}
    rows = _sorted(panel, rows, order, titles)
    shown = tuple(_cells(panel, row, order, titles, values, place) for row in rows[:MAX_ROWS])
    found = Table(
        columns=tuple(style_of(panel.field_config, titles[name]).name for name in order),
        numeric=tuple(name in values for name in order),
        rows=shown,
    )
    notes = (f"{MAX_ROWS} of {len(rows)} rows are shown.",) if len(rows) > MAX_ROWS else ()
    return found, notes


def _merged(answers: Sequence[Answer]) -> tuple[list[str], list[Row]]:
    """Return the columns' names (labels first, then values) and the rows, as Grafana's `merge` makes them."""
    several = len(answers) > 1
    labels: dict[str, None] = {}
    values: dict[str, None] = {}
    rows: dict[frozenset[tuple[str, str]], Row] = {}
    for answer in answers:
        value_name = f"Value #{answer.target.ref_id}" if several else "Value"
        values[value_name] = None
        for series in answer.series:
            own = {name: text for name, text in series.labels.items() if name != "__name__"}
            labels |= dict.fromkeys(own)
            newest = max(series.values, default=None)
            row = rows.setdefault(frozenset(own.items()), dict(own))
            row[value_name] = None if newest is None else series.values[newest]
    return [*labels, *values], list(rows.values())


def _organized(panel: Panel, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the names in the order in which they are shown, and the title of each."""
    titles = {name: name for name in names}
    order = list(names)
    for transformation in panel.transformations:
        if transformation.id != "organize":
            continue
        hidden: Mapping[str, Any] = transformation.options.get("excludeByName") or {}
        places: Mapping[str, Any] = transformation.options.get("indexByName") or {}
        renamed: Mapping[str, Any] = transformation.options.get("renameByName") or {}
        order = [name for name in order if not hidden.get(name)]
        order.sort(key=lambda name: places.get(name, len(places) + names.index(name)))
        titles |= {name: str(renamed[name]) for name in order if renamed.get(name)}
    return order, titles


def _sorted(panel: Panel, rows: list[Row], order: list[str], titles: Mapping[str, str]) -> list[Row]:
    """Return the rows by the column that the panel names, else by their labels."""
    for wanted in panel.options.sort_by:
        by = next((name for name in order if titles[name] == wanted.get("displayName")), None)
        if by is not None:
            return sorted(rows, key=lambda row: _key(row.get(by)), reverse=bool(wanted.get("desc")))
    labels = [name for name in order if not name.startswith("Value")]
    return sorted(rows, key=lambda row: [str(row.get(name, "")) for name in labels])


def _key(value: Any) -> tuple[bool, Any]:
    """Order what is not there before everything else."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False, 0
    return True, value


def _cells(
    panel: Panel, row: Row, order: list[str], titles: Mapping[str, str], values: set[str], place: Place
) -> tuple[Cell, ...]:
    lookup = _lookup(row, titles)
    cells = []
    for index, name in enumerate(order):
        style = style_of(panel.field_config, titles[name])
        # What the panel links for all its cells, one cell of each row links: the others would only repeat it.
        own = style.links if index == 0 or style.links != panel.field_config.defaults.links else ()
        link = next(filter(None, (place.translate(item, lookup) for item in own)), "")
        if name in values:
            value = style.value(row.get(name))
            cells.append(Cell(value.text, value, link))
        else:
            cells.append(Cell(str(row.get(name, "")), None, link))
    return tuple(cells)


def _lookup(row: Row, titles: Mapping[str, str]) -> Lookup:
    def found(name: str) -> str | None:
        field = name.removeprefix("__data.fields.")
        if field == name:
            return None
        original = next((key for key, title in titles.items() if field in (key, title)), field)
        return str(row.get(original, ""))

    return found
