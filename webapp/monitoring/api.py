"""/api/v1/monitoring and /api/v1/projects/<project>/monitoring: dashboards, and what their panels show"""

from flask import Response
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.links import API, PageLinks, project_path
from webapp.monitoring import monitoring, responses
from webapp.monitoring.prometheus import Scope
from webapp.monitoring.services import Wanted, platform_scope, project_scope
from webapp.monitoring.times import DEFAULT_FROM, DEFAULT_TO
from webapp.openapi import answers, api_blueprint, reply
from webapp.projects.api import ProjectPath
from webapp.schemas import Model

api = api_blueprint(
    "monitoring_api", __name__, "", "monitoring", "Dashboards, and what Prometheus knows of projects"
)

_PROJECT = "/projects/<project>/monitoring/dashboards"
_PLATFORM = "/monitoring/dashboards"
_DATA = (
    "dashboard-not-found",
    "panel-not-found",
    "validation-failed",
    "too-many-queries",
    "monitoring-not-installed",
)


class DashboardPath(Model):
    """Which dashboard."""

    dashboard: str = Field(description="Its uid", examples=["croft-cluster"])


class PanelPath(DashboardPath):
    """Which panel."""

    panel: int = Field(ge=0, le=2**31, description="Number of the panel", examples=[326186])


class ProjectDashboardPath(ProjectPath):
    """Which dashboard of a project."""

    dashboard: str = Field(description="Its uid", examples=["croft-application"])


class ProjectPanelPath(ProjectDashboardPath):
    """Which panel of a project's dashboard."""

    panel: int = Field(ge=0, le=2**31, description="Number of the panel", examples=[326186])


class DataQuery(Model):
    """Of which time, in which steps, and of what."""

    from_: str = Field(
        DEFAULT_FROM,
        alias="from",
        max_length=40,
        description="Begin: how long ago, like now-6h, or a time in RFC 3339",
        examples=["now-1h"],
    )
    to: str = Field(DEFAULT_TO, max_length=40, description="End, in the same ways", examples=["now"])
    step: int | None = Field(
        None, ge=1, le=86_400, description="Seconds between two values, at least 15", examples=[60]
    )
    width: int | None = Field(
        None,
        ge=100,
        le=4_000,
        description="Width of a chart in pixels, which chooses the step when none is given",
        examples=[600],
    )
    var: list[str] = Field(
        [],
        max_length=100,
        description="Choices for the dashboard's variables, each as name:value; $__all stands for all values",
        examples=[["application:web"]],
    )

    def wanted(self) -> Wanted:
        """Return the query for the services."""
        variables: dict[str, list[str]] = {}
        for item in self.var:
            name, _, value = item.partition(":")
            variables.setdefault(name, []).append(value)
        return Wanted(variables, self.from_, self.to, self.step, self.width)


@api.get(
    _PLATFORM,
    operation_id="listDashboards",
    responses=answers({200: responses.DashboardList}, "role-too-low"),
)
def list_dashboards() -> Response:
    """List all dashboards, for administrators"""
    return _list(platform_scope(current_user))


@api.get(
    f"{_PLATFORM}/<dashboard>",
    operation_id="getDashboard",
    responses=answers({200: responses.DashboardDetail}, "role-too-low", "dashboard-not-found"),
)
def get_dashboard(path: DashboardPath) -> Response:
    """Show a dashboard with its variables and panels, for administrators"""
    return _one(platform_scope(current_user), path.dashboard)


@api.get(
    f"{_PLATFORM}/<dashboard>/panels/<panel>",
    operation_id="getPanelData",
    responses=answers({200: responses.PanelDataBody}, "role-too-low", *_DATA),
)
def get_panel_data(path: PanelPath, query: DataQuery) -> Response:
    """Show what a panel shows, for administrators"""
    return _data(platform_scope(current_user), path.dashboard, path.panel, query)


@api.get(
    _PROJECT,
    operation_id="listProjectDashboards",
    responses=answers({200: responses.DashboardList}, "project-not-found"),
)
def list_project_dashboards(path: ProjectPath) -> Response:
    """List the dashboards of a project"""
    return _list(project_scope(current_user, path.project))


@api.get(
    f"{_PROJECT}/<dashboard>",
    operation_id="getProjectDashboard",
    responses=answers({200: responses.DashboardDetail}, "project-not-found", "dashboard-not-found"),
)
def get_project_dashboard(path: ProjectDashboardPath) -> Response:
    """Show a dashboard of a project with its variables and panels"""
    return _one(project_scope(current_user, path.project), path.dashboard)


@api.get(
    f"{_PROJECT}/<dashboard>/panels/<panel>",
    operation_id="getProjectPanelData",
    responses=answers({200: responses.PanelDataBody}, "project-not-found", *_DATA),
)
def get_project_panel_data(path: ProjectPanelPath, query: DataQuery) -> Response:
    """Show what a panel shows of the project

    The variable `namespace` is the project itself. A query that fails is listed in `failures`; the others are
    there all the same.
    """
    return _data(project_scope(current_user, path.project), path.dashboard, path.panel, query)


def _base(scope: Scope) -> str:
    above = API if scope.project is None else project_path(scope.project)
    return f"{above}/monitoring/dashboards"


def _list(scope: Scope) -> Response:
    base = _base(scope)
    items = [responses.summary(item, base) for item in monitoring().for_scope(scope).values()]
    return reply(responses.DashboardList(items=items, links=PageLinks(self_=base, next=None)))


def _one(scope: Scope, uid: str) -> Response:
    return reply(responses.detail(monitoring().dashboard(scope, uid), _base(scope)))


def _data(scope: Scope, uid: str, panel_id: int, query: DataQuery) -> Response:
    dashboard, panel = monitoring().panel(scope, uid, panel_id)
    data = monitoring().show(current_user.id, scope, dashboard, panel, query.wanted())
    return reply(responses.panel_data(data, dashboard, _base(scope)))
