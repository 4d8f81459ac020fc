"""The dashboards: the very files that Grafana shows (grafana/dashboards/*.json), read once at the start.

A file that cannot be understood is logged and left out; the others are there.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from webapp.monitoring.schema import Annotation, DashboardFile, Link, Panel, Row, Variable
from webapp.monitoring.variables import BUILT_IN, named_in

log = logging.getLogger(__name__)

TENANT_TAG = "tenant"


@dataclass(frozen=True)
class Section:
    """Panels below one heading; the first one may have none."""

    title: str
    collapsed: bool
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """One dashboard. `tenant`: its queries work where only one namespace can be seen, so members may open it.

    `since` and `until`: the time that is shown at first, like now-3h and now.
    """

    uid: str
    title: str
    description: str
    tenant: bool
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    links: tuple[Link, ...]
    since: str
    until: str
    annotations: tuple[Annotation, ...] = ()

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels in the order in which they stand."""
        return (panel for section in self.sections for panel in section.panels)

    def panel(self, panel_id: int) -> Panel | None:
        """Return the panel with this id."""
        return next((panel for panel in self.panels if panel.id == panel_id), None)


def load(folder: Path) -> Mapping[str, Dashboard]:
    """Return the dashboards of a folder by their uid: the platform's first, then in the order of titles."""
    found: dict[str, Dashboard] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            dashboard = _read(path)
        except (OSError, ValidationError, ValueError) as error:
            log.error("the dashboard %s is left out: %s", path.name, _words(error))
            continue
        if dashboard.uid in found:
            log.error("the dashboard %s is left out: there is another '%s'", path.name, dashboard.uid)
            continue
        found[dashboard.uid] = dashboard
    return dict(sorted(found.items(), key=lambda item: (item[1].tenant, item[1].title)))


def _read(path: Path) -> Dashboard:
    """Return a file's dashboard. Raises OSError and ValueError (Pydantic's is one)."""
    file = DashboardFile.model_validate_json(path.read_bytes())
    dashboard = Dashboard(
        uid=file.uid,
        # In Grafana all titles begin with the name of the product; here everything is Croft's.
        title=file.title.removeprefix("Croft / "),
        description=file.description,
        tenant=TENANT_TAG in file.tags,
        variables=tuple(item for item in file.templating.list if item.type != "datasource"),
        sections=tuple(_sections(file.panels)),
        links=file.links,
        since=file.time.from_,
        until=file.time.to,
        annotations=tuple(item for item in file.annotations.list if item.enable and item.expr),
    )
    _check(dashboard)
    return dashboard


def _sections(panels: Iterable[Row | Panel]) -> Iterator[Section]:
    head, below = Row(type="row"), list[Panel]()
    for item in sorted(panels, key=lambda one: (one.grid_pos.y, one.grid_pos.x)):
        if isinstance(item, Panel):
            below.append(item)
            continue
        if below or head.title:
            yield _section(head, below)
        head, below = item, list(item.panels)
    if below or head.title:
        yield _section(head, below)


def _section(head: Row, panels: list[Panel]) -> Section:
    ordered = sorted(panels, key=lambda panel: (panel.grid_pos.y, panel.grid_pos.x))
    return Section(head.title, head.collapsed, tuple(ordered))


def _check(dashboard: Dashboard) -> None:
    """Raise ValueError for what no file of Grafana's would hold."""
    ids = [panel.id for panel in dashboard.panels]
    if len(set(ids)) != len(ids):
        raise ValueError("two panels have the same id")
    known = {variable.name for variable in dashboard.variables}
    for panel in dashboard.panels:
        for target in panel.targets:
            unknown = named_in(target.expr) - known - BUILT_IN
            if unknown:
                raise ValueError(
                    f"panel '{panel.title}' names unknown variables: {', '.join(sorted(unknown))}"
                )


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return re.sub(r"\s+", " ", str(error))
