"""Visitors of the pages: requests as a browser without JavaScript sends them."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any, Protocol

import pytest

from tests.webapp.conftest import PASSWORD
from webapp.openapi import Portal

URL = "http://croft.localhost:8080"


class Page:
    """An answer, and what a user sees in it."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.address: str = response.headers.get("Location", "")
        self.headers = response.headers
        self.html: str = response.get_data(as_text=True)

    @property
    def text(self) -> str:
        """The page's words, without elements, in one line."""
        body = re.sub(r"(?s)<(head|template)\b.*?</\1>", "", self.html)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def error(self, name: str) -> str:
        """The sentence at a field; empty when there is none."""
        match = re.search(rf'<p class="error" id="{re.escape(name)}-error">(.*?)</p>', self.html)
        return unescape(match[1]) if match else ""

    def summary(self) -> list[str]:
        """The sentences of the error summary."""
        found = re.search(r'(?s)<div class="summary".*?</div>', self.html)
        return (
            [unescape(re.sub("<[^>]+>", "", line)).strip() for line in re.findall("<li>(.*?)</li>", found[0])]
            if found
            else []
        )

    def field(self, name: str) -> str | None:
        """What an input or a text area shows; None when the page has no such field."""
        page = re.sub(r"(?s)<template\b.*?</template>", "", self.html)
        found = re.search(rf'<input id="{re.escape(name)}"[^>]*? value="([^"]*)"', page)
        found = found or re.search(rf'(?s)<textarea id="{re.escape(name)}"[^>]*>\n(.*?)</textarea>', page)
        return unescape(found[1]) if found else None

    def fields(self) -> dict[str, str]:
        """What the page's last form would send: every input, choice and text that it shows."""
        form = re.sub(r"(?s)<template\b.*?</template>", "", self.html).rpartition("<form")[2]
        found = {}
        for tag in re.findall(r"<input [^>]*>", form):
            kind = re.search(r'type="(\w+)"', tag)
            value, name = re.search(r' value="([^"]*)"', tag), re.search(r'name="([^"]+)"', tag)
            if name and (" checked" in tag or not kind or kind[1] not in ("radio", "checkbox")):
                found[name[1]] = unescape(value[1]) if value else ""
        for name, text in re.findall(r'(?s)<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form):
            found[name] = unescape(text)
        for name, options in re.findall(r'(?s)<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form):
            chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
            found[name] = chosen[1] if chosen else ""
        return found


class Visitor:
    """Someone with a browser, signed in as one of the users or (None) not at all."""

    def __init__(self, app: Portal, name: str | None) -> None:
        self.client = app.test_client()
        if name is not None:
            self.post("/sign-in", {"name": name, "password": PASSWORD}, csrf=False)

    def get(self, path: str, **arguments: Any) -> Page:
        """Open a page."""
        return Page(self.client.get(path, base_url=URL, **arguments))

    def post(
        self, path: str, fields: Mapping[str, Any] | None = None, *, csrf: bool = True, **more: Any
    ) -> Page:
        """Send a form, with the session's CSRF value as any page gives it."""
        data = dict(fields or {})
        if csrf and "csrf_token" not in data:
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/jobs").html)
            assert found, "every page of a signed-in user can sign out"
            data["csrf_token"] = found[1]
        return Page(self.client.post(path, data=data, base_url=URL, **more))

    def send(self, path: str, changes: Mapping[str, Any]) -> Page:
        """Open the form at `path`, change some of its fields, and send it."""
        return self.post(path, {**self.get(path).fields(), "action": "save", **changes})


class Visit(Protocol):
    """Makes visitors by user's name; None is a stranger."""

    def __call__(self, name: str | None = None) -> Visitor:
        """Return a visitor."""


@pytest.fixture
def visit(app: Portal) -> Visit:
    """Visitors by user's name."""
    return lambda name=None: Visitor(app, name)
