"""Who sees which alerts, in which order: the rules that the API and the pages share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from webapp import alerts
from webapp.alerts import words
from webapp.alerts.alertmanager import Alert, AlertsUnknown, NotInstalled
from webapp.auth.models import User
from webapp.problems import Problem
from webapp.projects import overview
from webapp.projects import services as projects
from webapp.projects.models import Project

State: TypeAlias = Literal["firing", "silenced"]


@dataclass(frozen=True)
class Shown:
    """An alert as users see it. `project`, `application`: empty when it is about none of ours."""

    id: str
    name: str
    severity: str
    state: State
    audience: str
    namespace: str
    project: str
    application: str
    summary: str
    description: str
    since: datetime
    dashboard: str
    runbook: str | None
    labels: dict[str, str]


@dataclass(frozen=True)
class Chosen:
    """Which of all alerts an administrator wants to see; None for any."""

    severity: str | None = None
    namespace: str | None = None
    state: State | None = None

    def fits(self, alert: Shown) -> bool:
        """Tell whether the alert is one of those."""
        return (
            self.severity in (None, alert.severity)
            and self.namespace in (None, alert.namespace)
            and self.state in (None, alert.state)
        )


def of_project(user: User, name: str) -> tuple[Project, list[Shown]]:
    """Return the project and its alerts, the gravest first.

    Raises Problem project-not-found, monitoring-not-installed or monitoring-unreachable.
    """
    project = projects.get_for(user, name)
    found = _read(_labels(project))
    names = set(overview.application_names(project))
    return project, _sorted([_of_member(alert, project.name, names) for alert in found])


def of_all(user: User, chosen: Chosen) -> list[Shown]:
    """Return all alerts of the cluster that were chosen, the gravest first.

    Raises Problem role-too-low, monitoring-not-installed or monitoring-unreachable.
    """
    require_admin(user)
    found = [_of_administrator(alert) for alert in _read({})]
    return _sorted([alert for alert in found if chosen.fits(alert)])


def require_admin(user: User) -> None:
    """Raise Problem role-too-low unless the user is an administrator."""
    if not user.is_admin:
        raise Problem("role-too-low", "Only administrators see the alerts of the whole cluster.")


@dataclass(frozen=True)
class Brief:
    """What other pages say of alerts: what fires, the gravest first, or why that is not known."""

    installed: bool
    firing: list[Shown]
    trouble: str = ""


def brief(project: Project, application: str | None = None) -> Brief:
    """Return what fires of a project, or of one of its applications, without keeping the page waiting."""
    source = alerts.alertmanager()
    if not source.installed:
        return Brief(False, [])
    try:
        found = source.brief(_labels(project))
    except AlertsUnknown as error:
        return Brief(True, [], str(error))
    shown = [_of_member(alert, project.name, {application} if application else set()) for alert in found]
    return Brief(
        True,
        _sorted(
            [
                alert
                for alert in shown
                if alert.state == "firing" and (application is None or alert.application == application)
            ]
        ),
    )


def _labels(project: Project) -> dict[str, str]:
    return {"audience": "project", "namespace": project.name}


def _read(labels: dict[str, str]) -> list[Alert]:
    try:
        return alerts.alertmanager().alerts(labels)
    except NotInstalled as error:
        raise Problem("monitoring-not-installed", "Monitoring is not installed on this cluster.") from error
    except AlertsUnknown as error:
        raise Problem("monitoring-unreachable", f"The alerts cannot be read: {error}.") from error


def _of_member(alert: Alert, project: str, applications: set[str]) -> Shown:
    application = words.application_of(alert.labels)
    application = application if application in applications else ""
    return _shown(alert, application, words.member_dashboard_of(project, application))


def _of_administrator(alert: Alert) -> Shown:
    return _shown(alert, words.application_of(alert.labels), words.dashboard_of(alert.labels))


def _shown(alert: Alert, application: str, dashboard: str) -> Shown:
    labels = alert.labels
    return Shown(
        id=alert.fingerprint,
        name=labels.get("alertname", ""),
        severity=labels.get("severity", ""),
        state="silenced" if alert.silenced else "firing",
        audience=labels.get("audience", ""),
        namespace=labels.get("namespace", ""),
        project=words.project_of(labels),
        application=application,
        summary=words.summary_of(labels, alert.annotations),
        description=alert.annotations.get("description", ""),
        since=alert.starts_at,
        dashboard=dashboard,
        runbook=words.runbook_of(alert.annotations),
        labels=labels,
    )


def _sorted(found: list[Shown]) -> list[Shown]:
    def order(alert: Shown) -> tuple[bool, int, float, str]:
        known = alert.severity in words.SEVERITIES
        rank = words.SEVERITIES.index(alert.severity) if known else len(words.SEVERITIES)
        return alert.state == "silenced", rank, -alert.since.timestamp(), alert.id

    return sorted(found, key=order)
