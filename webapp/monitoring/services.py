"""What the API and the pages share: who may see which dashboard, and what a panel shows."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webapp.auth.models import User
from webapp.config import Config
from webapp.db import db
from webapp.monitoring import panels, queries
from webapp.monitoring.dashboards import Dashboard, load
from webapp.monitoring.limits import Places
from webapp.monitoring.links import Place
from webapp.monitoring.prometheus import Prometheus, Scope
from webapp.monitoring.results import PanelData
from webapp.monitoring.schema import Panel, Variable
from webapp.monitoring.times import Window, window
from webapp.monitoring.variables import Asked, AskValues, choose, options
from webapp.problems import Problem
from webapp.projects import services as projects

# Seconds for which the values of a label are not asked for again: all panels of a page ask for the same ones.
_REMEMBERED_S = 10
_MOST_REMEMBERED = 500


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to see: variables, and a time as webapp.monitoring.times.window takes it."""

    variables: Asked
    start: str
    end: str
    step: int | None = None
    width: int | None = None

    @property
    def time(self) -> tuple[tuple[str, str], ...]:
        """The time as it stands in an address."""
        return ("from", self.start), ("to", self.end)


@dataclass(frozen=True)
class Offer:
    """One variable, what can be chosen for it, and what is."""

    variable: Variable
    options: tuple[str, ...]
    chosen: tuple[str, ...]
    all: bool


