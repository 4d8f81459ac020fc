"""Who sees which alerts, whatever Alertmanager answers."""

import pytest

from tests.webapp.alerts.stated import StatedAlertmanager, alert
from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp import alerts
from webapp.alerts.words import dashboard_of, runbook_of
from webapp.openapi import Portal

MINE = {"audience": "project", "namespace": "shop"}


@pytest.fixture
def stated(app: Portal, monkeypatch: pytest.MonkeyPatch) -> StatedAlertmanager:
    """An Alertmanager that tells everything to everybody."""
    source = StatedAlertmanager(
        alert("Quota", severity="info", **MINE),
        alert("Restarts", severity="critical", workload="web", minutes=9, **MINE),
        alert("Gone", severity="warning", workload="removed", **MINE),
        alert("Known", severity="critical", state="suppressed", **MINE),
        alert("Operators", severity="critical", audience="operator", namespace="shop"),
        alert("Others", severity="critical", audience="project", namespace="other"),
        alert("NodeDown", severity="critical", audience="operator", node="croft-2"),
    )
    monkeypatch.setitem(app.extensions, alerts.KEY, source)
    return source


@pytest.fixture(autouse=True)
def shop(app: Portal, api: Api, cluster: StatedCluster) -> None:
    """A project of ada's with one application."""
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)


def test_a_member_sees_the_projects_alerts_the_gravest_first(stated: StatedAlertmanager, api: Api) -> None:
    for name in ("ada", "eve", "root"):
        answer = api(name).send("GET", "/projects/shop/alerts")
        assert answer.status_code == 200
        assert [item["name"] for item in answer.json["items"]] == ["Restarts", "Gone", "Quota", "Known"]
    first, gone, *_, known = answer.json["items"]
    assert (first["state"], known["state"]) == ("firing", "silenced")
    assert first["links"]["application"] == "/api/v1/projects/shop/applications/web"
    assert first["links"]["dashboard"] == "/projects/shop/applications/web/monitoring"
    # Nothing leads to an application that the project does not have.
    assert gone["links"]["application"] is None
    assert gone["links"]["dashboard"] == "/projects/shop/monitoring"


def test_a_member_of_another_project_sees_none_of_it(stated: StatedAlertmanager, api: Api) -> None:
    assert api("out").send("GET", "/projects/shop/alerts").status_code == 404
    assert api("out").send("GET", "/projects/other/alerts").status_code == 404
    assert api("ada").send("GET", "/alerts").status_code == 403


def test_an_administrator_sees_all_and_chooses(stated: StatedAlertmanager, api: Api) -> None:
    def names(query: str = "") -> list[str]:
        answer = api("root").send("GET", f"/alerts{query}")
        assert answer.json["links"]["self"] == f"/api/v1/alerts{query}"
        return sorted(item["name"] for item in answer.json["items"])

    assert len(names()) == 7
    assert names("?state=silenced") == ["Known"]
    assert names("?namespace=other") == ["Others"]
    assert names("?severity=critical&namespace=shop&state=firing") == ["Operators", "Restarts"]
    assert names("?severity=grave") == []
    assert api("root").send("GET", "/alerts?state=loud").status_code == 422


@pytest.mark.parametrize(
    ("labels", "path"),
    [
        ({**MINE, "workload": "web"}, "croft-application?var-namespace=shop&var-application=web"),
        (MINE, "croft-project?var-namespace=shop"),
        ({"audience": "operator", "namespace": "shop"}, "croft-namespaces?var-namespace=shop"),
        ({"audience": "operator", "job": "node", "node": "a b&c"}, "croft-nodes?var-node=a+b%26c"),
        ({"audience": "operator", "job": "etcd", "node": "croft-1"}, "croft-control-plane"),
        ({"audience": "operator", "job": "portal", "namespace": "croft"}, "croft-portal"),
        ({}, "croft-cluster"),
    ],
)
def test_each_alert_leads_to_the_measurements_behind_it(labels: dict[str, str], path: str) -> None:
    assert dashboard_of(labels) == f"/monitoring/{path}"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", None),
        ("https://example.org/x", "https://example.org/x"),
        ("docs/runbooks/X.md", "docs/runbooks/X.md"),
        ("javascript:alert(1)", None),
    ],
)
def test_a_runbook_is_an_address_or_a_path(written: str, found: str | None) -> None:
    assert runbook_of({"runbook_url": written}) == found


def test_without_monitoring_it_is_said(api: Api, app: Portal) -> None:
    assert app.config["CROFT"].alertmanager_url == ""
    answer = api("ada").send("GET", "/projects/shop/alerts")
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/monitoring-not-installed")
    assert api("root").send("GET", "/alerts").json["type"] == "/problems/monitoring-not-installed"
    assert api("out").send("GET", "/projects/shop/alerts").status_code == 404
