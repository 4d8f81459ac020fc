"""A member's day in a real browser, on the real cluster: from signing in to a project that is gone."""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import ARGUMENTS, CHROMIUM
from tests.e2e.waiting import eventually
from tests.playbook import ROOT

pytestmark = pytest.mark.e2e

JOB_SECONDS = 90
ENDED = re.compile("Succeeded|Failed|Cancelled")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, portal_url: str, admin: tuple[str, str]) -> Iterator[Page]:
    """A page that is signed in; a page error or a failed script fails the test."""
    context = browser.new_context(base_url=portal_url, viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto("/projects")
    opened.get_by_label("Name").fill(admin[0])
    opened.get_by_label("Password").fill(admin[1])
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
    yield opened
    context.close()
    assert errors == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Save a picture for the documentation, when PICTURES=1 asks for fresh ones."""

    def save(page: Page, name: str) -> None:
        if os.environ.get("PICTURES"):
            page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")

    return save


def wait_for_job(page: Page) -> str:
    """Wait, without a reload, until the job on the page has ended; return the word for its state."""
    page.evaluate("window.unreloaded = true")
    expect(page.locator("#job-state")).to_have_text(ENDED, timeout=JOB_SECONDS * 1000)
    assert page.evaluate("window.unreloaded") is True
    return page.locator("#job-state").inner_text().strip()


def test_from_sign_in_to_a_project_that_is_gone(
    page: Page,
    agnhost: str,
    kubectl: Callable[..., str],
    settings: dict[str, Any],
    picture: Callable[[Page, str], None],
) -> None:
    # A project, with a mistake first: it is told at the field, and nothing is made.
    page.get_by_role("link", name="New project").first.click()
    page.locator("[name='name']").fill("Web Shop")
    page.locator("[name='description']").fill("Tried in a browser")
    page.get_by_role("button", name="Create project").click()
    expect(page.locator("#name-error")).to_contain_text("DNS label")
    expect(page.locator("[name='description']")).to_have_value("Tried in a browser")
    picture(page, "project-error")
    page.locator("[name='name']").fill("web-shop")
    page.get_by_role("button", name="Create project").click()
    assert wait_for_job(page) == "Succeeded"
    picture(page, "job")
    assert kubectl("get", "namespace", "web-shop", "-o", "name").strip() == "namespace/web-shop"

    # An application from an image of the bundle.
    page.goto("/projects/web-shop")
    page.get_by_role("link", name="New application").click()
    page.locator("[name='name']").fill("web")
    page.locator("[name='image']").fill(agnhost)
    page.locator("[name='ports.0.targetPort']").fill("8080")
    page.get_by_text("Command", exact=True).click()
    page.locator("[name='args']").fill("netexec\n--http-port=8080")
    page.get_by_role("button", name="Create application").click()
    assert wait_for_job(page) == "Succeeded"

    # It answers at its address, in the same browser.
    page.goto("/projects/web-shop/applications/web")
    address = page.get_by_role("link", name="Open").get_attribute("href")
    assert address == f"http://web.web-shop.localhost:{settings['http_port']}"
    application = page.context.new_page()
    eventually(
        lambda: (answer := application.goto(f"{address}/hostname")) and answer.ok,
        30,
        "Envoy does not know the application",
    )
    expect(application.locator("body")).to_contain_text("web-")
    application.close()

    # Two replicas.
    page.locator("[name='replicas']").fill("2")
    page.get_by_role("button", name="Change", exact=True).click()
    assert wait_for_job(page) == "Succeeded"
    page.goto("/projects/web-shop/applications/web")
    expect(page.locator("#live-pods tbody tr")).to_have_count(2)
    picture(page, "application")
    page.goto("/projects/web-shop")
    picture(page, "project")
    deployment = json.loads(kubectl("get", "deployment", "web", "-n", "web-shop", "-o", "json"))
    assert deployment["status"]["readyReplicas"] == 2

    # Deletion wants the name typed.
    page.goto("/projects/web-shop/applications/web/delete")
    page.locator("[name='confirm']").fill("wep")
    page.get_by_role("button", name="Delete application").click()
    expect(page.locator("#confirm-error")).to_be_visible()
    assert (
        kubectl("get", "deployment", "web", "-n", "web-shop", "-o", "name").strip() == "deployment.apps/web"
    )
    page.locator("[name='confirm']").fill("web")
    page.get_by_role("button", name="Delete application").click()
    assert wait_for_job(page) == "Succeeded"
    expect(page.locator("#live-job")).to_contain_text("nothing is left")
    assert (
        kubectl(
            "get",
            "all,secret,configmap,ingress,pvc",
            "-n",
            "web-shop",
            "-l",
            "croft.dev/application",
            "-o",
            "name",
        )
        == ""
    )

    page.goto("/projects/web-shop/delete")
    page.locator("[name='confirm']").fill("web-shop")
    page.get_by_role("button", name="Delete project").click()
    assert wait_for_job(page) == "Succeeded"
    assert kubectl("get", "namespace", "web-shop", "--ignore-not-found", "-o", "name") == ""
    releases = kubectl(
        "get", "secret", "-n", "croft-projects", "-l", "owner=helm,name=web-shop", "-o", "name"
    )
    assert releases == ""
    page.goto("/projects")
    expect(page.get_by_role("link", name="web-shop")).to_have_count(0)


def test_signing_in_leads_back_to_the_page_that_was_asked_for(page: Page, admin: tuple[str, str]) -> None:
    page.context.clear_cookies()
    page.goto("/jobs?project=web-shop")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Name").fill(admin[0])
    page.get_by_label("Password").fill(admin[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/jobs\?project=web-shop$"))


def test_wrong_password_says_so_and_not_more(browser: Browser, portal_url: str) -> None:
    context = browser.new_context(base_url=portal_url)
    opened = context.new_page()
    opened.goto("/sign-in")
    opened.get_by_label("Name").fill("nobody")
    opened.get_by_label("Password").fill("wrong")
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(opened.locator("body")).to_contain_text("password")
    expect(opened.locator("[name='password']")).to_have_value("")
    context.close()
