"""The system's browser, as the tests start it."""

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
