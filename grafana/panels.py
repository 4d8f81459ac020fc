"""Panels: a thin layer over grafana-foundation-sdk. No panel goes without title, description, unit, query.

Only the types that the portal draws as well are made here: timeseries, stat, gauge, bargauge, table and (in
grafana.board) row. What is missing raises DefinitionError, which names the panel.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    gauge,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.errors import DefinitionError
from grafana.links import Link
from grafana.series import ROUND_S, STEP
from grafana.variables import DATASOURCE

# Grafana's names of the units in use; the portal knows the same ones.
UNITS = frozenset(
    {"short", "percentunit", "bytes", "Bps", "reqps", "ops", "pps", "cps", "s", "ms", "d", "dateTimeAsIso"}
)
COLOURS = ("green", "orange", "red")
# Colours of curves by their names: what is well, what waits, what is wrong.
STATUS_COLOURS = {"1xx": "gray", "2xx": "green", "3xx": "blue", "4xx": "orange", "5xx": "red"}

PanelBuilder = Builder[model.Panel]


@dataclass(frozen=True)
class Query:
    """One PromQL expression and how its series are called, like `{{pod}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: the value of an expression for each row."""

    title: str
    expr: str
    unit: str
    limits: tuple[float, float] | None = None
    words: Mapping[int, tuple[str, str]] | None = None


@dataclass(frozen=True)
class Panel:
    """A built panel's definition; `builder()` gives the SDK's object."""

    kind: str
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int
    height: int
    options: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    columns: tuple[Column, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.title:
            raise DefinitionError("a panel has no title")
        if len(self.description) < 20 or not self.description.endswith("."):
            raise DefinitionError(
                f"panel '{self.title}' needs a description: a whole sentence that says what it shows"
            )
        for unit in (self.unit, *(column.unit for column in self.columns)):
            if unit not in UNITS:
                raise DefinitionError(
                    f"panel '{self.title}' has the unit '{unit}'; known are {', '.join(sorted(UNITS))}"
                )
        if not self.queries:
            raise DefinitionError(f"panel '{self.title}' asks nothing")

    @property
    def id(self) -> int:
        """A number that stays when panels are moved or others are added: addresses of panels hold it."""
        return number(self.title)

    def builder(self) -> PanelBuilder:
        return _BUILDERS[self.kind](self)


def number(text: str) -> int:
    """A number between 1,000 and 999,999 made from a title."""
    return zlib.crc32(text.encode()) % 999_000 + 1_000


def lines(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    width: int = 12,
    height: int = 8,
    stack: bool = False,
    top: float | None = None,
    decimals: int | None = None,
    limits: tuple[float, float] | None = None,
    colours: Mapping[str, str] | None = None,
    link: Link | None = None,
) -> Panel:
    """Curves over time. `stack` adds them up; `top` ends the axis; `limits` are (warning, critical).

    `colours` are those of curves whose names say what is good and what is bad.
    """
    options = {"stack": stack, "max": top, "decimals": decimals, "limits": limits, "colours": colours}
    links = (link,) if link else ()
    return Panel("timeseries", title, description, unit, queries, width, height, options, links)


def number_now(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    width: int = 4,
    height: int = 4,
    calc: str = "lastNotNull",
    decimals: int | None = None,
    limits: tuple[float, float] | None = None,
    words: Mapping[int, tuple[str, str]] | None = None,
    empty: str | None = None,
    link: Link | None = None,
) -> Panel:
    """Large numbers. `words` maps values to (text, colour); `empty` is said where there is no series."""
    options = {"calc": calc, "decimals": decimals, "limits": limits, "words": words, "empty": empty}
    links = (link,) if link else ()
    return Panel("stat", title, description, unit, queries, width, height, options, links)


def dial(
    title: str,
    description: str,
    *queries: Query,
    width: int = 4,
    height: int = 4,
    limits: tuple[float, float] = (0.8, 0.9),
    empty: str | None = None,
    link: Link | None = None,
) -> Panel:
    """A share of a whole between 0 and 1, as a dial."""
    options = {"calc": "lastNotNull", "limits": limits, "empty": empty, "min": 0, "max": 1}
    links = (link,) if link else ()
    return Panel("gauge", title, description, "percentunit", queries, width, height, options, links)


def bars(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    width: int = 12,
    height: int = 8,
    top: float | None = None,
    limits: tuple[float, float] | None = None,
    empty: str | None = None,
    link: Link | None = None,
) -> Panel:
    """One bar for each series, with its value now."""
    options = {"calc": "lastNotNull", "limits": limits, "empty": empty, "min": 0, "max": top}
    links = (link,) if link else ()
    return Panel("bargauge", title, description, unit, queries, width, height, options, links)


def rows_of(
    title: str,
    description: str,
    keys: Mapping[str, str],
    *columns: Column,
    width: int = 24,
    height: int = 9,
    link: Link | None = None,
) -> Panel:
    """A table with one row for each value of the labels `keys` (label: heading), and columns of values."""
    queries = tuple(Query(column.expr) for column in columns)
    links = (link,) if link else ()
    return Panel("table", title, description, "short", queries, width, height, {}, links, columns, dict(keys))


def _common(panel: Panel, built: Any) -> Any:
    """What every type of panel has."""
    built = built.id(panel.id).title(panel.title).description(panel.description).unit(panel.unit)
    built = built.datasource(DATASOURCE).span(panel.width).height(panel.height)
    for index, query in enumerate(panel.queries):
        built = built.with_target(_target(panel, index, query))
    for name, setter in (("min", "min"), ("max", "max"), ("decimals", "decimals"), ("empty", "no_value")):
        if panel.options.get(name) is not None:
            built = getattr(built, setter)(panel.options[name])
    if panel.options.get("limits"):
        built = built.thresholds(_thresholds(panel.options["limits"]))
    if panel.options.get("words"):
        built = built.mappings([_words(panel.options["words"])])
    if panel.links:
        labels = "__data.fields" if panel.kind == "table" else "__field.labels"
        built = built.data_links([link.builder(labels) for link in panel.links])
    return built


def _target(panel: Panel, index: int, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(chr(ord("A") + index)).expr(query.expr).datasource(DATASOURCE)
    if panel.kind == "table":
        return target.instant().format(PromQueryFormat.TABLE)
    target = target.legend_format(query.legend or panel.title)
    if STEP in query.expr:
        # A step has to hold a round of rules.
        target = target.interval(f"{ROUND_S}s")
    return (
        target.range()
        if panel.kind == "timeseries" or panel.options.get("calc") != "lastNotNull"
        else target.instant()
    )


def _steps(limits: tuple[float, float]) -> list[model.Threshold]:
    """Green below the warning, red from the critical value on; the other way round where less is worse."""
    warning, critical = limits
    if warning <= critical:
        values, colours = [None, warning, critical], COLOURS
    else:
        values, colours = [None, critical, warning], COLOURS[::-1]
    return [model.Threshold(value=value, color=colour) for value, colour in zip(values, colours, strict=True)]


def _thresholds(limits: tuple[float, float]) -> dashboard.ThresholdsConfig:
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(_steps(limits))


def _words(words: Mapping[int, tuple[str, str]]) -> model.ValueMap:
    return model.ValueMap(
        {
            str(value): model.ValueMappingResult(text=text, color=colour, index=index)
            for index, (value, (text, colour)) in enumerate(words.items())
        }
    )


def _reduce(panel: Panel) -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs([panel.options["calc"]]).values(False).fields("")


def _timeseries(panel: Panel) -> PanelBuilder:
    legend = common.VizLegendOptions().show_legend(True).placement(shapes.LegendPlacement.BOTTOM)
    legend = legend.display_mode(shapes.LegendDisplayMode.LIST).calcs(["lastNotNull", "max"])
    built = (
        _common(panel, timeseries.Panel())
        .legend(legend)
        .line_width(1)
        .show_points(shapes.VisibilityMode.NEVER)
    )
    built = built.tooltip(
        common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)
    )
    stacked = bool(panel.options.get("stack"))
    mode = shapes.StackingMode.NORMAL if stacked else shapes.StackingMode.NONE
    built = built.stacking(common.StackingConfig().mode(mode)).fill_opacity(30 if stacked else 8)
    if panel.options.get("limits"):
        built = built.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        )
    for name, colour in (panel.options.get("colours") or {}).items():
        fixed = model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
        built = built.override_by_name(name, [fixed])
    return built.min(0)


def _stat(panel: Panel) -> PanelBuilder:
    built = (
        _common(panel, stat.Panel()).reduce_options(_reduce(panel)).graph_mode(shapes.BigValueGraphMode.NONE)
    )
    coloured = panel.options.get("limits") or panel.options.get("words")
    return built.color_mode(shapes.BigValueColorMode.VALUE if coloured else shapes.BigValueColorMode.NONE)


def _gauge(panel: Panel) -> PanelBuilder:
    return _common(panel, gauge.Panel()).reduce_options(_reduce(panel))


def _bargauge(panel: Panel) -> PanelBuilder:
    built = _common(panel, bargauge.Panel()).reduce_options(_reduce(panel))
    return built.orientation(shapes.VizOrientation.HORIZONTAL).display_mode(shapes.BarGaugeDisplayMode.BASIC)


def _table(panel: Panel) -> PanelBuilder:
    built = _common(panel, table.Panel())
    names = {f"Value #{chr(ord('A') + index)}": column.title for index, column in enumerate(panel.columns)}
    if len(panel.columns) == 1:
        names = {"Value": panel.columns[0].title}
    order = [*panel.keys, *names]
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate(order)},
        "renameByName": {**panel.keys, **names},
    }
    if len(panel.columns) > 1:
        built = built.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    built = built.with_transformation(model.DataTransformerConfig(id_val="organize", options=organize))
    for column in panel.columns:
        built = built.override_by_name(column.title, _column_properties(column))
    return built


def _column_properties(column: Column) -> Sequence[model.DynamicConfigValue]:
    properties = [model.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.limits:
        steps = model.ThresholdsConfig(mode=model.ThresholdsMode.ABSOLUTE, steps=_steps(column.limits))
        properties.append(model.DynamicConfigValue(id_val="thresholds", value=steps))
        cell = {"type": "color-text"}
        properties.append(model.DynamicConfigValue(id_val="custom.cellOptions", value=cell))
    if column.words:
        properties.append(model.DynamicConfigValue(id_val="mappings", value=[_words(column.words)]))
    return properties


_BUILDERS = {
    "timeseries": _timeseries,
    "stat": _stat,
    "gauge": _gauge,
    "bargauge": _bargauge,
    "table": _table,
}
