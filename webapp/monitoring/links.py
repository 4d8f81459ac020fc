"""Grafana's links between dashboards, /d/<uid>?var-x=…, as the portal's own addresses."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from webapp.monitoring.dashboards import Dashboard
from webapp.monitoring.prometheus import Scope
from webapp.monitoring.schema import Link
from webapp.monitoring.variables import ALL, Choices, check_values
from webapp.problems import Problem

APPLICATION = "croft-application"
PROJECT = "croft-project"
_REFERENCE = re.compile(r"\$\{([^{}:]+)(?::\w+)?\}|\$(\w+)", re.ASCII)
_TIME_RANGE = ("__url_time_range", "__all_variables")
# Gives the text for a name like __data.fields.pod or namespace; None for one that is not known.
Lookup = Callable[[str], str | None]


@dataclass(frozen=True)
class Place:
    """Where links are followed from: whose dashboards, which there are, and the time that is shown.

    `query`: that of the page, as pairs of names and values, from and to included.
    """

    scope: Scope
    dashboards: Mapping[str, Dashboard]
    time: tuple[tuple[str, str], ...]
    choices: Choices

    def address(self, uid: str, query: list[tuple[str, str]]) -> str:
        """Return the page of a dashboard; empty when there is none that this user may open."""
        dashboard = self.dashboards.get(uid)
        if dashboard is None:
            return ""
        project = self.scope.project
        if project is None:
            return _joined(f"/monitoring/{uid}", query)
        if not dashboard.tenant or any(name == "var-namespace" and value != project for name, value in query):
            return ""
        query = [pair for pair in query if pair[0] != "var-namespace"]
        applications = [value for name, value in query if name == "var-application"]
        if uid == APPLICATION and len(applications) == 1 and applications[0] != ALL:
            rest = [pair for pair in query if pair[0] != "var-application"]
            name = quote(applications[0], safe="")
            return _joined(f"/projects/{project}/applications/{name}/monitoring", rest)
        page = "monitoring" if uid == PROJECT else f"monitoring/{uid}"
        return _joined(f"/projects/{project}/{page}", query)

    def translate(self, link: Link, lookup: Lookup = lambda _name: None) -> str:
        """Return the portal's address for a link of a dashboard's; empty when it leads out of the portal."""
        if not link.url.startswith("/d/"):
            return ""
        url = _REFERENCE.sub(lambda match: self._text(match[1] or match[2], lookup), link.url)
        parts = urlsplit(url)
        query = [
            (name, value)
            for name, value in parse_qsl(parts.query)
            if name in ("from", "to") or name.startswith("var-")
        ]
        if any(name.startswith("var-") and not _can_be_chosen(value) for name, value in query):
            return ""
        query = self._kept(link, query)
        return self.address(parts.path.split("/")[2], query)

    def _kept(self, link: Link, query: list[tuple[str, str]]) -> list[tuple[str, str]]:
        names = {name for name, _ in query}
        if link.include_vars:
            target = self.dashboards.get(urlsplit(link.url).path.split("/")[2])
            known = {f"var-{variable.name}" for variable in target.variables} if target else set()
            query += [pair for pair in self.chosen() if pair[0] in known - names]
        if link.keep_time and "from" not in names:
            query += self.time
        return query

    def chosen(self) -> list[tuple[str, str]]:
        """Return the choices as they stand in an address; what is fixed is none."""
        found: list[tuple[str, str]] = []
        for name, choice in self.choices.items():
            values = (ALL,) if choice.all else choice.values
            if not choice.fixed:
                found += [(f"var-{name}", value) for value in values if _can_be_chosen(value)]
        return found

    def _text(self, name: str, lookup: Lookup) -> str:
        if name == "__url_time_range":
            return urlencode(self.time)
        if name == "__all_variables":
            return urlencode(self.chosen())
        found = lookup(name)
        if found is None and name in self.choices:
            choice = self.choices[name]
            found = ALL if choice.all else next(iter(choice.values), "")
        return quote(found or "", safe="")


def _can_be_chosen(value: str) -> bool:
    try:
        return bool(check_values("", (value,)))
    except Problem:
        return False


def _joined(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
