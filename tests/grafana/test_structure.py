"""Committed dashboards are well made, and a badly made one is refused, whatever wrote it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grafana import output
from grafana.board import TENANT, TITLES
from grafana.structure import file_faults, panels_of

FILES = sorted(output.DASHBOARDS.glob("*.json"))


def _first(board: dict[str, Any], kind: str = "timeseries") -> dict[str, Any]:
    return next(panel for panel in panels_of(board) if panel["type"] == kind)


def test_every_dashboard_is_there() -> None:
    assert {path.stem for path in FILES} == set(TITLES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_committed_dashboard_has_no_fault(path: Path) -> None:
    assert file_faults(path) == []


@pytest.mark.parametrize("uid", TENANT)
def test_a_dashboard_for_members_chooses_one_namespace(uid: str) -> None:
    board = json.loads((output.DASHBOARDS / f"{uid}.json").read_text())
    chosen = [variable for variable in board["templating"]["list"] if variable["name"] == "namespace"]
    assert [variable["multi"] for variable in chosen] == [False]
    assert {link["url"] for link in board["links"]} == {f"/d/{other}" for other in TENANT if other != uid}


def test_each_level_leads_to_the_next() -> None:
    leads = {path.stem: set(_targets(json.loads(path.read_text()))) for path in FILES}
    assert {"croft-namespaces", "croft-nodes"} <= leads["croft-cluster"]
    assert "croft-application" in leads["croft-namespaces"] & leads["croft-project"]
    assert "croft-pods" in leads["croft-application"] & leads["croft-nodes"]
    assert "croft-nodes" in leads["croft-control-plane"]


def _targets(board: dict[str, Any]) -> list[str]:
    links = [link for panel in panels_of(board) for link in panel["fieldConfig"]["defaults"].get("links", [])]
    return [link["url"].removeprefix("/d/").partition("?")[0] for link in links]


def _no_description(board: dict[str, Any]) -> None:
    _first(board)["description"] = ""


def _no_unit(board: dict[str, Any]) -> None:
    del _first(board)["fieldConfig"]["defaults"]["unit"]


def _fixed_datasource(board: dict[str, Any]) -> None:
    _first(board)["targets"][0]["datasource"]["uid"] = "prometheus"


def _heatmap(board: dict[str, Any]) -> None:
    _first(board)["type"] = "heatmap"


def _same_number(board: dict[str, Any]) -> None:
    first, second = panels_of(board)[:2]
    first["id"] = second["id"]


def _foreign_link(board: dict[str, Any]) -> None:
    panel = next(panel for panel in panels_of(board) if panel["fieldConfig"]["defaults"].get("links"))
    panel["fieldConfig"]["defaults"]["links"][0]["url"] = "https://example.com"


def _dead_end(board: dict[str, Any]) -> None:
    for panel in panels_of(board):
        panel["fieldConfig"]["defaults"].pop("links", None)


def _fixed_range(board: dict[str, Any]) -> None:
    target = next(t for p in panels_of(board) for t in p["targets"] if "$__rate_interval" in t["expr"])
    target["expr"] = target["expr"].replace("$__rate_interval", "5m")


def _other_namespaces(board: dict[str, Any]) -> None:
    target = _first(board)["targets"][0]
    target["expr"] = target["expr"].replace('namespace="$namespace"', 'namespace=~".*"')


def _unknown_override(board: dict[str, Any]) -> None:
    _first(board, "table")["fieldConfig"]["overrides"][0]["properties"][0]["id"] = "custom.width"


def _unknown_transformation(board: dict[str, Any]) -> None:
    _first(board, "table")["transformations"][0]["id"] = "calculateField"


def _no_datasource_variable(board: dict[str, Any]) -> None:
    board["templating"]["list"] = board["templating"]["list"][1:]


def _many_namespaces(board: dict[str, Any]) -> None:
    next(v for v in board["templating"]["list"] if v["name"] == "namespace")["multi"] = True


def _not_for_members(board: dict[str, Any]) -> None:
    board["tags"] = ["croft"]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_no_description, "no title or no description"),
        (_no_unit, "unit 'None'"),
        (_fixed_datasource, "does not ask the data source"),
        (_heatmap, "type 'heatmap'"),
        (_same_number, "share a number"),
        (_foreign_link, "no dashboard of Croft"),
        (_dead_end, "leads to none"),
        (_fixed_range, "fixed range"),
        (_other_namespaces, 'namespace="$namespace"'),
        (_unknown_override, "an override the portal does not know"),
        (_unknown_transformation, "'calculateField'"),
        (_no_datasource_variable, "no variable for the data source"),
        (_many_namespaces, "several namespaces"),
        (_not_for_members, "tags are"),
    ],
)
def test_a_spoilt_dashboard_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], fault: str
) -> None:
    board = json.loads((output.DASHBOARDS / "croft-project.json").read_text())
    spoil(board)
    path = tmp_path / "croft-project.json"
    path.write_text(json.dumps(board))
    found = file_faults(path)
    assert any(fault in line for line in found), found


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_what_is_no_dashboard_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "croft-project.json"
    path.write_text(text)
    assert len(file_faults(path)) == 1
