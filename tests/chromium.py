"""The system's browser, as the tests start it."""

from playwright.sync_api import expect

# Two tests and the linters share two cores: a page that comes late is no fault.
expect.set_options(timeout=20_000)

CHROMIUM = "/usr/bin/chromium"
# The browser runs as root in tests, has no display, and shall speak to nobody but the portal.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
