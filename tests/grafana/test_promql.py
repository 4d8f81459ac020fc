"""The reader of selectors, by which the style of queries is judged."""

import pytest

from grafana.promql import Selector, filled, selectors


def test_every_metric_is_found_with_its_matchers() -> None:
    found = selectors(
        'sum by (pod) (rate(a_total{job="x", pod=~"y,z"}[5m])) / on (pod) group_left (node) b{job="x"}'
    )
    assert found == [
        Selector("a_total", {"job": "x", "pod": "~y,z"}, "5m", "rate"),
        Selector("b", {"job": "x"}, "", ""),
    ]


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ("vector(1)", []),
        ("time() - a", ["a"]),
        ("a > 0 unless a offset 5m > 0 or on () b", ["a", "a", "b"]),
        ('label_replace(a, "x", "$1", "y", "(.+)")', ["a"]),
        ("sum(x:y:z) by (job)", ["x:y:z"]),
        ("topk(5, a) == bool 1", ["a"]),
        ('a{job="}"} + b', ["a", "b"]),
    ],
)
def test_only_metrics_are_metrics(expression: str, metrics: list[str]) -> None:
    assert [selector.metric for selector in selectors(expression)] == metrics


def test_the_innermost_function_is_told() -> None:
    assert selectors("sum(max_over_time(a[1h]))")[0].function == "max_over_time"
    assert selectors("rate(a_total[1m]) + b")[1].function == ""


def test_macros_get_values_that_promtool_can_read() -> None:
    assert filled('rate(a{x="$namespace"}[$__rate_interval])') == 'rate(a{x="x"}[1m])'
    assert filled("a[$__range] + ${pod}") == "a[1h] + x"
