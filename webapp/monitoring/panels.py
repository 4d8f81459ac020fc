"""One panel: its queries' answers, put into what is shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from webapp.monitoring import tables
from webapp.monitoring.calculations import calculate, title
from webapp.monitoring.fields import COLOURS, FieldStyle, level_of, style_of
from webapp.monitoring.legend import series_name
from webapp.monitoring.links import Lookup, Place
from webapp.monitoring.queries import Answer, Series
from webapp.monitoring.results import Curve, Failure, Figure, Limit, PanelData
from webapp.monitoring.schema import Panel
from webapp.monitoring.times import Window
from webapp.problems import Problem

MAX_SERIES = 100
_NO_DATA = "No data in this time."


def draw(panel: Panel, answers: Sequence[Answer], window: Window, place: Place) -> PanelData:
    """Return what the panel shows of its queries' answers; `place` makes its links."""
    # Queries that fail alike are one thing to say, however many they are.
    failures = {
        answer.problem.detail: Failure(answer.target.ref_id, answer.problem.type.slug, answer.problem.detail)
        for answer in answers
        if answer.problem is not None
    }
    data = PanelData(panel, window, failures=tuple(failures.values()))
    if panel.type == "table":
        found, notes = tables.table(panel, answers, place)
        data = replace(data, table=found if found.rows else None, notes=notes)
        nothing = not found.rows
    else:
        named, notes = _series(panel, answers)
        data = replace(data, notes=notes)
        if panel.type == "timeseries":
            data = _with_curves(data, named, place)
        else:
            figures = [_figure(panel, *one, place) for one in named]
            data = replace(data, figures=tuple(_measured(panel, figures)))
        nothing = not named
    if nothing and not failures:
        data = replace(data, empty=panel.field_config.defaults.no_value or _NO_DATA)
    return data


def failed(panel: Panel, problem: Problem, window: Window) -> PanelData:
    """Return a panel that shows nothing but why."""
    return PanelData(panel, window, failures=(Failure("", problem.type.slug, problem.detail),))


def _series(panel: Panel, answers: Sequence[Answer]) -> tuple[list[tuple[str, Series]], tuple[str, ...]]:
    """Return the series that are shown, with their names: at most MAX_SERIES, and a note about the rest."""
    named = [
        (series_name(answer.target.legend_format, series.labels, answer.target.expr), series)
        for answer in answers
        for series in answer.series
        if any(not math.isnan(value) for value in series.values.values())
    ]
    if len(named) <= MAX_SERIES:
        return named, ()
    highest = sorted(named, key=lambda one: -_highest(one[1]))[:MAX_SERIES]
    kept = {id(series) for _, series in highest}
    note = f"{MAX_SERIES} of {len(named)} series are drawn: those with the highest values."
    return [one for one in named if id(one[1]) in kept], (note,)


def _highest(series: Series) -> float:
    return max((value for value in series.values.values() if not math.isnan(value)), default=-math.inf)


def _colours(styles: Sequence[FieldStyle]) -> list[tuple[int, bool]]:
    """Return each curve's colour (its own, or the next free one) and whether another curve has had it."""
    own = {style.colour for style in styles}
    free = [colour for colour in range(COLOURS) if colour not in own] or list(range(COLOURS))
    found: list[tuple[int, bool]] = []
    turn = 0
    for style in styles:
        if style.colour is None:
            found.append((free[turn % len(free)], turn >= len(free)))
            turn += 1
        else:
            found.append((style.colour, False))
    return found


def _with_curves(data: PanelData, named: Sequence[tuple[str, Series]], place: Place) -> PanelData:
    panel = data.panel
    calcs = panel.options.legend.calcs or ("lastNotNull",)
    styles = [style_of(panel.field_config, name) for name, _ in named]
    curves: list[Curve] = []
    for (_, series), style, (colour, repeated) in zip(named, styles, _colours(styles), strict=True):
        values = [_finite(series.values.get(moment)) for moment in data.window.moments]
        summary = {calc: style.value(calculate(calc, values)) for calc in calcs}
        # A curve's own colour tells it from the others; its values in the legend have none.
        summary = {calc: replace(value, level="") for calc, value in summary.items()}
        link = _link(style, place, _lookup(series.labels))
        curves.append(Curve(style.name, series.labels, values, style, summary, link, colour, repeated))
    return replace(
        data,
        curves=tuple(curves),
        limits=_limits(panel),
        headings=tuple(title(calc) for calc in calcs) if panel.options.legend.show_legend else (),
    )


def _limits(panel: Panel) -> tuple[Limit, ...]:
    style = style_of(panel.field_config, "")
    mode = panel.field_config.defaults.custom.thresholds_style.mode
    if mode in ("", "off"):
        return ()
    return tuple(Limit(step.value, level_of(step.color)) for step in style.steps() if step.value is not None)


def _figure(panel: Panel, name: str, series: Series, place: Place) -> Figure:
    style = style_of(panel.field_config, name)
    calcs = panel.options.reduce_options.calcs or ("lastNotNull",)
    raw = calculate(calcs[0], [value for _, value in sorted(series.values.items())])
    value = style.value(raw)
    if panel.type == "stat" and panel.options.color_mode == "none":
        value = replace(value, level="")
    share, marks = _scale(panel, style, raw)
    return Figure(style.name, series.labels, value, share, marks, _link(style, place, _lookup(series.labels)))


def _scale(
    panel: Panel, style: FieldStyle, raw: float | None
) -> tuple[float | None, tuple[tuple[float, str], ...]]:
    """Return where a value lies between min and max, and where other levels begin."""
    if panel.type == "stat" or raw is None:
        return None, ()
    low = style.defaults.min or 0.0
    high = style.defaults.max
    if high is None:
        return None, ()
    if high <= low:
        return None, ()
    marks = tuple(
        (min(1.0, max(0.0, (step.value - low) / (high - low))), level_of(step.color))
        for step in style.steps()
        if step.value is not None
    )
    return min(1.0, max(0.0, (raw - low) / (high - low))), marks


def _measured(panel: Panel, figures: list[Figure]) -> list[Figure]:
    """Return bars that have no largest value measured by the highest of them."""
    there = [figure.value.raw for figure in figures if figure.value.raw is not None]
    highest = max(there, default=0.0)
    if panel.type != "bargauge" or highest <= 0:
        return figures
    return [
        figure
        if figure.share is not None or figure.value.raw is None
        else replace(figure, share=max(0.0, figure.value.raw / highest))
        for figure in figures
    ]


def _link(style: FieldStyle, place: Place, lookup: Lookup) -> str:
    return next(filter(None, (place.translate(link, lookup) for link in style.links)), "")


def _lookup(labels: Mapping[str, str]) -> Lookup:
    def found(name: str) -> str | None:
        prefix = "__field.labels."
        return labels.get(name.removeprefix(prefix), "") if name.startswith(prefix) else None

    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
