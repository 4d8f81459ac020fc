"""The generated dashboards: all are read, and every panel of each shows what a small cluster has measured."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.prometheus import STEP_S, Monitored
from tests.webapp.monitoring import measurements
from tests.webapp.monitoring.conftest import Asker
from tests.webapp.monitoring.measurements import DASHBOARDS
from tests.webapp.pages.conftest import Visitor
from webapp.monitoring.dashboards import load

NAMES = sorted(path.stem for path in DASHBOARDS.glob("*.json"))
TENANT = ("croft-application", "croft-pods", "croft-project")


def test_all_are_read_and_three_are_for_members() -> None:
    found = load(DASHBOARDS)
    assert sorted(found) == NAMES
    # What is the platform's comes first, from the whole cluster on.
    assert next(iter(found)) == "croft-cluster"
    assert tuple(found)[-len(TENANT) :] == TENANT
    assert {uid for uid, item in found.items() if item.tenant} == set(TENANT)


def test_every_panel_of_a_file_is_there() -> None:
    for uid, dashboard in load(DASHBOARDS).items():
        written = json.loads((DASHBOARDS / f"{uid}.json").read_text())["panels"]
        inner = [panel for row in written for panel in row.get("panels") or []]
        ids = {panel["id"] for panel in [*written, *inner] if panel["type"] != "row"}
        assert {panel.id for panel in dashboard.panels} == ids
        assert [section.title for section in dashboard.sections] == [
            panel["title"] for panel in written if panel["type"] == "row"
        ]


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        json.dumps({"uid": "x", "title": "X", "panels": []}),
        json.dumps({"uid": "../x", "title": "X", "panels": [{"type": "row"}]}),
        json.dumps(
            {"uid": "x", "title": "X", "panels": [{"id": 1, "type": "piechart", "targets": [{"expr": "up"}]}]}
        ),
        json.dumps(
            {"uid": "x", "title": "X", "panels": [{"id": 1, "type": "stat", "targets": [{"expr": "$up"}]}]}
        ),
        json.dumps(
            {"uid": "x", "title": "X", "panels": [{"id": 1, "type": "stat", "targets": [{"expr": "up"}]}] * 2}
        ),
        json.dumps(
            {
                "uid": "croft-cluster",
                "title": "X",
                "panels": [{"id": 1, "type": "stat", "targets": [{"expr": "up"}]}],
            }
        ),
    ],
)
def test_a_broken_file_is_left_out_and_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    shutil.copy(DASHBOARDS / "croft-cluster.json", tmp_path)
    (tmp_path / "zzz.json").write_text(broken)
    with caplog.at_level(logging.ERROR):
        assert list(load(tmp_path)) == ["croft-cluster"]
    assert "the dashboard zzz.json is left out" in caplog.text


def test_without_any_the_portal_has_none(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing") == {}


@pytest.mark.parametrize("uid", NAMES)
def test_every_panel_shows_something(ask_as: Callable[[str], Asker], monitored: Monitored, uid: str) -> None:
    base = f"/monitoring/dashboards/{uid}"
    detail = ask_as("root").get(base).json
    known = {variable["name"] for variable in detail["variables"]}
    chosen = [
        ("var", f"{name}:{value}")
        for name, value in (("namespace", "shop"), ("application", "web"))
        if name in known
    ]
    _check(ask_as("root"), base, detail, monitored, chosen)


@pytest.mark.parametrize("uid", TENANT)
def test_every_panel_shows_the_same_to_a_member(
    ask_as: Callable[[str], Asker], monitored: Monitored, uid: str
) -> None:
    base = f"/projects/shop/monitoring/dashboards/{uid}"
    detail = ask_as("linus").get(base).json
    known = {variable["name"] for variable in detail["variables"]}
    chosen = [("var", "application:web")] if "application" in known else []
    _check(ask_as("linus"), base, detail, monitored, chosen)


def _check(
    asker: Asker, base: str, detail: dict, monitored: Monitored, chosen: list[tuple[str, str]]
) -> None:
    """Fail for a panel that fails; most have to show something of what was measured."""
    times = [("from", str(monitored.until - 3600)), ("to", str(monitored.until)), ("step", "60")]
    shown, wrong = 0, []
    panels = [panel for section in detail["sections"] for panel in section["panels"]]
    for panel in panels:
        answer = asker.get(f"{base}/panels/{panel['id']}", *times, *chosen)
        assert answer.status_code == 200, answer.text
        data = answer.json
        wrong += [f"{panel['title']}: {failure['detail']}" for failure in data["failures"]]
        something = data["curves"] or data["figures"] or data["table"]
        shown += bool(something)
        assert bool(something) != bool(data["empty"]) or data["failures"], panel["title"]
        if panel["type"] == "timeseries":
            assert all(len(curve["values"]) == 61 for curve in data["curves"])
    assert wrong == []
    assert shown > 0.8 * len(panels)


def test_a_new_revision_is_marked_where_it_begins(observed: Flask, monitored: Monitored) -> None:
    times = f"from={monitored.until - 7200}&to={monitored.until}"
    path = f"/projects/shop/monitoring/croft-application/marks?var-application=web&{times}"
    found = json.loads(Visitor(observed, "linus").get(path).html)["items"]
    assert [mark["words"] for mark in found] == ["Revision: web-6b7f9c8d5"]
    begins = monitored.until - int(measurements.COUNT * 0.4) * STEP_S
    assert abs(found[0]["moment"] - begins) <= 120
