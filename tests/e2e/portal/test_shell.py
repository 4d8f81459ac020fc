"""A real shell in a real container, in a real browser: typed, resized, ended, and noted."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import ARGUMENTS, CHROMIUM
from tests.e2e.portal.live import STAY, create, printing, project_of
from tests.portal import Portal
from tests.samples import small_application

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def project(portal: Portal, kubectl: Callable[..., str], agnhost: str) -> Iterator[str]:
    """A project with an application whose image has a shell, and one whose image has none."""
    pods = json.loads(
        kubectl("get", "pods", "-n", "croft", "-l", "app.kubernetes.io/name=portal", "-o", "json")
    )
    image = pods["items"][0]["spec"]["containers"][0]["image"]
    with project_of(portal, "e2e-shell") as name:
        create(portal, name, "web", printing(image, STAY))
        create(portal, name, "bare", small_application(agnhost))
        yield name


@pytest.fixture
def page(project: str, portal_url: str, admin: tuple[str, str]) -> Iterator[Page]:
    """A page that is signed in; what the browser complains of (a refused style, a script) fails the test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = browser.new_context(base_url=portal_url, viewport={"width": 1280, "height": 900}).new_page()
        errors: list[str] = []
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto("/sign-in")
        opened.get_by_label("Name").fill(admin[0])
        opened.get_by_label("Password").fill(admin[1])
        opened.get_by_role("button", name="Sign in", exact=True).click()
        expect(opened.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
        yield opened
        browser.close()
        assert errors == []


def test_type_resize_and_leave(page: Page) -> None:
    page.goto("/projects/e2e-shell/applications/web/shell")
    page.get_by_label("Shell", exact=True).select_option("/bin/bash")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("#shell-status")).to_contain_text("Open in web-")
    rows = page.locator(".xterm-rows")
    page.keyboard.type("echo answer-$((40+2)); id -u; test -t 0 && echo a-terminal\n")
    expect(rows).to_contain_text("answer-42")
    expect(rows).to_contain_text("10001")
    expect(rows).to_contain_text("a-terminal")
    page.keyboard.type("echo wide-$(stty size | cut -d' ' -f2)-end\n")
    expect(rows).to_contain_text(re.compile(r"wide-\d+-end"))
    page.set_viewport_size({"width": 700, "height": 900})
    # The browser tells of its new size in the next frame.
    page.wait_for_timeout(1000)
    page.keyboard.type("echo narrow-$(stty size | cut -d' ' -f2)-end\n")
    expect(rows).to_contain_text(re.compile(r"narrow-\d+-end"))
    seen = dict(re.findall(r"(wide|narrow)-(\d+)-end", rows.inner_text()))
    assert int(seen["narrow"]) < int(seen["wide"])
    page.keyboard.type("exit\n")
    expect(page.locator("#shell-status")).to_contain_text("Closed: the shell has ended")
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_visible()


def test_an_image_without_a_shell_says_so(page: Page) -> None:
    page.goto("/projects/e2e-shell/applications/bare/shell")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("#shell-status")).to_contain_text("has no /bin/sh")
