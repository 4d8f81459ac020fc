"""A portal that answers on this machine, and a browser that looks at it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from tests.chromium import ARGUMENTS, CHROMIUM
from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import PASSWORD
from tests.webapp.pages.seed import make_portal


class Served:
    """The portal at `url`, its application and its cluster."""

    def __init__(self, url: str, app: Flask, cluster: StatedCluster) -> None:
        self.url, self.app, self.cluster = url, app, cluster


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[Served]:
    """Serve a portal with users and nothing else on a free port until the block ends.

    `settings`: fields of webapp.config.Config.
    """
    made: list[StatedCluster] = []

    def make(url: str) -> Flask:
        app, cluster = make_portal(folder, url, **settings)
        made.append(cluster)
        return app

    with serve(make) as (url, app):
        yield Served(url, app, made[0])


@contextmanager
def serve(make: Callable[[str], Flask]) -> Iterator[tuple[str, Flask]]:
    """Serve the application that `make` returns for an address; yields both until the block ends."""
    # The address has to be known before the application is made: it answers under this name alone.
    server = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    url = f"http://localhost:{server.port}"
    server.app = app = make(url)
    thread = threading.Thread(target=server.serve_forever, name="portal")
    thread.start()
    try:
        yield url, app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def sign_in(page: Page, url: str, name: str = "ada") -> None:
    """Sign in through the form."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{url}/projects")


def listen(context: BrowserContext) -> list[str]:
    """Return a list that takes up every error that the browser reports, such as a refused script or style."""
    errors: list[str] = []
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    return errors
