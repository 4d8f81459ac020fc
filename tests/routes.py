"""What a running portal answers to GET, found in the application itself, so that nothing new is forgotten."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask

# Of these only somebody who asks for them in the right way gets an answer, or one that never ends.
PROBES = frozenset({"static", "health.healthz", "health.readyz", "healthz", "readyz"})


@dataclass(frozen=True)
class Route:
    """A rule of the application that answers GET. `arguments`: the names of its parameters."""

    endpoint: str
    rule: str
    arguments: frozenset[str]

    @property
    def is_api(self) -> bool:
        """Whether programs ask for it."""
        return self.rule.startswith("/api/")

    def missing(self, values: Mapping[str, str]) -> frozenset[str]:
        """Return the parameters that `values` does not know."""
        return self.arguments - set(values)

    def path(self, values: Mapping[str, str]) -> str:
        """Return the address with the parameters out of `values`. Raises KeyError for one that is missing."""
        return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda match: values[match[1]], self.rule)


def routes(app: Flask) -> Iterator[Route]:
    """Yield every rule that answers GET, except static files and probes, in order."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda item: item.rule):
        if "GET" in (rule.methods or ()) and rule.endpoint not in PROBES:
            yield Route(rule.endpoint, rule.rule, frozenset(rule.arguments))
