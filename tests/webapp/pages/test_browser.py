"""Pages in a real browser: live jobs, forms with and without scripts, keyboard, accessibility."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.webapp.pages import seed
from tests.webapp.pages.browser import Served, chromium, listen, served, sign_in
from webapp.cluster.state import Namespace
from webapp.db import db, writing
from webapp.jobs import stream
from webapp.jobs.effects import end
from webapp.jobs.events import NewEvent, append
from webapp.jobs.models import Job

pytestmark = pytest.mark.slow

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with chromium() as found:
        yield found


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Served]:
    """A portal without projects."""
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, portal: Served) -> Iterator[Open]:
    """Opens windows in which ada is signed in; errors that the browser reports fail the test."""
    contexts, reported = [], []

    def open_(name: str | None = "ada", **settings: Any) -> Page:
        context = browser.new_context(base_url=portal.url, **{"viewport": WIDE, **settings})
        contexts.append(context)
        reported.append(listen(context))
        page = context.new_page()
        if name is not None:
            sign_in(page, portal.url, name)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [error for errors in reported for error in errors if "status of 4" not in error] == []


def tell(portal: Served, job_id: str, *events: NewEvent) -> None:
    """Let a job run and add events to it, as a worker does."""
    with portal.app.app_context(), writing() as session:
        job = session.get_one(Job, job_id)
        job.state = "running"
        append(session, job, events)


def finish(portal: Served, job_id: str, state: str, message: str) -> None:
    """End a job, as a worker does."""
    with portal.app.app_context(), writing() as session:
        end(session, session.get_one(Job, job_id), state, message)


def new_project(page: Page, name: str = "shop") -> str:
    """Create a project through the pages and return the id of its job."""
    page.goto("/projects/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("radio", name="Small").check()
    page.get_by_role("button", name="Create project").click()
    page.wait_for_url(re.compile("/jobs/"))
    return page.url.rpartition("/")[2]


def make_ready(portal: Served, job_id: str) -> None:
    """Let the job of the project shop succeed, in the cluster too."""
    portal.cluster.namespaces["shop"] = Namespace("shop", "shop", False)
    finish(portal, job_id, "succeeded", "Project 'shop' is ready.")


def words(page: Page) -> list[str]:
    """Return the texts of the job's lines."""
    return [text.strip() for text in page.locator("#events .text").all_inner_texts()]


