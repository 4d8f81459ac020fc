"""The dashboards' own queries, out of grafana/dashboards, with their variables filled in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.playbook import ROOT

Json = dict[str, Any]
FOLDER = ROOT / "grafana" / "dashboards"
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")


@dataclass(frozen=True)
class Query:
    """One query of one panel, with its variables still in it."""

    dashboard: str
    panel: str
    ref: str
    expression: str
    # Labels that the panel names: in its legend, or as columns of its table.
    names: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.dashboard} / {self.panel} / {self.ref}"

    def filled(self, interval: str = "1m", span: str = "15m", **variables: str) -> str:
        """Return the expression to send; `interval` is $__rate_interval, `span` is $__range."""
        known = {
            "__rate_interval": interval,
            "__interval": "30s",
            "__range": span,
            **variables,
        }
        return _VARIABLE.sub(lambda found: known[found[1] or found[2]], self.expression)


@cache
def dashboard(uid: str) -> Json:
    """Return a dashboard as it is committed."""
    found: Json = json.loads((FOLDER / f"{uid}.json").read_text())
    return found


def uids() -> list[str]:
    """Return the names of all dashboards."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def panels(uid: str) -> Iterator[Json]:
    """Yield the panels of a dashboard that ask something, those in collapsed rows as well."""
    for panel in dashboard(uid)["panels"]:
        yield from (inner for inner in [panel, *panel.get("panels", [])] if inner.get("targets"))


def queries(uid: str) -> list[Query]:
    """Return every query of a dashboard, those of its annotations as well."""
    annotations = dashboard(uid).get("annotations", {}).get("list", [])
    return [
        Query(uid, panel["title"], target["refId"], target["expr"], _names(panel, target))
        for panel in panels(uid)
        for target in panel["targets"]
    ] + [Query(uid, item["name"], "annotation", item["expr"]) for item in annotations if "expr" in item]


def _names(panel: Json, target: Json) -> frozenset[str]:
    if panel["type"] != "table":
        return frozenset(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
    (organize,) = [item["options"] for item in panel["transformations"] if item["id"] == "organize"]
    return frozenset(name for name in organize["renameByName"] if not name.startswith("Value"))


def query(uid: str, panel: str, ref: str = "A") -> Query:
    """Return one query, by its panel's title and its letter."""
    (found,) = [item for item in queries(uid) if (item.panel, item.ref) == (panel, ref)]
    return found
