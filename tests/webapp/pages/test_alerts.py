"""Pages of alerts, against a real Alertmanager."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alertmanager import AlertmanagerProcess, to_portal
from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.pages.conftest import Visit
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp import alerts
from webapp.alerts.alertmanager import Alertmanager
from webapp.openapi import Portal

# The package has a function of the same name.
MODULE = sys.modules[Alertmanager.__module__]
MINE = {"audience": "project", "namespace": "shop", "severity": "warning"}
RESTARTS = {"summary": "web keeps restarting", "description": "It ends with <code> 1."}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertmanagerProcess]:
    """An Alertmanager with some alerts."""
    found = AlertmanagerProcess(tmp_path_factory.mktemp("alertmanager"), to_portal())
    found.tell({**MINE, "alertname": "Restarts", "workload": "web"}, RESTARTS)
    found.tell({**MINE, "alertname": "Quota", "severity": "critical"}, {"summary": "The quota is used up"})
    found.tell({**MINE, "alertname": "Known"}, {"summary": "Somebody knows"})
    found.tell({**MINE, "alertname": "Others", "namespace": "other"}, {"summary": "Elsewhere"})
    found.tell({"alertname": "NodeDown", "audience": "operator"}, {"summary": "A node is gone"})
    # What a label says is never a part of the question.
    found.tell({**MINE, "alertname": "Odd", "namespace": 'shop",audience="project'}, {"summary": "Odd"})
    found.silence("alertname", "Known")
    # A silence counts once Alertmanager has looked at it.
    deadline = time.monotonic() + 30
    while not any(alert.silenced for alert in Alertmanager(found.url).alerts({})):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def shop(app: Portal, api: Api, cluster: StatedCluster) -> None:
    """A project of ada's with one application."""
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)


@pytest.fixture
def installed(app: Portal, source: AlertmanagerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portal reads from the Alertmanager, and gives it time."""
    monkeypatch.setattr(MODULE, "BRIEF_S", 20)
    monkeypatch.setitem(app.extensions, alerts.KEY, Alertmanager(source.url))


@pytest.fixture
def silent(app: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An Alertmanager that takes connections, and never says anything."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(64)
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setitem(app.extensions, alerts.KEY, Alertmanager(url))
        yield


@pytest.mark.usefixtures("installed")
def test_a_member_reads_what_fires_and_what_to_do(visit: Visit) -> None:
    page = visit("eve").get("/projects/shop/alerts")
    assert page.status == 200
    assert page.text.index("The quota is used up") < page.text.index("web keeps restarting")
    assert "It ends with <code> 1." in page.text
    assert "Warning" in page.text
    assert "Silenced Somebody knows" in page.text
    assert "workload=web" in page.text
    assert 'href="/projects/shop/applications/web/monitoring"' in page.html
    for hidden in ("Elsewhere", "A node is gone", "Odd"):
        assert hidden not in page.text
    assert visit("out").get("/projects/shop/alerts").status == 404


@pytest.mark.usefixtures("installed")
def test_pages_of_project_and_application_tell_of_their_own(visit: Visit) -> None:
    project = visit("eve").get("/projects/shop").text
    assert "The quota is used up, and 1 more. See all 2 alerts" in project
    assert "Alerts 2 firing" in project
    application = visit("eve").get("/projects/shop/applications/web").text
    assert "web keeps restarting. See the alert" in application
    assert "The quota is used up" not in application


@pytest.mark.usefixtures("installed")
def test_an_administrator_filters_all_alerts(visit: Visit) -> None:
    root = visit("root")
    page = root.get("/alerts")
    for shown in ("Elsewhere", "A node is gone", "web keeps restarting", "Somebody knows"):
        assert shown in page.text
    assert 'href="/alerts"' in page.html
    chosen = root.get("/alerts?namespace=other&severity=warning&state=firing").text
    assert "Elsewhere" in chosen
    assert "web keeps restarting" not in chosen
    assert "Somebody knows" not in root.get("/alerts?state=firing").text
    assert "Nothing fits" in root.get("/alerts?severity=info").text
    assert root.get("/alerts?state=loud").status == 200
    assert visit("ada").get("/alerts").status == 403
    assert 'href="/alerts"' not in visit("ada").get("/projects").html


def test_where_nothing_fires_it_says_so(
    visit: Visit, app: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "BRIEF_S", 20)
    empty = AlertmanagerProcess(tmp_path, to_portal())
    try:
        monkeypatch.setitem(app.extensions, alerts.KEY, Alertmanager(empty.url))
        assert "Nothing fires" in visit("ada").get("/projects/shop/alerts").text
        assert "Nothing fires" in visit("root").get("/alerts").text
        assert "Alerts None" in visit("ada").get("/projects/shop").text
    finally:
        empty.close()


@pytest.mark.usefixtures("silent")
def test_pages_work_while_alertmanager_is_silent_and_say_so(visit: Visit) -> None:
    ada = visit("ada")
    began = time.monotonic()
    page = ada.get("/projects/shop/alerts")
    assert page.status == 200
    assert "The alerts cannot be read: Alertmanager does not answer." in page.text
    assert 2 <= time.monotonic() - began < 6
    # Other pages do not wait for it again.
    began = time.monotonic()
    assert "Alerts Not known now" in ada.get("/projects/shop").text
    assert ada.get("/projects/shop/applications/web").status == 200
    assert time.monotonic() - began < 3


def test_an_alertmanager_that_ends_is_noticed(
    visit: Visit, app: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = AlertmanagerProcess(tmp_path, to_portal())
    monkeypatch.setitem(app.extensions, alerts.KEY, Alertmanager(found.url))
    found.tell({**MINE, "alertname": "Restarts"}, RESTARTS)
    assert "web keeps restarting" in visit("ada").get("/projects/shop/alerts").text
    found.close()
    page = visit("ada").get("/projects/shop/alerts")
    assert "The alerts cannot be read: Alertmanager does not answer." in page.text
    # Nothing is shown that may be over meanwhile.
    assert "web keeps restarting" not in page.text
    assert "Not known now" in visit("ada").get("/projects/shop").text


def test_without_monitoring_pages_say_so_and_nothing_leads_there(visit: Visit) -> None:
    page = visit("ada").get("/projects/shop/alerts")
    assert (page.status, "Monitoring is not installed on this cluster." in page.text) == (200, True)
    assert 'href="/projects/shop/alerts"' not in visit("ada").get("/projects/shop").html
