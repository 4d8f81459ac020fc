"""Dashboards in a real browser, with measured data: drawn, zoomed, refreshed; both themes, and a phone."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.prometheus import Monitored, binary
from tests.webapp.monitoring import conftest, measurements
from tests.webapp.monitoring.conftest import monitoring_of
from tests.webapp.pages.browser import chromium, listen, serve, sign_in
from tests.webapp.pages.visits import faults
from webapp.monitoring.units import written

pytestmark = pytest.mark.slow

WIDE, PHONE = {"width": 1400, "height": 1000}, {"width": 360, "height": 740}
MODES = {"light": (WIDE, "light"), "dark": (WIDE, "dark"), "phone": (PHONE, "light")}
APPLICATION = "/projects/shop/applications/web/monitoring"
PAGES = {
    "application": ("linus", APPLICATION),
    "project": ("ada", "/projects/shop/monitoring"),
    "pods": ("ada", "/projects/shop/monitoring/croft-pods"),
    "cluster": ("root", "/monitoring/croft-cluster"),
    "nodes": ("root", "/monitoring/croft-nodes"),
    "control-plane": ("root", "/monitoring/croft-control-plane"),
    "namespaces": ("root", "/monitoring/croft-namespaces"),
    "portal": ("root", "/monitoring/croft-portal"),
}
UNITS = (
    "short",
    "percentunit",
    "bytes",
    "Bps",
    "reqps",
    "s",
    "ms",
    "d",
    "cores",
    "iops",
    "celsius",
    "dtdurations",
)
NUMBERS = (
    0,
    1,
    -1,
    0.25,
    0.000123,
    0.05,
    3.14159,
    42.42,
    999.9,
    1000,
    1536,
    90_061,
    12_345_678,
    2.5e12,
    -0.00001,
)


def browser_files() -> Path:
    """Return the folder of files that come with the bundle."""
    given = os.environ.get("CROFT_BROWSER_FILES")
    return Path(given) if given else binary("prometheus").parent.parent / "browser"


@pytest.fixture(scope="module")
def url(monitored: Monitored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a portal in front of that Prometheus."""
    settings = {**monitored.settings, "browser_files": browser_files()}
    with serve(lambda address: conftest.make(tmp_path_factory.mktemp("portal"), address, **settings)) as (
        address,
        app,
    ):
        # What a busy machine takes is no matter here.
        monitoring_of(app).prometheus.limit_s = 30
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all."""
    with chromium() as found:
        yield found


def window(browser: Browser, url: str, name: str, mode: str = "light") -> tuple[Page, list[str]]:
    """Open a window of this user's; also returns the errors that the browser reports."""
    viewport, theme = MODES[mode]
    context = browser.new_context(
        base_url=url, viewport=viewport, color_scheme=theme, reduced_motion="reduce", timezone_id="UTC"
    )
    context.set_default_timeout(60_000)
    reported = listen(context)
    page = context.new_page()
    sign_in(page, url, name)
    return page, reported


def open_all(page: Page, path: str) -> None:
    """Open a dashboard, and wait until each of its panels has been scrolled to and shows something."""
    page.goto(path)
    page.locator("details.section").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    for panel in page.locator("[data-panel]").all():
        panel.scroll_into_view_if_needed()
        expect(panel.locator("[data-waiting]")).to_have_count(0, timeout=60_000)
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PAGES)
def test_every_dashboard_is_drawn(browser: Browser, url: str, name: str, mode: str) -> None:
    user, path = PAGES[name]
    page, reported = window(browser, url, user, mode)
    open_all(page, path)
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder, f"monitoring_{name}_{mode}.png"), full_page=True)
    assert page.locator(".panel-failure").all_inner_texts() == []
    assert page.locator(".u-over").count() > 3
    assert faults(page) == []
    assert reported == []
    page.context.close()


def panel(page: Page, title: str) -> "Page":
    """Return the panel with this title."""
    return page.locator(".panel").filter(has=page.get_by_role("heading", name=title, exact=True))  # type: ignore[return-value]


def test_dragging_zooms_and_back_leads_out_again(browser: Browser, url: str) -> None:
    page, _ = window(browser, url, "ada")
    open_all(page, f"{APPLICATION}?from=now-1h&to=now")
    chart = panel(page, "Requests by status class").locator(".u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=20\d\d-"))
    begin, end = (
        page.evaluate(f"new URLSearchParams(location.search).get('{key}')") for key in ("from", "to")
    )
    seconds = page.evaluate(f"(Date.parse('{end}') - Date.parse('{begin}')) / 1000")
    assert 850 <= seconds <= 950
    page.get_by_role("button", name="Zoom out").click()
    page.wait_for_function(f"new URLSearchParams(location.search).get('from') < '{begin}'")
    page.go_back()
    page.go_back()
    expect(page.get_by_label("Time", exact=True)).to_have_value("now-1h")
    assert "from=now-1h" in page.url
    page.context.close()