class Monitoring:
    """The dashboards, and Prometheus behind them."""

    def __init__(self, config: Config) -> None:
        self.dashboards = load(config.home / "grafana" / "dashboards")
        self.prometheus = Prometheus(config.prometheus_url, config.label_proxy_url)
        self.places = Places()
        self._retention_days = config.metrics_retention_days
        self._values: dict[tuple[object, ...], tuple[float, list[str]]] = {}

    def for_scope(self, scope: Scope) -> Mapping[str, Dashboard]:
        """Return the dashboards that can be opened: in a project those whose queries work there."""
        if scope.project is None:
            return self.dashboards
        return {uid: item for uid, item in self.dashboards.items() if item.tenant}

    def dashboard(self, scope: Scope, uid: str) -> Dashboard:
        """Return one of them. Raises Problem dashboard-not-found."""
        found = self.for_scope(scope).get(uid)
        if found is None:
            where = f" for project '{scope.project}'" if scope.project else ""
            raise Problem("dashboard-not-found", f"There is no dashboard '{uid[:64]}'{where}.")
        return found

    def panel(self, scope: Scope, uid: str, panel_id: int) -> tuple[Dashboard, Panel]:
        """Return a panel with its dashboard. Raises Problem dashboard-not-found or panel-not-found."""
        dashboard = self.dashboard(scope, uid)
        panel = dashboard.panel(panel_id)
        if panel is None:
            raise Problem("panel-not-found", f"Dashboard '{uid}' has no panel {panel_id}.")
        return dashboard, panel

    def window(self, wanted: Wanted) -> Window:
        """Return the time that is wanted. Raises Problem validation-failed."""
        return window(
            wanted.start,
            wanted.end,
            step=wanted.step,
            width=wanted.width,
            retention_days=self._retention_days,
        )

    def show(
        self, user_id: int, scope: Scope, dashboard: Dashboard, panel: Panel, wanted: Wanted
    ) -> PanelData:
        """Return what a panel shows, within two seconds; queries that fail are told of in it.

        Raises Problem: validation-failed, monitoring-not-installed, too-many-queries.
        """
        return self.show_all(user_id, scope, dashboard, [panel], wanted)[0]

    def show_all(
        self, user_id: int, scope: Scope, dashboard: Dashboard, shown: Sequence[Panel], wanted: Wanted
    ) -> list[PanelData]:
        """Return what several panels show, in two seconds for all; raises Problem as `show` does."""
        chosen_time = self.window(wanted)
        self._require(scope)
        with self.places.taken(user_id):
            until = self.prometheus.deadline()
            ask = self._asker(scope, chosen_time, until)
            fixed = fixed_variables(scope)
            try:
                choices = choose(dashboard.variables, wanted.variables, fixed, ask, chosen_time)
            except Problem as problem:
                if problem.status == 422 and problem.errors:
                    raise
                # Without its variables no query can be asked: that is what is told on every panel.
                return [panels.failed(panel, problem, chosen_time) for panel in shown]
            place = Place(scope, self.for_scope(scope), wanted.time, choices)
            answers = queries.run_all(self.prometheus, scope, shown, choices, chosen_time, until)
            return [
                panels.draw(panel, found, chosen_time, place)
                for panel, found in zip(shown, answers, strict=True)
            ]

    def offers(self, user_id: int, scope: Scope, dashboard: Dashboard, wanted: Wanted) -> list[Offer]:
        """Return the variables that are open to choice.

        Raises Problem as `show` does, and as Prometheus.ask does.
        """
        chosen_time = self.window(wanted)
        self._require(scope)
        with self.places.taken(user_id):
            ask = self._asker(scope, chosen_time, self.prometheus.deadline())
            choices = choose(dashboard.variables, wanted.variables, fixed_variables(scope), ask, chosen_time)
            return [
                Offer(
                    choice.variable,
                    tuple(options(choice.variable, choices, ask, chosen_time)),
                    choice.values,
                    choice.all,
                )
                for choice in choices.values()
                if not choice.fixed and not choice.variable.hide
            ]

    def marks(self, user_id: int, scope: Scope, dashboard: Dashboard, wanted: Wanted) -> list[queries.Mark]:
        """Return what happened in this time, for all charts; raises Problem as `offers` does."""
        chosen_time = self.window(wanted)
        self._require(scope)
        with self.places.taken(user_id):
            until = self.prometheus.deadline()
            ask = self._asker(scope, chosen_time, until)
            fixed = fixed_variables(scope)
            choices = choose(dashboard.variables, wanted.variables, fixed, ask, chosen_time)
            return queries.marks(self.prometheus, scope, dashboard.annotations, choices, chosen_time, until)

    def ask(self, user_id: int, scope: Scope, path: str, fields: Sequence[tuple[str, str]]) -> bytes:
        """Return Prometheus' own answer. Raises Problem as Prometheus.ask does, and too-many-queries."""
        with self.places.taken(user_id):
            return self.prometheus.ask(scope, path, fields)

    def _require(self, scope: Scope) -> None:
        if not self.prometheus.installed(scope):
            raise Problem("monitoring-not-installed", "Monitoring is not installed on this cluster.")

    def _asker(self, scope: Scope, chosen_time: Window, until: float) -> AskValues:
        def ask(label: str, match: str) -> list[str]:
            key = (scope.project, label, match, chosen_time.seconds // 60, chosen_time.now // 60)
            known = self._values.get(key)
            if known is not None and known[0] > time.monotonic():
                return known[1]
            found = self.prometheus.label_values(scope, label, match, chosen_time, until)
            if len(self._values) >= _MOST_REMEMBERED:
                self._values = {}
            self._values[key] = (time.monotonic() + _REMEMBERED_S, found)
            return found

        return ask


def fixed_variables(scope: Scope) -> dict[str, str]:
    """Return the variables that nobody can choose: in a project, the namespace."""
    return {} if scope.project is None else {"namespace": scope.project}


def project_scope(user: User, project: str) -> Scope:
    """Return what a member may see. Raises Problem project-not-found.

    The database's connection goes back: what follows waits for Prometheus alone.
    """
    scope = Scope(projects.get_for(user, project).name)
    db.session.remove()
    return scope


def platform_scope(user: User) -> Scope:
    """Return what an administrator may see: everything. Raises Problem role-too-low."""
    if not user.is_admin:
        raise Problem("role-too-low", "Only administrators see the monitoring of the whole platform.")
    db.session.remove()
    return Scope(None)
