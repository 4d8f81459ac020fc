"""What the API answers about alerts."""

from datetime import datetime

from pydantic import Field

from webapp.alerts.services import Shown, State
from webapp.links import application_path, project_path
from webapp.schemas import Model


class AlertLinks(Model):
    """Where to go from an alert."""

    project: str | None = Field(
        description="The project that it is for; null when it is for the operator",
        examples=["/api/v1/projects/shop"],
    )
    application: str | None = Field(
        description="The application that it is about; null when it is about none, or several",
        examples=["/api/v1/projects/shop/applications/web"],
    )
    dashboard: str = Field(
        description="The page with the measurements behind it",
        examples=["/projects/shop/applications/web/monitoring"],
    )
    runbook: str | None = Field(
        description="What to do about it: an address, or a path in Croft's documentation",
        examples=["https://croft.example.org/docs/runbooks/ApplicationRestarts.md"],
    )


class AlertBody(Model):
    """Something that is not as it should be, read live from Alertmanager."""

    id: str = Field(
        description="The same for as long as its labels are the same", examples=["4cb4b5e8d3f1a290"]
    )
    name: str = Field(description="Which rule found it", examples=["ApplicationRestarts"])
    severity: str = Field(description="critical, warning or info", examples=["warning"])
    state: State = Field(
        description="firing; or silenced, by somebody or by a graver alert", examples=["firing"]
    )
    audience: str = Field(description="Whom it is for: project or operator", examples=["project"])
    namespace: str = Field(
        description="Namespace that it is about, a project's or another; empty for none", examples=["shop"]
    )
    summary: str = Field(
        description="What is the matter, in a line", examples=["web restarted 6 times in 10 minutes"]
    )
    description: str = Field(
        description="What it means and what to look at", examples=["Its container ends with exit code 1."]
    )
    since: datetime = Field(description="Since when it fires, UTC", examples=["2026-01-31T12:00:00Z"])
    labels: dict[str, str] = Field(
        description="All its labels",
        examples=[{"alertname": "ApplicationRestarts", "namespace": "shop", "severity": "warning"}],
    )
    links: AlertLinks = Field(description="Where to go from here")


class AlertListLinks(Model):
    """Where to go from the alerts of the cluster."""

    self_: str = Field(alias="self", description="This list", examples=["/api/v1/alerts?state=firing"])


class AlertList(Model):
    """What fires now, the gravest first."""

    items: list[AlertBody] = Field(description="The alerts")
    links: AlertListLinks = Field(description="Where to go from here")


class ProjectAlertListLinks(Model):
    """Where to go from the alerts of a project."""

    self_: str = Field(alias="self", description="This list", examples=["/api/v1/projects/shop/alerts"])
    project: str = Field(description="The project", examples=["/api/v1/projects/shop"])
    channels: str = Field(
        description="Where its alerts can be sent", examples=["/api/v1/projects/shop/channels"]
    )


class ProjectAlertList(Model):
    """What fires in a project now, the gravest first."""

    items: list[AlertBody] = Field(description="The alerts")
    links: ProjectAlertListLinks = Field(description="Where to go from here")


def alert_body(alert: Shown) -> AlertBody:
    """Return an alert as the API shows it."""
    fields = {name: getattr(alert, name) for name in AlertBody.model_fields if name != "links"}
    links = AlertLinks(
        project=project_path(alert.project) if alert.project else None,
        application=application_path(alert.project, alert.application) if alert.application else None,
        dashboard=alert.dashboard,
        runbook=alert.runbook,
    )
    return AlertBody(**fields, links=links)
