"""A dashboard: head, variables, rows of panels, links to the other levels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery, DashboardCursorSync

from grafana.errors import DefinitionError
from grafana.links import board_link
from grafana.panels import Panel, number
from grafana.variables import DATASOURCE, datasource

TITLES = {
    "croft-cluster": "Cluster",
    "croft-namespaces": "Namespaces",
    "croft-nodes": "Nodes",
    "croft-control-plane": "Control plane",
    "croft-portal": "Portal and jobs",
    "croft-project": "Project",
    "croft-application": "Application",
    "croft-pods": "Pods and containers",
}
TENANT = ("croft-project", "croft-application", "croft-pods")


@dataclass(frozen=True)
class Row:
    """A titled band of panels. A collapsed one asks nothing until it is opened."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True)
class Annotation:
    """Marks on every curve: a mark stands where the expression gives a value."""

    name: str
    expr: str
    title: str
    text: str
    colour: str = "blue"


class _Marks(AnnotationQuery):
    """The SDK's annotation with the texts that Grafana's Prometheus data source reads as well."""

    texts: dict[str, str]

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self.texts}


@dataclass(frozen=True)
class Board:
    """One dashboard. Its title comes from TITLES, the links to the others as well."""

    uid: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[dashboard.QueryVariable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-3h"
    links: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        return TITLES[self.uid]

    @property
    def tenant(self) -> bool:
        """Whether every query works where only series of one namespace are to be seen."""
        return self.uid in TENANT

    @property
    def panels(self) -> list[Panel]:
        return [panel for row in self.rows for panel in row.panels]

    def json(self) -> str:
        """The dashboard as Grafana's classic JSON, the same text for the same definition."""
        return (
            json.dumps(json.loads(json.dumps(self._build(), cls=JSONEncoder)), indent=2, ensure_ascii=False)
            + "\n"
        )

    def _build(self) -> Any:
        self._check_titles()
        tags = ["croft", "tenant"] if self.tenant else ["croft"]
        built = (
            dashboard.Dashboard(f"Croft / {self.title}")
            .uid(self.uid)
            .description(self.description)
            .tags(tags)
        )
        built = built.time(self.since, "now").refresh("30s").timezone("browser").readonly()
        built = built.tooltip(DashboardCursorSync.CROSSHAIR).variables([datasource(), *self.variables])
        for uid in self._neighbours():
            built = built.link(board_link(TITLES[uid], uid, variables=self.tenant and uid in TENANT))
        for annotation in self.annotations:
            built = built.annotation(_annotation(annotation))
        for row in self.rows:
            built = _with_row(built, row)
        return built.build()

    def _neighbours(self) -> list[str]:
        """Members see their own dashboards only, so those link to nothing else."""
        return [uid for uid in TITLES if uid != self.uid and (uid in TENANT or not self.tenant)]

    def _check_titles(self) -> None:
        titles = [panel.title for panel in self.panels] + [row.title for row in self.rows]
        numbers = [panel.id for panel in self.panels]
        if len(set(titles)) != len(titles) or len(set(numbers)) != len(numbers):
            twice = sorted({title for title in titles if titles.count(title) > 1})
            raise DefinitionError(
                f"dashboard '{self.uid}': titles that stand twice or share a number: {twice or titles}"
            )


def _with_row(built: dashboard.Dashboard, row: Row) -> dashboard.Dashboard:
    head = dashboard.Row(row.title).id(number(f"row {row.title}")).collapsed(row.collapsed)
    if row.collapsed:
        for panel in row.panels:
            head = head.with_panel(panel.builder())
        return built.with_row(head)
    built = built.with_row(head)
    for panel in row.panels:
        built = built.with_panel(panel.builder())
    return built


class _Ready:
    """An annotation that is built already, in the form in which the SDK takes builders."""

    def __init__(self, query: AnnotationQuery) -> None:
        self._query = query

    def build(self) -> AnnotationQuery:
        return self._query


def _annotation(annotation: Annotation) -> Any:
    query = _Marks(
        name=annotation.name,
        datasource=DATASOURCE,
        enable=True,
        icon_color=annotation.colour,
        expr=annotation.expr,
    )
    query.texts = {"titleFormat": annotation.title, "textFormat": annotation.text}
    return _Ready(query)
