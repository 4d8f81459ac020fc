"""Every query of every dashboard is PromQL."""

import json
from pathlib import Path

import yaml

from grafana import output
from grafana.promql import filled
from grafana.structure import queries_of
from tests.grafana.promtool import promtool, refused


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


def test_alerts_of_all_namespaces_are_those_that_have_one(tmp_path: Path) -> None:
    board = json.loads((output.DASHBOARDS / "croft-namespaces.json").read_text())
    (namespace,) = (found for found in board["templating"]["list"] if found["name"] == "namespace")
    queries = [
        query.replace("$namespace", namespace["allValue"]) for query in queries_of(board) if "ALERTS" in query
    ]
    assert len(queries) == 2
    firing = {
        'ALERTS{alertname="NodeDown", alertstate="firing", severity="critical", node="a"}': "1x10",
        'ALERTS{alertname="ApplicationDown", alertstate="firing", severity="critical", '
        'namespace="shop", workload="web"}': "1x10",
    }
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in firing.items()],
        "promql_expr_test": [
            {"expr": f"sum({query})", "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": 1}]}
            for query in queries
        ],
    }
    file = tmp_path / "alerts.yml"
    file.write_text(yaml.safe_dump({"tests": [case]}))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
