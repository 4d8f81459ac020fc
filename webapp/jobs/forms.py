"""The form that filters the list of jobs."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from webapp.jobs.models import KINDS, STATES
from webapp.pages.forms import Form, Texts


class JobFilter(Form):
    """Which jobs to list. What cannot be understood is told at its field, and filters nothing."""

    labels: ClassVar[Texts] = {
        "project": "Project",
        "application": "Application",
        "state": "State",
        "kind": "Kind",
        "user": "Asked for by",
        "since": "From",
        "until": "Until",
    }

    def chosen(self) -> dict[str, str]:
        """Return what is filtered by, by the fields' names, as it stands in addresses."""
        return {name: text for name in self.labels if (text := self.value(name).strip())}

    def query(self) -> dict[str, Any]:
        """Return the arguments for services.list_jobs; errors stand at the fields then."""
        chosen = self.chosen()
        until = self._day("until")
        return {
            "project_name": chosen.get("project"),
            "application_name": chosen.get("application"),
            "state": self._one_of("state", STATES),
            "kind": self._one_of("kind", KINDS),
            "user_name": chosen.get("user"),
            "since": self._day("since"),
            # The whole of the day that was named.
            "until": until + timedelta(days=1) if until else None,
        }

    def _one_of(self, name: str, allowed: tuple[str, ...]) -> str | None:
        text = self.chosen().get(name)
        if text is None or text in allowed:
            return text
        self.add_error(name, f"Choose one of {', '.join(allowed)}.")
        return None

    def _day(self, name: str) -> datetime | None:
        text = self.chosen().get(name)
        if text is None:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self.add_error(name, "Write a day like 2026-01-31.")
            return None
        if not 1970 <= day.year <= 9000:
            self.add_error(name, "Give a day between 1970 and 9000.")
            return None
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
