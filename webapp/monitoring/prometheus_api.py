"""Prometheus' own read API: of a project's series for its members, of all series for administrators.

What is sent on is put together anew from the parameters below; nothing else of a request gets through.
"""

from typing import Annotated, Any

from flask import Response, make_response, request
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.monitoring import monitoring
from webapp.monitoring.prometheus import Scope
from webapp.monitoring.services import platform_scope, project_scope
from webapp.openapi import answers, api_blueprint
from webapp.problems import Problem
from webapp.projects.api import ProjectPath
from webapp.schemas import Model, Verbatim

api = api_blueprint(
    "prometheus_api",
    __name__,
    "",
    "prometheus",
    "Prometheus' read API, for programs and for Grafana: its answers are Prometheus' own",
)

_PROJECT = "/projects/<project>/prometheus/api/v1"
_PLATFORM = "/monitoring/prometheus/api/v1"
_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
_REFUSALS = (
    "validation-failed",
    "query-refused",
    "too-many-samples",
    "answer-too-large",
    "too-many-queries",
    "monitoring-not-installed",
    "monitoring-unreachable",
    "query-timeout",
)
_OF_PROJECT = ("project-not-found", *_REFUSALS)
_OF_ALL = ("role-too-low", *_REFUSALS)

Time = Annotated[
    str,
    Field(
        max_length=40,
        pattern=r"^(-?\d{1,15}(\.\d{1,9})?|\d{4}-\d\d-\d\dT[0-9:.]{5,18}(Z|[+-]\d\d:\d\d))$",
        description="RFC 3339, or seconds since 1970",
        examples=["2026-01-31T12:00:00Z"],
    ),
]
Duration = Annotated[
    str,
    Field(
        max_length=20,
        pattern=r"^(\d{1,9}(\.\d{1,6})?|(\d{1,9}(ms|[smhdwy]))+)$",
        description="Like 30s or 1m, or seconds",
        examples=["30s"],
    ),
]
Selector = Annotated[Verbatim, Field(min_length=1, max_length=4_000)]


class LabelPath(Model):
    """Which label."""

    name: str = Field(max_length=200, pattern=_NAME, description="Name of the label", examples=["pod"])


class ProjectLabelPath(ProjectPath, LabelPath):
    """Which label of a project's series."""


class PrometheusAnswer(Model):
    """An answer of Prometheus' own: https://prometheus.io/docs/prometheus/latest/querying/api/"""

    status: str = Field(description="success", examples=["success"])
    data: Any = Field(
        description="What was asked for, in Prometheus' own shape",
        examples=[
            {"resultType": "vector", "result": [{"metric": {"pod": "web-0"}, "value": [1769860800, "1"]}]}
        ],
    )
    warnings: list[str] = Field([], description="What Prometheus warns of", examples=[[]])
    infos: list[str] = Field([], description="What Prometheus remarks", examples=[[]])


class Expression(Model):
    """A query in PromQL."""

    query: Verbatim = Field(
        min_length=1,
        max_length=8_000,
        description="The query; in a project its selectors see the project's own series alone",
        examples=["up"],
    )


class InstantQuery(Expression):
    """A query at one moment."""

    time: Time | None = Field(None, description="When; now by default", examples=["1769860800"])
    timeout: Duration | None = Field(
        None, description="Taken for the sake of clients; the limit is always 2 s", examples=["1s"]
    )
    limit: int | None = Field(None, ge=1, le=100_000, description="Most series", examples=[100])


class RangeQuery(Expression):
    """A query over some time."""

    start: Time = Field(description="First moment", examples=["1769860800"])
    end: Time = Field(description="Last moment", examples=["1769864400"])
    step: Duration = Field(description="Time between two values", examples=["60"])
    timeout: Duration | None = Field(
        None, description="Taken for the sake of clients; the limit is always 2 s", examples=["1s"]
    )
    limit: int | None = Field(None, ge=1, le=100_000, description="Most series", examples=[100])


class ExemplarQuery(Expression):
    """Exemplars of the series of a query."""

    start: Time | None = Field(None, description="First moment", examples=["1769860800"])
    end: Time | None = Field(None, description="Last moment", examples=["1769864400"])


class LabelQuery(Model):
    """Which series count."""

    match: list[Selector] = Field(
        [], alias="match[]", max_length=20, description="Selectors of series", examples=[["up"]]
    )
    start: Time | None = Field(None, description="First moment", examples=["1769860800"])
    end: Time | None = Field(None, description="Last moment", examples=["1769864400"])
    limit: int | None = Field(None, ge=1, le=100_000, description="Most items", examples=[100])


class SeriesQuery(LabelQuery):
    """Which series."""

    match: list[Selector] = Field(
        alias="match[]", min_length=1, max_length=20, description="Selectors of series", examples=[["up"]]
    )


