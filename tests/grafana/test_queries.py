"""Every query of every dashboard is PromQL."""

import json
from pathlib import Path

from grafana import output
from grafana.promql import filled
from grafana.structure import queries_of
from tests.grafana.promtool import refused


def test_every_query_can_be_read(tmp_path: Path) -> None:
    boards = [json.loads(path.read_text()) for path in sorted(output.DASHBOARDS.glob("*.json"))]
    queries = [filled(query) for board in boards for query in queries_of(board)]
    assert len(queries) > 400
    assert refused(queries, tmp_path) == ""


def test_every_query_of_a_variable_can_be_read(tmp_path: Path) -> None:
    boards = [json.loads(path.read_text()) for path in sorted(output.DASHBOARDS.glob("*.json"))]
    variables = [variable for board in boards for variable in board["templating"]["list"]]
    asked = [variable["query"] for variable in variables if variable["type"] == "query"]
    selectors = [filled(query.removeprefix("label_values(").rpartition(",")[0]) for query in asked]
    assert refused(selectors, tmp_path) == ""


def test_what_is_no_promql_is_refused(tmp_path: Path) -> None:
    assert "could not parse expression" in refused(['up{job="x"}', 'sum(up{job="x"}'], tmp_path)
