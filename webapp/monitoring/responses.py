"""What the API answers about dashboards and panels."""

from datetime import UTC, datetime

from pydantic import Field

from webapp.links import PageLinks
from webapp.monitoring.dashboards import Dashboard
from webapp.monitoring.results import Cell, Curve, Figure, PanelData
from webapp.monitoring.schema import Panel
from webapp.schemas import Model

_BASE = "/api/v1/projects/shop/monitoring/dashboards"
_HERE = f"{_BASE}/croft-application"


class DashboardLinks(Model):
    """Where to go from a dashboard."""

    self_: str = Field(alias="self", description="The dashboard", examples=[_HERE])


class DashboardSummary(Model):
    """A dashboard in a list."""

    uid: str = Field(description="Name of the dashboard, in Grafana as well", examples=["croft-application"])
    title: str = Field(description="Its title", examples=["Application"])
    description: str = Field(
        description="What it shows", examples=["Requests, errors, latency and resources of one application."]
    )
    links: DashboardLinks = Field(description="Where to go from here")


class DashboardList(Model):
    """The dashboards that you may open, by title."""

    items: list[DashboardSummary] = Field(description="The dashboards")
    links: PageLinks = Field(description="This list, which has one page")


class VariableBody(Model):
    """Something that can be chosen for all panels of a dashboard."""

    name: str = Field(description="Name of the variable", examples=["application"])
    label: str = Field(description="Name for people", examples=["Application"])
    multiple: bool = Field(description="Whether several values can be chosen", examples=[False])


class PanelLinks(Model):
    """Where to go from a panel."""

    data: str = Field(description="What it shows", examples=[f"{_HERE}/panels/326186"])


class PanelSummary(Model):
    """A panel of a dashboard."""

    id: int = Field(description="Number of the panel", examples=[326186])
    title: str = Field(description="Its title", examples=["Requests by status class"])
    type: str = Field(description="timeseries, stat, gauge, bargauge or table", examples=["timeseries"])
    description: str = Field(description="What it shows", examples=["Requests per second."])
    unit: str = Field(description="Grafana's name of the unit of its values", examples=["reqps"])
    links: PanelLinks = Field(description="Where to go from here")


class SectionBody(Model):
    """Panels below one heading."""

    title: str = Field(description="The heading; may be empty", examples=["Requests, errors and latency"])
    panels: list[PanelSummary] = Field(description="The panels")


class DashboardDetail(DashboardSummary):
    """A dashboard with its variables and panels."""

    since: str = Field(description="Begin of the time that is shown at first", examples=["now-3h"])
    until: str = Field(description="Its end", examples=["now"])
    variables: list[VariableBody] = Field(description="What can be chosen")
    sections: list[SectionBody] = Field(description="The panels, in the order in which they stand")


class CurveBody(Model):
    """One series of a panel over time."""

    name: str = Field(description="Its name in the legend", examples=["2xx"])
    labels: dict[str, str] = Field(description="Its labels", examples=[{"envoy_response_code_class": "2"}])
    unit: str = Field(description="Grafana's name of the unit", examples=["reqps"])
    values: list[float | None] = Field(
        description="One value for each step from `from` to `to`; null where there is none",
        examples=[[12.5, 13.0, None]],
    )


class FigureBody(Model):
    """One number of a panel."""

    name: str = Field(description="What it is of", examples=["requests"])
    labels: dict[str, str] = Field(description="Labels of its series", examples=[{"pod": "web-0"}])
    value: float | None = Field(description="The number", examples=[0.25])
    text: str = Field(description="The number as people read it", examples=["25%"])
    level: str = Field(
        description="What the panel's thresholds say: ok, info, warn, bad, or empty", examples=["ok"]
    )


class CellBody(Model):
    """One cell of a table."""

    text: str = Field(description="What stands in it", examples=["128 MiB"])
    value: float | None = Field(description="The number behind it, if it is one", examples=[134217728.0])


class TableBody(Model):
    """A table."""

    columns: list[str] = Field(description="Headings", examples=[["Pod", "Memory"]])
    rows: list[list[CellBody]] = Field(description="Rows, with one cell for each column")


class FailureBody(Model):
    """A query of the panel that could not be answered; the others are there."""

    query: str = Field(description="Letter of the query; empty for all of them", examples=["A"])
    type: str = Field(description="The problem, as in errors", examples=["/problems/query-timeout"])
    detail: str = Field(description="What went wrong", examples=["The query took longer than 2 seconds."])


