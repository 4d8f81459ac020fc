"""Whether a dashboard's JSON is what Grafana and the portal can both draw: of the file, not the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana.board import TENANT, TITLES
from grafana.panels import UNITS
from grafana.style import query_faults

TYPES = frozenset({"timeseries", "stat", "gauge", "bargauge", "table"})
OVERRIDES = frozenset({"unit", "displayName", "thresholds", "mappings", "color", "custom.cellOptions"})
TRANSFORMATIONS = frozenset({"merge", "organize"})
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Labels that name a thing with a dashboard of its own: a panel that shows several of them leads there.
LEVELS = ("namespace", "node", "workload", "pod")


def file_faults(path: Path) -> list[str]:
    """Every fault of one file, each as a sentence that starts with the file's name."""
    try:
        board = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        return [f"{path.name}: not readable as JSON: {error}"]
    if not isinstance(board, dict) or not isinstance(board.get("panels"), list):
        return [f"{path.name}: not a dashboard: it has no list of panels"]
    return [f"{path.name}: {fault}" for fault in _faults(board, path.stem)]


def panels_of(board: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels that are not rows, those of collapsed rows among them."""
    every = list(board["panels"])
    for panel in board["panels"]:
        every += panel.get("panels") or []
    return [panel for panel in every if panel.get("type") != "row"]


def queries_of(board: dict[str, Any]) -> list[str]:
    """Every expression of a dashboard: of panels and of annotations."""
    asked = [target.get("expr", "") for panel in panels_of(board) for target in panel.get("targets", [])]
    return asked + [mark.get("expr", "") for mark in board.get("annotations", {}).get("list", [])]


def _faults(board: dict[str, Any], name: str) -> Iterator[str]:
    if board.get("uid") != name or name not in TITLES:
        yield f"uid '{board.get('uid')}' is not the file's name, or not a dashboard of Croft"
    if board.get("tags") != (["croft", "tenant"] if name in TENANT else ["croft"]):
        yield f"tags are {board.get('tags')}"
    if len(board.get("description") or "") < 20:
        yield "the dashboard has no description"
    if not board.get("links"):
        yield "the dashboard links to no other"
    variables = board.get("templating", {}).get("list", [])
    if not any(variable.get("type") == "datasource" for variable in variables):
        yield "there is no variable for the data source"
    yield from _variable_faults(variables, name in TENANT)
    numbers = [
        panel.get("id") for panel in [*board["panels"], *panels_of(board)] if panel.get("type") == "row"
    ]
    numbers += [panel.get("id") for panel in panels_of(board)]
    if None in numbers or len(set(numbers)) != len(numbers):
        yield "panels share a number or have none"
    for panel in panels_of(board):
        # The lowest level leads nowhere further.
        faults = [*_panel_faults(panel), *(_leads_nowhere(panel) if name != "croft-pods" else ())]
        for fault in faults:
            yield f"panel '{panel.get('title')}': {fault}"
    for expression in queries_of(board):
        for fault in query_faults(expression, dashboard=True, tenant=name in TENANT):
            yield f"{fault}: {expression}"


def _variable_faults(variables: list[dict[str, Any]], tenant: bool) -> Iterator[str]:
    for variable in variables:
        if variable.get("type") == "datasource":
            continue
        query = variable.get("query")
        read = re.fullmatch(r"label_values\((.+), (\w+)\)", query) if isinstance(query, str) else None
        if variable.get("type") != "query" or not read:
            yield f"variable '{variable.get('name')}' is not filled by label_values(…)"
        elif query_faults(read[1], dashboard=True):
            yield f"variable '{variable.get('name')}': {query_faults(read[1], dashboard=True)[0]}"
        if tenant and variable.get("name") == "namespace" and variable.get("multi"):
            yield "several namespaces can be chosen in a dashboard for members"


def _panel_faults(panel: dict[str, Any]) -> Iterator[str]:
    if panel.get("type") not in TYPES:
        yield f"type '{panel.get('type')}' cannot be drawn by the portal"
    if not panel.get("title") or len(panel.get("description") or "") < 20:
        yield "no title or no description"
    config = panel.get("fieldConfig") or {}
    defaults = config.get("defaults") or {}
    if defaults.get("unit") not in UNITS:
        yield f"unit '{defaults.get('unit')}' is not one of {', '.join(sorted(UNITS))}"
    if not panel.get("targets"):
        yield "asks nothing"
    for target in panel.get("targets") or []:
        if target.get("datasource") != DATASOURCE or panel.get("datasource") != DATASOURCE:
            yield "does not ask the data source that is chosen in the head"
        if not target.get("expr"):
            yield "has an empty query"
    for override in config.get("overrides") or []:
        kinds = {part.get("id") for part in override.get("properties") or []}
        if override.get("matcher", {}).get("id") not in ("byName", "byRegexp") or not kinds <= OVERRIDES:
            yield f"has an override the portal does not know: {override.get('matcher')} {sorted(kinds)}"
    for step in panel.get("transformations") or []:
        if step.get("id") not in TRANSFORMATIONS:
            yield f"has the transformation '{step.get('id')}', which the portal does not know"
    yield from _link_faults(panel, defaults.get("links") or [])


def _link_faults(panel: dict[str, Any], links: list[dict[str, Any]]) -> Iterator[str]:
    for link in links:
        target = re.match(r"/d/([\w-]+)\?", link.get("url") or "")
        if not target or target[1] not in TITLES:
            yield f"links to '{link.get('url')}', which is no dashboard of Croft"


def _leads_nowhere(panel: dict[str, Any]) -> Iterator[str]:
    links = panel.get("fieldConfig", {}).get("defaults", {}).get("links")
    legends = " ".join(target.get("legendFormat") or "" for target in panel.get("targets") or [])
    named = set(re.findall(r"{{(\w+)}}", legends))
    for step in panel.get("transformations") or []:
        named |= set(step.get("options", {}).get("renameByName", {}))
    if named & set(LEVELS) and not links:
        yield f"shows several of {', '.join(sorted(named & set(LEVELS)))} and leads to none"
