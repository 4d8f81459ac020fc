"""The queries of the dashboards with their variables filled in, as the portal and Grafana ask them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.monitoring import world
from tests.bench.web import ROOT

DASHBOARDS = ROOT / "grafana" / "dashboards"
# What a visitor has chosen, where the variable takes one value only; elsewhere everything is chosen.
CHOSEN = {"namespace": world.LARGE_PROJECT, "node": world.node_name(0)}
LABEL_VALUES = re.compile(r"label_values\((?:(?P<match>.*),\s*)?(?P<label>\w+)\s*\)$", re.DOTALL)
VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
# Asks for the values of a label: (selector, label) → values.
Lookup = Callable[[str, str], list[str]]


@dataclass(frozen=True)
class Query:
    """One query of a panel. `instant`: only the last moment is asked for."""

    dashboard: str
    panel: str
    expression: str
    instant: bool


@dataclass(frozen=True)
class Dashboard:
    """A dashboard as it is committed. `tenant`: it only asks for series of one namespace."""

    uid: str
    tenant: bool
    document: dict[str, Any]

    def queries(self) -> Iterator[Query]:
        """Yield the queries of all panels, those in collapsed rows too, with variables in them."""
        for panel in _panels(self.document["panels"]):
            for target in panel.get("targets", ()):
                yield Query(self.uid, panel["title"], target["expr"], bool(target.get("instant")))

    def variables(self) -> list[dict[str, Any]]:
        """Return the variables whose values are asked for, those that others depend on first."""
        found = self.document.get("templating", {}).get("list", ())
        return [one for one in found if one["type"] == "query"]

    def values(self, lookup: Lookup) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Return what is filled in for each variable, and the lookups that this took (selector, label).

        Raises ValueError for a variable that has no values or is no label_values().
        """
        values: dict[str, str] = {}
        asked = []
        for variable in self.variables():
            text = variable["query"] if isinstance(variable["query"], str) else variable["query"]["query"]
            match = LABEL_VALUES.match(text)
            if match is None:
                raise ValueError(f"{self.uid}: ${variable['name']} is no label_values(): {text}")
            selector = fill(match["match"] or "", values)
            options = lookup(selector, match["label"])
            asked.append((selector, match["label"]))
            if not options:
                raise ValueError(f"{self.uid}: ${variable['name']} has no values: {text}")
            values[variable["name"]] = _chosen(variable, options)
        return values, asked


def dashboards() -> list[Dashboard]:
    """Return all dashboards. Raises SystemExit when there are none."""
    found = []
    for path in sorted(DASHBOARDS.glob("*.json")):
        document = json.loads(path.read_text())
        found.append(Dashboard(document["uid"], "tenant" in document.get("tags", ()), document))
    if not found:
        raise SystemExit(f"croft: {DASHBOARDS} has no dashboards: run make dashboards first")
    return found


def fill(expression: str, values: dict[str, str]) -> str:
    """Return the expression with its variables filled in. Raises ValueError for an unknown one."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in values:
            raise ValueError(f"${name} is unknown in: {expression}")
        return values[name]

    return VARIABLE.sub(value, expression)


def _chosen(variable: dict[str, Any], options: list[str]) -> str:
    if variable.get("includeAll"):
        return variable.get("allValue") or f"({'|'.join(options)})"
    wanted = CHOSEN.get(variable["name"])
    one = wanted if wanted in options else options[0]
    return f"({one})" if variable.get("multi") else one


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield from _panels(panel.get("panels", []))
        if panel["type"] != "row":
            yield panel
