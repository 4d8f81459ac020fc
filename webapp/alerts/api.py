"""/api/v1/alerts and /api/v1/projects/<project>/alerts"""

from urllib.parse import urlencode

from flask import Response
from pydantic import Field

from webapp.alerts import responses, services
from webapp.alerts.services import Chosen, State
from webapp.auth.sessions import current_user
from webapp.links import API, project_path
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model

api = api_blueprint("alerts_api", __name__, "", "alerts", "What is not as it should be, read live")

_NO_NUL = r"^[^\x00]*$"
_UNKNOWN = ("monitoring-not-installed", "monitoring-unreachable")


class ProjectPath(Model):
    """Which project."""

    project: str = Field(description="Name of the project", examples=["shop"])


class AlertQuery(Model):
    """Which of all alerts."""

    severity: str | None = Field(
        None,
        max_length=100,
        pattern=_NO_NUL,
        description="Only those of this severity",
        examples=["critical"],
    )
    namespace: str | None = Field(
        None,
        max_length=100,
        pattern=_NO_NUL,
        description="Only those about this namespace",
        examples=["shop"],
    )
    state: State | None = Field(None, description="Only those in this state", examples=["firing"])


@api.get(
    "/alerts",
    operation_id="listAlerts",
    responses=answers({200: responses.AlertList}, "role-too-low", "validation-failed", *_UNKNOWN),
)
def list_alerts(query: AlertQuery) -> Response:
    """List what fires in the whole cluster, for administrators"""
    chosen = Chosen(query.severity, query.namespace, query.state)
    items = [responses.alert_body(alert) for alert in services.of_all(current_user, chosen)]
    links = responses.AlertListLinks(self_=_address(query))
    return reply(responses.AlertList(items=items, links=links))


@api.get(
    "/projects/<project>/alerts",
    operation_id="listProjectAlerts",
    responses=answers({200: responses.ProjectAlertList}, "project-not-found", *_UNKNOWN),
)
def list_project_alerts(path: ProjectPath) -> Response:
    """List what fires in a project"""
    project, found = services.of_project(current_user, path.project)
    here = project_path(project.name)
    links = responses.ProjectAlertListLinks(self_=f"{here}/alerts", project=here, channels=f"{here}/channels")
    items = [responses.alert_body(alert) for alert in found]
    return reply(responses.ProjectAlertList(items=items, links=links))


def _address(query: AlertQuery) -> str:
    chosen = query.model_dump(mode="json", by_alias=True, exclude_none=True)
    return f"{API}/alerts?{urlencode(chosen)}" if chosen else f"{API}/alerts"
