"""Which addresses a visitor of all pages goes to, and what every page has to keep."""

import re
from collections.abc import Iterator, Mapping

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

from tests.routes import routes

# What answers to GET and is no page, and why.
NO_PAGES: Mapping[str, str] = {
    "asset": "a static file",
    "browser_file": "a static file",
    "swagger_file": "a static file",
    "problem_types": "plain text for programs",
    "projects.home": "leads on to the projects",
    "jobs.stream": "a stream",
    "live.job_changes": "a stream",
    "live.project_changes": "a stream",
    "live.application_changes": "a stream",
    "live.logs_stream": "a stream",
    "live.logs_download": "a file",
    "live.shell_socket": "a WebSocket",
    "applications.export": "a file",
    "audit.export_csv": "a file",
    "audit.export_json": "a file",
    "monitoring.panel": "a part of a page",
    "monitoring.panel_of_project": "a part of a page",
    "monitoring.variables": "a part of a page",
    "monitoring.variables_of_project": "a part of a page",
    "oidc.begin": "leads on to the provider",
    "oidc.callback": "leads on to where the user was",
}
# Where a page is about something else than everything.fill says of its parameters in general.
ELSEWHERE: Mapping[str, Mapping[str, str]] = {"catalog.edit": {"application": "db"}}
# Further addresses of pages that look different there; {…} are the values of everything.fill.
MORE = (
    "/projects?search=nothing-like-this",
    "/projects?state=archived&sort=-updatedAt",
    "/projects/lab",
    "/projects/lab/alerts",
    "/projects/shop/applications/web/monitoring?view=tables&from=2020-01-01T00:00:00Z",
    "/monitoring/croft-nodes?from=now-24h&refresh=30s&var-node=croft-1",
    "/alerts?severity=warning&namespace=kube-system",
    "/projects/thesis-archive",
    "/projects/statistics-course-2026",
    "/projects/shop/applications/mail",
    "/projects/shop/applications/search",
    "/projects/shop/applications/db",
    "/projects/shop/applications/web/logs?search=order",
    "/projects/shop/applications/web/revisions/2",
    "/plans/{open_plan_id}",
    "/jobs?project=shop&state=failed",
    "/audit?project=shop",
    "/audit?project=nothing",
    "/admin/users/ada",
    "/jobs?project=nothing",
    "/jobs/{failed}",
    "/jobs/{blocked}",
    "/jobs/{cancelled}",
    "/nowhere",
)
# Focuses every element that the keyboard reaches, and returns those whose look does not change by it.
_FOCUS = """() => {
  const reached = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const style = (element, part) => {
    const {outlineStyle, outlineWidth, outlineColor, boxShadow} = getComputedStyle(element, part);
    return [outlineStyle, outlineWidth, outlineColor, boxShadow].join(' ');
  };
  // A radio button may show it by the label around it.
  const look = (element) => [element, element.closest('label')].filter(Boolean).flatMap(
    (one) => [null, '::before', '::after'].map((part) => style(one, part))).join('|');
  const lost = [];
  for (const element of document.querySelectorAll(reached)) {
    if (element.disabled || !element.checkVisibility({visibilityProperty: true})) continue;
    element.blur();
    const before = look(element);
    element.focus();
    const kept = document.activeElement === element && look(element) === before;
    if (kept) lost.push(element.outerHTML.slice(0, 120));
  }
  return lost;
}"""

# Returns the beginnings of cards that hide a part of their contents at the right.
_CUT_OFF = """() => [...document.querySelectorAll('.card')]
  .filter((card) => card.scrollWidth > card.clientWidth + 1).map((card) => card.innerText.slice(0, 80))"""


def addresses(app: Flask, values: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of every page, as far as `values` knows its parameters, and then MORE.

    Raises AssertionError for a page with a parameter that `values` does not know: say there what it stands
    for, or in NO_PAGES why it is no page.
    """
    for route in routes(app):
        if route.is_api or route.endpoint in NO_PAGES:
            continue
        missing = route.missing(values)
        assert not missing, (
            f"{route.endpoint} ({route.rule}): what is {sorted(missing)}? See everything.fill."
        )
        yield route.path({**values, **ELSEWHERE.get(route.endpoint, {})})
    yield from (path.format(**values) for path in MORE)


def faults(page: Page, *, axe: bool = True) -> list[str]:
    """Return what is wrong with the page that is open: for everybody, and with its sections opened."""
    address = re.sub(r"^https?://[^/]+", "", page.url)
    found = []
    if not page.title().removesuffix("· Croft").strip():
        found.append("has no title")
    if (count := page.locator("h1").count()) != 1:
        found.append(f"has {count} h1")
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(
            f"is {page.evaluate('document.documentElement.scrollWidth')} px wide: it has to be scrolled"
        )
    found += [f"is cut off: {text}" for text in page.evaluate(_CUT_OFF)]
    page.keyboard.press("Tab")
    found += [f"does not show that this has the focus: {element}" for element in page.evaluate(_FOCUS)]
    if axe:
        found += [
            f"{item['id']}: {node['target']} {node['failureSummary']}"
            for item in Axe().run(page).response["violations"]
            for node in item["nodes"]
        ]
    return [f"{address}: {fault}" for fault in found]