def test_a_job_is_watched_to_its_end_without_a_reload(portal: Served, open_page: Open) -> None:
    page = open_page()
    job_id = new_project(page)
    expect(page.locator("#job-state")).to_have_text("Waiting")
    expect(page.get_by_text("New lines appear by themselves.")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    tell(
        portal,
        job_id,
        NewEvent("state", "Started", {"state": "running"}),
        NewEvent("task", "Release the project"),
    )
    expect(page.locator("#job-state")).to_have_text("Running")
    expect(page.locator("#events .e-task")).to_have_text(re.compile("Release the project"))
    expect(page.locator("[data-since]")).to_have_text(re.compile(r"^\d+ s$"))
    tell(portal, job_id, NewEvent("changed", "Release the project", {"duration": 1.42}))
    expect(page.locator("#events .e-changed")).to_contain_text("Release the project 1.4 s")
    finish(portal, job_id, "succeeded", "Project 'shop' is ready.")
    expect(page.locator("#job-state")).to_have_text("Succeeded")
    expect(page.locator("#job-message")).to_have_text("Project 'shop' is ready.")
    expect(page.get_by_role("button", name="Cancel job")).to_have_count(0)
    live = words(page)
    assert live == ["Waiting for a worker", "Started", "Release the project", "Succeeded"]
    assert page.evaluate("window.sameDocument") is True
    page.reload()
    assert words(page) == live
    page.get_by_role("link", name="Go to the project").click()
    expect(page.get_by_role("heading", name="shop", exact=True)).to_be_visible()


def test_lines_survive_a_broken_connection(
    portal: Served, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_AGE", 0.2)
    monkeypatch.setattr(stream, "HEARTBEAT", 0.1)
    monkeypatch.setattr(stream, "RETRY_MS", 50)
    page = open_page()
    job_id = new_project(page)
    said = [f"line {number}" for number in range(30)]
    for text in said:
        tell(portal, job_id, NewEvent("progress", text))
        page.wait_for_timeout(40)
    finish(portal, job_id, "failed", "It broke.")
    expect(page.locator("#job-state")).to_have_text("Failed")
    assert words(page) == ["Waiting for a worker", *said, "Failed"]


def test_a_job_that_has_ended_before_the_page_looks(portal: Served, open_page: Open) -> None:
    page = open_page()

    def end_first(route: Route) -> None:
        finish(portal, route.request.url.split("/")[-2], "succeeded", "Done.")
        route.continue_()

    page.route("**/events?*", end_first)
    new_project(page)
    expect(page.locator("#job-state")).to_have_text("Succeeded")


def test_a_job_is_cancelled(portal: Served, open_page: Open) -> None:
    page = open_page()
    new_project(page)
    page.get_by_role("button", name="Cancel job").click()
    expect(page.locator("#job-state")).to_have_text("Cancelled")


def test_the_project_page_follows_the_state(portal: Served, open_page: Open) -> None:
    page = open_page()
    job_id = new_project(page)
    page.goto("/projects/shop")
    expect(page.locator("#live-state")).to_have_text("Being created")
    finish(portal, job_id, "succeeded", "Ready.")
    expect(page.locator("#live-state")).to_have_text("Ready", timeout=15_000)
    expect(page.locator("#live-notice")).to_be_empty()


def test_an_older_answer_that_comes_later_changes_nothing(portal: Served, open_page: Open) -> None:
    page = open_page()
    job_id = new_project(page)
    page.route("**/changes", lambda route: route.fulfill(status=404))
    page.goto("/projects/shop")
    older: list[tuple[Route, APIResponse]] = []

    def hold_first(route: Route) -> None:
        if older or route.request.resource_type != "fetch":
            route.continue_()
        else:
            older.append((route, route.fetch()))

    page.route("**/projects/shop", hold_first)
    page.evaluate(
        """async () => {
          const script = document.querySelector("script[src*='croft.js']").src;
          const { refresh } = await import(new URL("live.js", script));
          Object.assign(window, { refresh, older: refresh() });
        }"""
    )
    while not older:
        page.wait_for_timeout(20)
    finish(portal, job_id, "succeeded", "Ready.")
    assert page.evaluate("refresh()") == "done"
    expect(page.locator("#live-state")).to_have_text("Ready")
    route, answer = older[0]
    route.fulfill(response=answer)
    assert page.evaluate("older") == "done"
    assert page.locator("#live-state").inner_text() == "Ready"


def test_rows_are_added_and_removed_in_place(portal: Served, open_page: Open) -> None:
    page = open_page()
    make_ready(portal, new_project(page))
    page.goto("/projects/shop/applications/new")
    page.get_by_label("Name", exact=True).fill("web")
    page.get_by_label("Image").fill("web:1")
    page.get_by_role("button", name="Add a port").click()
    expect(page.locator("#ports\\.1\\.name")).to_be_focused()
    page.locator("#ports\\.1\\.name").fill("metrics")
    page.locator("#ports\\.1\\.targetPort").fill("9090")
    page.get_by_text("Environment and secrets").click()
    for name in ("ONE", "TWO", "THREE"):
        page.get_by_role("button", name="Add a variable").click()
        page.get_by_label("Variable").last.fill(name)
        page.get_by_label("Value", exact=True).last.fill(f"env.0.{name}")
    page.get_by_role("button", name="Remove this variable").nth(1).click()
    expect(page.get_by_label("Variable")).to_have_count(2)
    page.get_by_role("button", name="Create application").click()
    page.wait_for_url(re.compile("/jobs/"))
    with portal.app.app_context():
        request = db.session.get_one(Job, page.url.rpartition("/")[2]).request
    assert request is not None
    assert request["application"]["env"] == [
        {"name": "ONE", "value": "env.0.ONE"},
        {"name": "THREE", "value": "env.0.THREE"},
    ]
    assert [port["targetPort"] for port in request["application"]["ports"]] == [8080, 9090]


def test_a_size_fills_the_limits(open_page: Open) -> None:
    page = open_page()
    page.goto("/projects/new")
    expect(page.get_by_label("CPU", exact=True)).to_be_hidden()
    page.get_by_role("radio", name="Large").check()
    page.get_by_role("radio", name="Own limits").check()
    expect(page.get_by_label("CPU", exact=True)).to_have_value("4")
    expect(page.get_by_label("Memory", exact=True)).to_have_value("8Gi")


def test_the_error_summary_leads_to_the_fields(portal: Served, open_page: Open) -> None:
    page = open_page()
    make_ready(portal, new_project(page))
    page.goto("/projects/shop/applications/new")
    page.get_by_label("Name", exact=True).fill("web")
    page.get_by_label("Image").fill("web:1")
    page.get_by_text("Resources", exact=True).click()
    page.get_by_label("CPU limit").fill("fast")
    page.get_by_role("button", name="Create application").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    page.get_by_text("Resources", exact=True).click()
    expect(page.get_by_label("CPU limit")).to_be_hidden()
    summary.get_by_role("link", name=re.compile("CPU limit")).click()
    field = page.get_by_label("CPU limit")
    expect(field).to_be_focused()
    expect(field).to_have_value("fast")
    expect(field).to_have_accessible_description(re.compile("'fast' is not a quantity"))


def test_a_second_click_sends_nothing(portal: Served, open_page: Open) -> None:
    page = open_page()
    page.goto("/projects/new")
    page.get_by_label("Name", exact=True).fill("shop")
    page.get_by_role("button", name="Create project").dblclick()
    page.wait_for_url(re.compile("/jobs/"))
    page.goto("/jobs")
    expect(page.get_by_role("row").filter(has_text="shop")).to_have_count(1)


def test_the_account_menu_works_with_the_keyboard(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    menu = page.locator(".menu > summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_everything_works_without_scripts(portal: Served, open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/projects/new")
    page.get_by_label("Name", exact=True).fill("shop")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("User").fill("grace")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_role("heading", name="Create project shop")).to_be_visible()
    make_ready(portal, page.url.rpartition("/")[2])
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Project 'shop' is ready.")).to_be_visible()
    page.get_by_role("link", name="Go to the project").click()
    page.get_by_role("link", name="New application").click()
    page.get_by_label("Name", exact=True).fill("web")
    page.get_by_label("Image").fill("web:1")
    page.get_by_role("button", name="Create application").click()
    expect(page.get_by_role("heading", name="Create application web")).to_be_visible()


@pytest.mark.parametrize(("theme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["light", "dark"])
def test_every_page_is_accessible(
    portal: Served, open_page: Open, theme: str, viewport: dict[str, int]
) -> None:
    stranger = open_page(None, viewport=viewport, color_scheme=theme)
    page = open_page(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
    found = [violations(stranger, "/sign-in"), violations(page, "/projects"), violations(page, "/jobs")]
    with portal.app.app_context():
        jobs = seed.fill(portal.cluster)
    web = "/projects/shop/applications/web"
    for path in (
        "/projects",
        "/projects/new",
        "/projects/shop",
        "/projects/lab",
        "/projects/statistics-course-2026",
        "/projects/shop/edit",
        "/projects/shop/delete",
        "/projects/shop/applications/new",
        web,
        "/projects/shop/applications/mail",
        f"{web}/edit",
        f"{web}/delete",
        "/jobs",
        "/jobs?project=shop",
        f"/jobs/{jobs['running']}",
        f"/jobs/{jobs['failed']}",
        "/nowhere",
    ):
        found.append(violations(page, path))
    page.goto("/projects/shop/applications/new")
    page.get_by_role("button", name="Create application").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found.append(violations(page, None))
    assert [line for lines in found for line in lines] == []


def violations(page: Page, path: str | None) -> list[str]:
    """Open a page with all its sections and return what axe finds, and if it is wider than the window."""
    if path is not None:
        page.goto(path)
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    address = page.url
    found = [
        f"{address}: {item['id']}: {node['target']} {node['failureSummary']}"
        for item in Axe().run(page).response["violations"]
        for node in item["nodes"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"{address}: wider than the window")
    return found
