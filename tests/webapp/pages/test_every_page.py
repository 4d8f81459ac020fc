"""Every page that the portal has, found in the application itself: accessible, in bounds, with no error.

SHOTS=<folder> keeps a picture of every page there, to look at them all. PICTURES=1 makes those of docs/ anew.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Page

from tests.webapp.pages import everything
from tests.webapp.pages.browser import Served, chromium, listen, served, sign_in
from tests.webapp.pages.visits import addresses, faults

pytestmark = pytest.mark.slow

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
Expected: TypeAlias = Callable[[str], tuple[int, ...]]
MODES = {"light": (WIDE, "light"), "dark": (WIDE, "dark"), "phone": (PHONE, "light")}


@dataclass
class Filled:
    """A portal in which everything has happened, the addresses of its pages, and a browser."""

    portal: Served
    browser: Browser
    values: dict[str, str]
    paths: list[str]
    reported: list[str] = field(default_factory=list)

    def window(self, name: str | None, mode: str = "light", **settings: Any) -> Page:
        """Open a window in which the user is signed in; `mode`: one of MODES."""
        viewport, theme = MODES[mode]
        context = self.browser.new_context(
            base_url=self.portal.url,
            **{"viewport": viewport, "color_scheme": theme, "reduced_motion": "reduce", **settings},
        )
        self.reported = listen(context)
        page = context.new_page()
        if name is not None:
            sign_in(page, self.portal.url, name)
        return page


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """One portal and one browser for all tests of this file: they only look."""
    with served(tmp_path_factory.mktemp("portal"), **everything.SETTINGS) as portal, chromium() as browser:
        with portal.app.app_context():
            values = everything.fill(portal.cluster)
        yield Filled(portal, browser, values, list(addresses(portal.app, values)))


# The documentation's pictures: of the administrator's light pages, and a few of the others.
DOCS = Path(__file__).resolve().parents[3] / "docs" / "images"
PICTURES = {
    "light-/projects": "portal-projects",
    "light-/projects/shop": "portal-project",
    "light-/projects/shop/applications/web": "portal-application",
    "light-/projects/shop/applications/web/logs": "portal-logs",
    "light-/projects/shop/applications/web/revisions": "portal-revisions",
    "light-/plans/{plan_id}": "portal-plan",
    "light-/projects/shop/catalog/postgresql": "portal-catalog",
    "light-/projects/shop/delete": "portal-delete",
    "light-/jobs/{failed}": "portal-job",
    "light-/audit": "portal-audit",
    "light-/account": "portal-account",
    "dark-/projects/shop": "portal-dark",
    "phone-/projects/shop/applications/web": "portal-phone",
}


def keep_picture(page: Page, name: str, values: dict[str, str]) -> None:
    """Keep a picture of the page, if somebody wants to look at it, or the documentation shows it."""
    shown = {key.format(**values): file for key, file in PICTURES.items()}
    if os.environ.get("PICTURES") and name in shown:
        page.screenshot(path=DOCS / f"{shown[name]}.png")
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder, re.sub(r"\W+", "_", name) + ".png"), full_page=True)


def visit(filled: Filled, page: Page, expected: Expected, name: str, *, axe: bool = True) -> str:
    """Open every page and tell all that is wrong, line by line; `expected`: right statuses of an address."""
    found = []
    for path in filled.paths:
        answer = page.goto(path)
        assert answer is not None
        keep_picture(page, f"{name}-{path}", filled.values)
        if answer.status not in expected(path):
            found.append(f"{path}: answers {answer.status}")
        else:
            found += faults(page, axe=axe)
        # That a page answers 403 or 404 where it should is no error, though the browser calls it one.
        found += [
            f"{path}: {error}" for error in filled.reported if "responded with a status of 4" not in error
        ]
        filled.reported.clear()
    page.context.close()
    return "\n".join(found)


def as_administrator(path: str) -> tuple[int, ...]:
    """Everything is open, except what is not there."""
    return (404,) if path == "/nowhere" else (200,)


def as_member(path: str) -> tuple[int, ...]:
    """Some pages are for administrators or owners."""
    return (200, 403) if path != "/nowhere" else (404,)


def as_stranger(path: str) -> tuple[int, ...]:
    """What belongs to a project is not there for somebody who does not."""
    if path.startswith(("/projects/new", "/projects?", "/jobs?")) or path in ("/projects", "/jobs"):
        return (200,)
    if path.startswith(("/projects/", "/jobs/", "/plans/")) or path == "/nowhere":
        return (404,)
    return (200, 403)


@pytest.mark.parametrize("mode", MODES)
def test_every_page_as_an_administrator(filled: Filled, mode: str) -> None:
    assert visit(filled, filled.window("root", mode), as_administrator, mode) == ""


def test_every_page_as_an_owner(filled: Filled) -> None:
    assert visit(filled, filled.window("ada"), as_member, "ada") == ""


def test_every_page_as_a_viewer(filled: Filled) -> None:
    # Of the projects, linus is in shop alone.
    hidden = (
        "/projects/lab",
        "/projects/lab/alerts",
        "/projects/thesis-archive",
        "/projects/statistics-course-2026",
    )
    hidden += (f"/jobs/{filled.values['blocked']}",)

    def expected(path: str) -> tuple[int, ...]:
        return (404,) if path in hidden else as_member(path)

    assert visit(filled, filled.window("linus"), expected, "linus") == ""


def test_every_page_as_a_stranger(filled: Filled) -> None:
    assert visit(filled, filled.window("eve", "phone"), as_stranger, "eve", axe=False) == ""


def test_every_page_asks_to_sign_in(filled: Filled) -> None:
    page = filled.window(None)
    for path in filled.paths:
        if path not in ("/nowhere", "/sign-in", "/register"):
            page.goto(path)
            assert "/sign-in" in page.url or page.get_by_role("heading", name="Sign in").count(), path
    page.context.close()


def test_every_page_without_scripts(filled: Filled) -> None:
    page = filled.window("root", java_script_enabled=False)
    assert visit(filled, page, as_administrator, "plain", axe=False) == ""
