"""Sign-in with a real OpenID Connect provider in a real browser.

The portal is at localhost and its provider at 127.0.0.1: two sites for a browser, as in real life, so that it
treats the way back as one from a foreign site and holds back what it would hold back there.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from oidc_provider_mock import User as Person
from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.webapp.pages import seed
from tests.webapp.pages.browser import Served, chromium, listen, served
from tests.webapp.pages.browser import sign_in as sign_in_with_password
from webapp.members import services as members

pytestmark = pytest.mark.slow

GRACE = Person(sub="1001", claims={"preferred_username": "Grace Hopper", "email": "grace@example.org"})
BUTTON = "Sign in with Example Login"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with chromium() as found:
        yield found


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Served]:
    """A portal with ada's project shop, and a provider that knows GRACE."""
    with run_server_in_thread(user_claims=[GRACE], require_nonce=True) as provider:
        settings = {
            "oidc_issuer": f"http://127.0.0.1:{provider.server_port}",
            "oidc_client_id": "croft",
            "oidc_client_secret": "a client's secret",
            "oidc_name": "Example Login",
        }
        with served(tmp_path, **settings) as found:
            with found.app.app_context():
                seed.create_project(found.cluster, "shop")
            yield found


@pytest.fixture
def context(browser: Browser, portal: Served) -> Iterator[BrowserContext]:
    """A browser in which nobody is signed in; errors that it reports fail the test."""
    found = browser.new_context(base_url=portal.url, viewport={"width": 1280, "height": 800})
    # The provider's own pages ask for a style sheet from elsewhere; the tests speak to nobody.
    found.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(content_type="text/css", body=""))
    reported = listen(found)
    yield found
    found.close()
    assert [error for error in reported if "status of 401" not in error] == []


def to_the_provider(page: Page, portal: Served) -> None:
    """Click the button of the sign-in page, and arrive at the provider's own page."""
    page.get_by_role("link", name=BUTTON).click()
    expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()
    assert page.url.startswith(portal.app.config["CROFT"].oidc_issuer)


def agree(page: Page) -> None:
    """Sign in at the provider's page as Grace."""
    page.get_by_placeholder("sub").fill(GRACE.sub)
    page.get_by_role("button", name="Authorize", exact=True).click()


def sign_out(page: Page) -> None:
    """Sign out through the menu of the account."""
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_from_the_button_to_the_projects_and_out_again(portal: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/projects")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    to_the_provider(page, portal)
    agree(page)
    page.wait_for_url(f"{portal.url}/projects")
    expect(page.locator(".menu > summary")).to_have_text(re.compile("grace-hopper"))
    expect(page.get_by_role("link", name="shop", exact=True)).to_have_count(0)

    with portal.app.app_context():
        members.put(seed.user("ada"), "shop", "grace-hopper", "viewer", new=True)
    page.reload()
    page.get_by_role("link", name="shop", exact=True).click()
    expect(page.get_by_role("heading", name="shop", exact=True)).to_be_visible()

    sign_out(page)
    page.goto("/projects")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert [cookie["name"] for cookie in context.cookies(portal.url)] == [], "nothing of the session is left"

    page.goto("/projects/shop")
    to_the_provider(page, portal)
    agree(page)
    page.wait_for_url(f"{portal.url}/projects/shop")
    expect(page.get_by_role("heading", name="shop", exact=True)).to_be_visible()


def test_a_refusal_is_said_and_another_try_leads_on(portal: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/jobs")
    to_the_provider(page, portal)
    page.get_by_role("button", name="Deny").click()
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible()
    assert page.url.startswith(portal.url)
    expect(alert).to_contain_text("You are not signed in")
    expect(alert).to_contain_text(
        "The sign-in did not work: the provider refused it, or it was cancelled there"
    )
    violations = Axe().run(page).response["violations"]
    assert [item["id"] for item in violations] == []

    to_the_provider(page, portal)
    agree(page)
    page.wait_for_url(f"{portal.url}/jobs")
    expect(page.locator(".menu > summary")).to_have_text(re.compile("grace-hopper"))


def test_who_turns_back_at_the_provider_signs_in_with_a_password(
    portal: Served, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto("/projects")
    to_the_provider(page, portal)
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    sign_in_with_password(page, portal.url)
    expect(page.get_by_role("link", name="shop", exact=True)).to_be_visible()