@api.get(
    f"{_PROJECT}/query",
    operation_id="queryProjectMetrics",
    responses=answers({200: PrometheusAnswer}, *_OF_PROJECT),
)
def query_project(path: ProjectPath, query: InstantQuery) -> Response:
    """Evaluate a query at one moment, on the project's own series"""
    return _ask(project_scope(current_user, path.project), "query", query)


@api.get(
    f"{_PROJECT}/query_range",
    operation_id="queryProjectMetricsRange",
    responses=answers({200: PrometheusAnswer}, *_OF_PROJECT),
)
def query_project_range(path: ProjectPath, query: RangeQuery) -> Response:
    """Evaluate a query over some time, on the project's own series"""
    return _ask(project_scope(current_user, path.project), "query_range", query)


@api.get(
    f"{_PROJECT}/query_exemplars",
    operation_id="queryProjectExemplars",
    responses=answers({200: PrometheusAnswer}, *_OF_PROJECT),
)
def query_project_exemplars(path: ProjectPath, query: ExemplarQuery) -> Response:
    """Find exemplars of the project's own series"""
    return _ask(project_scope(current_user, path.project), "query_exemplars", query)


@api.get(
    f"{_PROJECT}/series",
    operation_id="findProjectSeries",
    responses=answers({200: PrometheusAnswer}, *_OF_PROJECT),
)
def find_project_series(path: ProjectPath, query: SeriesQuery) -> Response:
    """Find the project's own series by their labels"""
    return _ask(project_scope(current_user, path.project), "series", query)


@api.get(
    f"{_PROJECT}/labels",
    operation_id="findProjectLabels",
    responses=answers({200: PrometheusAnswer}, *_OF_PROJECT),
)
def find_project_labels(path: ProjectPath, query: LabelQuery) -> Response:
    """Find the names of labels of the project's own series"""
    return _ask(project_scope(current_user, path.project), "labels", query)


@api.get(
    f"{_PROJECT}/label/<name>/values",
    operation_id="findProjectLabelValues",
    responses=answers({200: PrometheusAnswer}, *_OF_PROJECT),
)
def find_project_label_values(path: ProjectLabelPath, query: LabelQuery) -> Response:
    """Find the values of a label on the project's own series"""
    return _ask(project_scope(current_user, path.project), f"label/{path.name}/values", query)


@api.get(
    f"{_PLATFORM}/query", operation_id="queryMetrics", responses=answers({200: PrometheusAnswer}, *_OF_ALL)
)
def query_all(query: InstantQuery) -> Response:
    """Evaluate a query at one moment, on all series, for administrators"""
    return _ask(platform_scope(current_user), "query", query)


@api.get(
    f"{_PLATFORM}/query_range",
    operation_id="queryMetricsRange",
    responses=answers({200: PrometheusAnswer}, *_OF_ALL),
)
def query_all_range(query: RangeQuery) -> Response:
    """Evaluate a query over some time, on all series, for administrators"""
    return _ask(platform_scope(current_user), "query_range", query)


@api.get(
    f"{_PLATFORM}/query_exemplars",
    operation_id="queryExemplars",
    responses=answers({200: PrometheusAnswer}, *_OF_ALL),
)
def query_all_exemplars(query: ExemplarQuery) -> Response:
    """Find exemplars of all series, for administrators"""
    return _ask(platform_scope(current_user), "query_exemplars", query)


@api.get(
    f"{_PLATFORM}/series", operation_id="findSeries", responses=answers({200: PrometheusAnswer}, *_OF_ALL)
)
def find_series(query: SeriesQuery) -> Response:
    """Find series by their labels, for administrators"""
    return _ask(platform_scope(current_user), "series", query)


@api.get(
    f"{_PLATFORM}/labels", operation_id="findLabels", responses=answers({200: PrometheusAnswer}, *_OF_ALL)
)
def find_labels(query: LabelQuery) -> Response:
    """Find the names of labels of all series, for administrators"""
    return _ask(platform_scope(current_user), "labels", query)


@api.get(
    f"{_PLATFORM}/label/<name>/values",
    operation_id="findLabelValues",
    responses=answers({200: PrometheusAnswer}, "not-found", *_OF_ALL),
)
def find_label_values(path: LabelPath, query: LabelQuery) -> Response:
    """Find the values of a label on all series, for administrators"""
    return _ask(platform_scope(current_user), f"label/{path.name}/values", query)


def _ask(scope: Scope, path: str, query: Model) -> Response:
    """Ask for what the query says, once each, and return Prometheus' answer as it is."""
    for name, values in request.args.lists():
        if len(values) > 1 and name != "match[]":
            raise Problem("validation-failed", f"{name} is given {len(values)} times.", field=name)
    fields = [
        (name, str(value))
        for name, given in query.model_dump(by_alias=True, exclude_none=True, exclude={"timeout"}).items()
        for value in (given if isinstance(given, list) else [given])
    ]
    return make_response(
        monitoring().ask(current_user.id, scope, path, fields), 200, {"Content-Type": "application/json"}
    )