class PanelDataLinks(Model):
    """What the data belongs to."""

    self_: str = Field(alias="self", description="The panel", examples=[f"{_HERE}/panels/326186"])
    dashboard: str = Field(description="The dashboard", examples=[_HERE])


class PanelDataBody(Model):
    """What a panel shows: curves, figures or a table, by its type."""

    id: int = Field(description="Number of the panel", examples=[326186])
    title: str = Field(description="Its title", examples=["Requests by status class"])
    type: str = Field(description="timeseries, stat, gauge, bargauge or table", examples=["timeseries"])
    from_: datetime = Field(
        alias="from", description="Moment of the first values, UTC", examples=["2026-01-31T12:00:00Z"]
    )
    to: datetime = Field(description="Moment of the last values, UTC", examples=["2026-01-31T12:00:30Z"])
    step: int = Field(description="Seconds between two values", examples=[15])
    curves: list[CurveBody] = Field(description="Series over time")
    figures: list[FigureBody] = Field(description="Numbers")
    table: TableBody | None = Field(description="A table, in panels of that type")
    failures: list[FailureBody] = Field(description="Queries that could not be answered")
    notes: list[str] = Field(
        description="What is not shown",
        examples=[["100 of 140 series are drawn: those with the highest values."]],
    )
    empty: str = Field(description="What to say when there is nothing", examples=[""])
    links: PanelDataLinks = Field(description="What it belongs to")


def summary(dashboard: Dashboard, base: str) -> DashboardSummary:
    """Return a dashboard in a list; `base`: path of the list."""
    return DashboardSummary(
        uid=dashboard.uid,
        title=dashboard.title,
        description=dashboard.description,
        links=DashboardLinks(self_=f"{base}/{dashboard.uid}"),
    )


def detail(dashboard: Dashboard, base: str) -> DashboardDetail:
    """Return a dashboard with its variables and panels."""
    path = f"{base}/{dashboard.uid}"
    return DashboardDetail(
        **dict(summary(dashboard, base)),
        since=dashboard.since,
        until=dashboard.until,
        variables=[
            VariableBody(name=item.name, label=item.label or item.name, multiple=item.multi)
            for item in dashboard.variables
        ],
        sections=[
            SectionBody(title=section.title, panels=[_panel(panel, path) for panel in section.panels])
            for section in dashboard.sections
        ],
    )


def panel_data(data: PanelData, dashboard: Dashboard, base: str) -> PanelDataBody:
    """Return what a panel shows."""
    path = f"{base}/{dashboard.uid}"
    table = data.table
    return PanelDataBody(
        id=data.panel.id,
        title=data.panel.title,
        type=data.panel.type,
        from_=datetime.fromtimestamp(data.window.start, UTC),
        to=datetime.fromtimestamp(data.window.end, UTC),
        step=data.window.step,
        curves=[_curve(curve) for curve in data.curves],
        figures=[_figure(figure) for figure in data.figures],
        table=None
        if table is None
        else TableBody(
            columns=list(table.columns), rows=[[_cell(cell) for cell in row] for row in table.rows]
        ),
        failures=[
            FailureBody(query=item.ref, type=f"/problems/{item.slug}", detail=item.detail)
            for item in data.failures
        ],
        notes=list(data.notes),
        empty=data.empty,
        links=PanelDataLinks(self_=f"{path}/panels/{data.panel.id}", dashboard=path),
    )


def _panel(panel: Panel, path: str) -> PanelSummary:
    return PanelSummary(
        id=panel.id,
        title=panel.title,
        type=panel.type,
        description=panel.description,
        unit=panel.field_config.defaults.unit,
        links=PanelLinks(data=f"{path}/panels/{panel.id}"),
    )


def _curve(curve: Curve) -> CurveBody:
    return CurveBody(name=curve.name, labels=dict(curve.labels), unit=curve.style.unit, values=curve.values)


def _figure(figure: Figure) -> FigureBody:
    return FigureBody(
        name=figure.name,
        labels=dict(figure.labels),
        value=figure.value.raw,
        text=figure.value.text,
        level=figure.value.level,
    )


def _cell(cell: Cell) -> CellBody:
    return CellBody(text=cell.text, value=cell.value.raw if cell.value else None)
