"""The layer lets nothing through that a reader would miss."""

import json

import pytest

from grafana.board import Board, Row
from grafana.errors import DefinitionError
from grafana.links import Link
from grafana.panels import Column, Panel, Query, dial, lines, number_now, rows_of

SENTENCE = "It shows how many there are."
QUERY = Query('a{job="x"}', "{{pod}}")


def _drawn(panel: Panel) -> dict:
    board = Board("croft-cluster", SENTENCE, (Row("Row", (panel,)),))
    return json.loads(board.json())["panels"][1]


@pytest.mark.parametrize(
    ("title", "description", "unit", "queries", "fault"),
    [
        ("", SENTENCE, "short", (QUERY,), "no title"),
        ("Pods", "Pods.", "short", (QUERY,), "'Pods' needs a description"),
        ("Pods", "It shows how many there are", "short", (QUERY,), "whole sentence"),
        ("Pods", SENTENCE, "parsec", (QUERY,), "has the unit 'parsec'"),
        ("Pods", SENTENCE, "short", (), "asks nothing"),
    ],
)
def test_a_panel_without_its_texts_is_refused(
    title: str, description: str, unit: str, queries: tuple[Query, ...], fault: str
) -> None:
    with pytest.raises(DefinitionError, match=fault):
        lines(title, description, unit, *queries)


def test_a_column_has_a_unit_as_well() -> None:
    with pytest.raises(DefinitionError, match="'furlong'"):
        rows_of("Pods", SENTENCE, {"pod": "Pod"}, Column("Length", 'a{job="x"}', "furlong"))


def test_two_panels_of_one_title_are_refused() -> None:
    panel = lines("Pods", SENTENCE, "short", QUERY)
    with pytest.raises(DefinitionError, match=r"croft-cluster.*Pods"):
        Board("croft-cluster", SENTENCE, (Row("Row", (panel, panel)),)).json()


def test_a_panel_keeps_its_number_when_others_come() -> None:
    first, second = lines("First", SENTENCE, "short", QUERY), lines("Second", SENTENCE, "short", QUERY)
    alone = json.loads(Board("croft-cluster", SENTENCE, (Row("Row", (second,)),)).json())["panels"][1]
    after = json.loads(Board("croft-cluster", SENTENCE, (Row("Row", (first, second)),)).json())["panels"][2]
    assert alone["title"] == after["title"] == "Second"
    assert alone["id"] == after["id"]


def test_curves_ask_over_time_and_numbers_now() -> None:
    curve = _drawn(lines("Pods", SENTENCE, "short", QUERY, stack=True))
    assert curve["targets"][0]["range"] is True
    assert curve["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    assert _drawn(number_now("Pods", SENTENCE, "short", QUERY))["targets"][0]["instant"] is True


def test_a_step_is_as_long_as_a_round_where_rounds_are_added_up() -> None:
    added = Query("sum_over_time(a:b:c[$__interval])")
    assert _drawn(lines("Restarts", SENTENCE, "short", added))["targets"][0]["interval"] == "30s"
    assert "interval" not in _drawn(lines("Pods", SENTENCE, "short", QUERY))["targets"][0]


def test_curves_have_the_colours_that_their_names_ask_for() -> None:
    curve = _drawn(lines("Jobs", SENTENCE, "short", QUERY, colours={"failed": "red"}))
    (override,) = curve["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byName", "options": "failed"}
    assert override["properties"] == [{"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}}]
    assert _drawn(lines("Jobs", SENTENCE, "short", QUERY))["fieldConfig"]["overrides"] == []


def test_less_can_be_worse() -> None:
    steps = _drawn(number_now("Free", SENTENCE, "percentunit", QUERY, limits=(0.5, 0.1)))
    colours = [step["color"] for step in steps["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert colours == ["red", "orange", "green"]


def test_a_table_names_its_columns_and_gives_each_its_unit() -> None:
    table = _drawn(
        rows_of(
            "Pods",
            SENTENCE,
            {"pod": "Pod"},
            Column("Ready", 'a{job="x"}', "short", words={1: ("yes", "green")}),
            Column("Memory", 'b{job="x"}', "bytes"),
        )
    )
    assert [step["id"] for step in table["transformations"]] == ["merge", "organize"]
    names = table["transformations"][1]["options"]["renameByName"]
    assert names == {"pod": "Pod", "Value #A": "Ready", "Value #B": "Memory"}
    units = {
        override["matcher"]["options"]: override["properties"][0]["value"]
        for override in table["fieldConfig"]["overrides"]
    }
    assert units == {"Ready": "short", "Memory": "bytes"}


def test_links_name_the_variables_of_the_board_they_lead_to() -> None:
    link = Link("Open", "croft-pods", {"pod": "pod"}, ("namespace",))
    panel = _drawn(dial("CPU", SENTENCE, QUERY, link=link))
    url = panel["fieldConfig"]["defaults"]["links"][0]["url"]
    assert url == "/d/croft-pods?var-pod=${__field.labels.pod}&var-namespace=${namespace}&${__url_time_range}"
