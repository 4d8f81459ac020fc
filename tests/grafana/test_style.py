"""Each rule of style refuses what it is there for."""

import pytest

from grafana.style import is_counter, query_faults


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rate(a_total[$__rate_interval])", "does not say which job="),
        ('rate(a_total{job="x"}[5m])', "has a fixed range"),
        ('max_over_time(a{job="x"}[1h])', "has a fixed range"),
        ('max_over_time(a{job="x"}[$__interval])', "has a fixed range"),
        ('rate(container_memory_rss{job="x"}[$__rate_interval])', "which is a gauge"),
        ('increase(k8s_container_restarts{job="x"}[$__range])', "which is a gauge"),
        ('delta(a_total{job="x"}[$__range])', "which is a counter"),
    ],
)
def test_a_dashboard_query_is_refused(expression: str, fault: str) -> None:
    assert any(fault in found for found in query_faults(expression, dashboard=True))


@pytest.mark.parametrize("expression", ['up{job="x"}', "a:b:c", 'a{job="x", namespace=~"$namespace"}'])
def test_a_member_query_has_to_name_its_namespace(expression: str) -> None:
    assert query_faults(expression, dashboard=True) == []
    assert "namespace" in query_faults(expression, dashboard=True, tenant=True)[0]


def test_a_rule_may_have_a_fixed_range() -> None:
    assert query_faults('rate(a_total{job="x"}[5m])', dashboard=False) == []


def test_what_a_rule_has_counted_is_added_up_over_each_step() -> None:
    assert query_faults("sum_over_time(a:b:increase30s[$__interval])", dashboard=True) == []


def test_what_prometheus_writes_itself_has_no_job() -> None:
    assert query_faults('ALERTS{namespace="$namespace"}', dashboard=True, tenant=True) == []


def test_counters_are_told_from_gauges() -> None:
    assert is_counter("envoy_cluster_upstream_rq_xx")
    assert is_counter("a_bucket")
    assert not is_counter("envoy_cluster_upstream_rq_active")
    assert not is_counter("k8s_container_restarts")
