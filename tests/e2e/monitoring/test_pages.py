"""Every dashboard as a page of the portal, in a real browser, with what the real cluster measures."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import picture, signed_in
from tests.e2e.monitoring import dashboards, empty
from tests.e2e.monitoring.prometheus import Prometheus
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e
PROJECT_UID, APPLICATION_UID = "croft-project", "croft-application"


@pytest.fixture(scope="module")
def page(portal_url: str, admin: tuple[str, str]) -> Iterator[Page]:
    """A page that is signed in as the administrator."""
    with signed_in(portal_url, *admin, height=1000) as opened:
        yield opened


@pytest.fixture(scope="module")
def measured(prometheus: Prometheus, busy: str) -> str:
    """The busy project, once its requests have been counted and its volume has been measured."""
    counted = f'rate(envoy_cluster_upstream_rq{{namespace="{busy}",envoy_response_code="500"}}[1m]) > 0'
    eventually(lambda: prometheus.query(counted), 120, "requests to the busy application are not counted")
    volume = f'croft_volume_capacity_bytes{{namespace="{busy}"}}'
    eventually(lambda: prometheus.query(volume), 180, "the volume of the busy application is not measured")
    return busy


def addresses(project: str) -> dict[str, str]:
    """Where each dashboard is opened, by the name of its picture."""
    chosen = {"croft-pods": {"var-namespace": project}, "croft-namespaces": {"var-namespace": project}}
    found = {
        uid: f"/monitoring/{uid}?{urlencode({'from': 'now-15m', **chosen.get(uid, {})})}"
        for uid in dashboards.uids()
        if uid not in (PROJECT_UID, APPLICATION_UID)
    }
    found[PROJECT_UID] = f"/projects/{project}/monitoring?from=now-15m"
    found[APPLICATION_UID] = f"/projects/{project}/applications/web/monitoring?from=now-15m"
    return found


def load(page: Page) -> None:
    """Open every section, and bring every panel into view: only then it asks for what it shows."""
    # From here on the page is whole, knows its variables, and asks for every panel that comes into view.
    expect(page.locator("#dashboard-status")).to_contain_text("Updated")
    closed = page.locator("details.section:not([open]) > summary")
    while closed.count():
        closed.first.click()
    for panel in page.locator("[data-panel]").all():
        panel.scroll_into_view_if_needed()
    expect(page.locator("[data-waiting]")).to_have_count(0, timeout=30_000)


def panels_with_nothing(page: Page, uid: str) -> set[str]:
    """Titles of the panels that show nothing and have no reason for it."""
    shown = ":is([data-chart], .stats, .gauges, .bars, tbody tr)"
    return {
        panel["title"]
        for panel in dashboards.panels(uid)
        if page.locator(f"#panel-{panel['id']} {shown}").count() == 0
        and not empty.panel_is_empty(uid, panel["title"])
    }


@pytest.mark.parametrize("uid", dashboards.uids())
def test_a_dashboard_shows_what_is_measured(page: Page, measured: str, uid: str) -> None:
    page.goto(addresses(measured)[uid])
    load(page)
    failures = page.locator(".panel-failure")
    # What takes too long is given up and said; whoever looks asks again.
    if failures.count():
        page.reload()
        load(page)
    assert failures.all_inner_texts() == []
    # The project is new: some of it has not been measured twice yet, or not been measured at all.
    settled = time.monotonic() + 120
    while (nothing := panels_with_nothing(page, uid)) and time.monotonic() < settled:
        page.reload()
        load(page)
    assert nothing == set()
    drawn = page.locator("[data-chart] canvas")
    assert drawn.count() == page.locator("[data-chart]").count() > 0
    page.evaluate("window.scrollTo(0, 0)")
    picture(page, f"monitoring-{uid.removeprefix('croft-')}")


def test_a_click_leads_from_the_cluster_down_to_a_pod(page: Page, measured: str) -> None:
    page.goto(f"/projects/{measured}/monitoring?from=now-15m")
    load(page)
    page.locator("[data-panel]", has_text="Applications").locator("a", has_text="web").first.click()
    expect(page).to_have_url(re.compile(r"croft-application|/applications/web/monitoring"))
    load(page)
    page.locator("[data-panel] a[href*='croft-pods']").first.click()
    expect(page.locator("h1")).to_contain_text("Pods")