def test_time_range_and_exact_times_are_chosen(browser: Browser, url: str) -> None:
    page, _ = window(browser, url, "ada")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/panels/" in request.url else None)
    open_all(page, APPLICATION)
    asked.clear()
    page.get_by_label("Time", exact=True).select_option("now-15m")
    page.wait_for_url(re.compile(r"from=now-15m"))
    page.wait_for_function("!document.querySelector('.panel [aria-busy]')")
    page.get_by_text("From and to").click()
    begin = page.locator("#exact-from")
    begin.fill(page.evaluate("new Date(Date.now() - 5400000).toISOString().slice(0, 16)"))
    page.get_by_role("button", name="Show this time").click()
    page.wait_for_url(re.compile(r"from=20\d\d-\d\d-\d\dT"))
    expect(panel(page, "Ready replicas").locator(".number").first).to_be_visible()
    assert any("from=now-15m" in address for address in asked)
    page.context.close()


def pointed_at(browser: Browser, url: str) -> tuple[Page, Locator]:
    """Return an application's page and one of its charts, with the pointer on a moment of it."""
    page, _ = window(browser, url, "linus")
    open_all(page, f"{APPLICATION}?from=now-1h")
    one = panel(page, "Requests by status class")
    one.scroll_into_view_if_needed()
    one.locator(".u-over").hover(position={"x": 200, "y": 60})
    return page, one


def test_the_pointer_shows_all_values_of_a_moment_and_a_click_hides_a_curve(
    browser: Browser, url: str
) -> None:
    page, one = pointed_at(browser, url)
    tip = one.locator(".tip")
    expect(tip).to_be_visible()
    assert [item for item in ("2xx", "3xx", "4xx", "5xx") if item in tip.inner_text()] == [
        "2xx",
        "3xx",
        "4xx",
        "5xx",
    ]
    assert re.search(r"\d req/s", tip.inner_text())
    button = one.get_by_role("button", name="2xx")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Refresh now").click()
    one.scroll_into_view_if_needed()
    # It stays hidden when the values come anew.
    expect(one.get_by_role("button", name="2xx")).to_have_attribute("aria-pressed", "false")
    one.locator(".u-over").hover(position={"x": 200, "y": 60})
    expect(one.locator(".tip")).to_contain_text("3xx")
    expect(one.locator(".tip")).not_to_contain_text("2xx")
    page.context.close()


def test_whoever_points_at_a_moment_goes_on_reading_there_when_the_values_come_anew(
    browser: Browser, url: str
) -> None:
    page, one = pointed_at(browser, url)
    expect(one.locator(".tip")).to_contain_text("3xx")
    one.locator(".uplot").evaluate("plot => plot.dataset.before = 'yes'")
    page.get_by_role("button", name="Refresh now").evaluate("button => button.click()")
    expect(one.locator(".uplot:not([data-before])")).to_be_visible()
    expect(one.locator(".tip")).to_contain_text("3xx")
    page.mouse.move(2, 2)
    expect(one.locator(".tip")).to_be_hidden()
    page.context.close()


def test_variables_are_filled_chosen_and_kept_in_the_address(browser: Browser, url: str) -> None:
    page, _ = window(browser, url, "ada")
    open_all(page, "/projects/shop/monitoring/croft-pods?from=now-1h")
    text = page.locator("#toolbar").inner_text()
    assert measurements.SECRET not in text
    page.locator("#toolbar summary").filter(has_text="Pod").click()
    page.get_by_role("checkbox", name="web-5c9d7b6f4-x2k9p").click()
    page.wait_for_url(re.compile(r"var-pod=web-5c9d7b6f4-x2k9p"))
    expect(page.locator("#toolbar summary").filter(has_text="Pod")).to_contain_text("web-5c9d7b6f4-x2k9p")
    page.context.close()


def test_links_lead_to_the_next_level(browser: Browser, url: str) -> None:
    page, _ = window(browser, url, "linus")
    open_all(page, "/projects/shop/monitoring")
    table = panel(page, "Applications")
    table.scroll_into_view_if_needed()
    table.get_by_role("link", name="web", exact=True).click()
    page.wait_for_url(re.compile(r"/projects/shop/applications/web/monitoring"))
    page.goto("/projects/shop/applications/web")
    page.get_by_role("link", name="Monitoring").click()
    page.wait_for_url(re.compile(r"/applications/web/monitoring"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("web")
    page.context.close()


def test_without_scripts_all_values_stand_in_tables(browser: Browser, url: str) -> None:
    page, _ = window(browser, url, "linus")
    page.goto(f"{url}{APPLICATION}?from=now-1h")
    state = page.context.storage_state()
    page.context.close()
    context = browser.new_context(base_url=url, java_script_enabled=False, storage_state=state, viewport=WIDE)
    plain = context.new_page()
    plain.goto(f"{APPLICATION}?from=now-1h")
    plain.locator("noscript a").click()
    plain.wait_for_url(re.compile("view=tables"))
    text = plain.locator("#panel-title, .dashboard").inner_text()
    assert re.search(r"2xx\s+[\d.]+ req/s", text)
    context.close()


def test_the_browser_writes_numbers_as_the_server_does(browser: Browser, url: str) -> None:
    page, _ = window(browser, url, "linus")
    page.goto(APPLICATION)
    address = page.locator("script[src*='monitoring/dashboard.js']").get_attribute("src")
    assert address is not None
    module = address.replace("dashboard.js", "units.js")
    script = f"""async ([units, numbers]) => {{
      const {{ written }} = await import({json.dumps(module)});
      return units.map((unit) => numbers.map((number) => written(number, unit)));
    }}"""
    found = page.evaluate(script, [list(UNITS), list(NUMBERS)])
    assert found == [[str(written(number, unit)) for number in NUMBERS] for unit in UNITS]
    page.context.close()
