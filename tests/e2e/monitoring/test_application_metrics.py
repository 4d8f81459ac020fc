"""Metrics that applications show of themselves: the cluster says whose they are, and how many may be."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.e2e.monitoring.conftest import running
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.portal.live import create, project_of
from tests.e2e.waiting import eventually
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
PROJECT = "mon-exposed"
# Seconds until a new pod is found and scraped: 15 s between scrapes, and some more to see the pod.
FOUND = 60


@pytest.fixture(scope="module", autouse=True)
def project(portal: Portal, python_image: str) -> Iterator[str]:
    """A project with three applications that show metrics; `quiet` does not ask to be scraped."""
    wanted: dict[str, Json] = {
        "shown": {"metrics": {"port": "http"}},
        "flood": {"metrics": {"port": 8080, "path": "/all"}, "env": [{"name": "SAMPLES", "value": "2500"}]},
        "quiet": {},
    }
    with project_of(portal, PROJECT) as name:
        for application, more in wanted.items():
            create(portal, name, application, running(python_image, "exporter.py", **more))
        yield name


def test_series_carry_the_project_and_not_what_the_application_claims(prometheus: Prometheus) -> None:
    (honest,) = eventually(lambda: prometheus.query("mon_honest"), FOUND, "mon_honest is not scraped")
    labels = honest["metric"]
    assert (labels["job"], labels["namespace"], labels["workload"]) == ("application", PROJECT, "shown")
    assert labels["pod"].startswith("shown-")
    (faked,) = prometheus.query("mon_faked")
    true = ("job", "namespace", "workload", "pod", "instance")
    assert {name: faked["metric"][name] for name in true} == {name: labels[name] for name in true}
    assert prometheus.query('{namespace="mon-stolen"}') == []
    assert prometheus.query('{job!="application",pod="mon-stolen"}') == []
    # A name that the dashboards ask for does not get into them: they pin the job.
    assert (
        prometheus.query(
            f'container_cpu_usage_seconds_total{{job="cadvisor",namespace="{PROJECT}",container=""}}'
        )
        == []
    )


def test_too_many_samples_are_refused_and_it_is_said(prometheus: Prometheus) -> None:
    def refused() -> Json | None:
        found = prometheus.targets("application", namespace=PROJECT, workload="flood")
        return next((target for target in found if target["health"] == "down"), None)

    target = eventually(refused, FOUND, "the flood is not refused")
    assert "sample limit exceeded" in target["lastError"]
    assert target["scrapeUrl"].endswith(":8080/all")
    assert prometheus.query("mon_many") == []
    assert prometheus.value(f'up{{job="application",namespace="{PROJECT}",workload="flood"}}') == 0
    found = partial(prometheus.alerts, "ApplicationMetricsUnreadable", namespace=PROJECT)
    (alert,) = eventually(found, 60, "nobody is told that the metrics cannot be read")
    assert alert["labels"]["workload"] == "flood"
    assert alert["labels"]["audience"] == "project"


def test_one_that_does_not_ask_is_not_scraped(prometheus: Prometheus) -> None:
    eventually(lambda: prometheus.query("mon_honest"), FOUND, "mon_honest is not scraped")
    found = {target["labels"]["workload"] for target in prometheus.targets("application", namespace=PROJECT)}
    assert found == {"shown", "flood"}


def test_a_member_reads_them_through_the_portal(portal: Portal, prometheus: Prometheus) -> None:
    eventually(lambda: prometheus.query("mon_honest"), FOUND, "mon_honest is not scraped")
    told = portal.call("GET", f"/api/v1/projects/{PROJECT}/prometheus/api/v1/query?query=mon_honest")
    assert [series["metric"]["workload"] for series in told["data"]["result"]] == ["shown"]
