"""The system's Chromium, signed in to the portal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import ARGUMENTS, CHROMIUM
from tests.playbook import ROOT


@contextmanager
def signed_in(url: str, name: str, password: str, height: int = 900) -> Iterator[Page]:
    """Open a page that is signed in; what the browser complains of (a refused script, say) fails the test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(base_url=url, viewport={"width": 1280, "height": height}).new_page()
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
        yield page
        browser.close()
        assert errors == []


def picture(page: Page, name: str) -> None:
    """Save a picture for the documentation, when PICTURES=1 asks for fresh ones."""
    if os.environ.get("PICTURES"):
        page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")
