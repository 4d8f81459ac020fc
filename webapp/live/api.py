"""/api/v1/projects/<project>/applications/<application>: logs, pods and events"""

from flask import Response, request
from flask_openapi.types import ResponseDict
from pydantic import Field

from webapp import cluster
from webapp.applications import queries
from webapp.applications.api import ApplicationPath
from webapp.auth.sessions import current_user
from webapp.cluster import ClusterUnreachable
from webapp.links import PageLinks, application_path
from webapp.live import logs, responses, services, sse
from webapp.live.logs import Wanted
from webapp.openapi import answers, api_blueprint, reply
from webapp.problems import Problem
from webapp.schemas import Model

api = api_blueprint(
    "live_api",
    __name__,
    "/projects/<project>/applications/<application>",
    "live",
    "What really runs: logs, pods, and what the cluster noted",
)

_FOUND = ("project-not-found", "application-not-found", "cluster-unreachable")
_TEXT: ResponseDict = {
    "200": {
        "description": "The log; one line each: time, pod/container, text",
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "2026-01-31T12:00:00.123456789Z web-5c7d9b6f4-x2x7k/web GET / 200 in 3 ms\n",
            }
        },
    }
}
_NO_NUL = r"^[^\x00]*$"


class LogChoice(Model):
    """Which containers, and which lines of them."""

    pod: str | None = Field(
        None, max_length=253, description="Of this pod alone", examples=["web-5c7d9b6f4-x2x7k"]
    )
    container: str | None = Field(
        None, max_length=63, description="Of containers with this name alone", examples=["web"]
    )
    previous: bool = Field(False, description="Of the containers before the last restart", examples=[False])
    since: str = Field(
        "",
        max_length=40,
        description="Only lines after this moment: RFC 3339, or how long ago, like 15m or 1h30m",
        examples=["15m"],
    )
    tail: int | None = Field(
        None, ge=0, le=1_000_000, description="Only so many last lines of each container", examples=[100]
    )
    search: str = Field(
        "",
        max_length=200,
        pattern=_NO_NUL,
        description="Only lines that hold this text, as it stands",
        examples=["GET /"],
    )

    def wanted(self) -> Wanted:
        """Return the choice for the services. Raises Problem validation-failed."""
        return Wanted(
            pod=self.pod,
            container=self.container,
            previous=self.previous,
            since=logs.parse_since(self.since),
            tail=self.tail,
            search=self.search,
        )


class LogQuery(LogChoice):
    """Which lines, and how many of them."""

    limit: int = Field(500, ge=1, le=5_000, description="Most lines; a stream has no limit", examples=[500])
    after: str = Field(
        "",
        max_length=6_000,
        pattern=r"^[A-Za-z0-9_=-]*$",
        description="Go on after the event with this id, like the header Last-Event-ID; streams only",
        examples=[""],
    )


class EventQuery(Model):
    """How many events."""

    limit: int = Field(100, ge=1, le=500, description="Most items", examples=[100])


@api.get(
    "/logs",
    operation_id="getLogs",
    responses=answers(
        {200: responses.LogPage},
        *_FOUND,
        "pod-not-found",
        "validation-failed",
        "too-many-streams",
    ),
)
def get_logs(path: ApplicationPath, query: LogQuery) -> Response:
    """Show the newest lines of an application's containers, merged by time

    With `Accept: text/event-stream` the log comes as Server-Sent Events, each as lines are written: `data`
    holds `items` as below, `id` the position after them. Notes say when pods come and go. Open the stream
    again with the header Last-Event-ID (browsers do so on their own) or with `after`, and it goes on without
    gaps or doubles. A stream of previous containers ends with an event named `end`.
    """
    wanted = query.wanted()
    if sse.is_wanted():
        return services.stream(current_user, path.project, path.application, wanted, query.after)
    lines, truncated = services.page(current_user, path.project, path.application, wanted, query.limit)
    response = reply(
        responses.log_page(
            path.project, path.application, lines, truncated, request.query_string.decode("ascii", "replace")
        )
    )
    response.vary.add("Accept")
    return response


@api.get(
    "/logs/download",
    operation_id="downloadLogs",
    responses={**answers({}, *_FOUND, "pod-not-found", "validation-failed"), **_TEXT},
)
def download_logs(path: ApplicationPath, query: LogChoice) -> Response:
    """Download the log of an application's containers as text"""
    return services.download(current_user, path.project, path.application, query.wanted())


@api.get("/pods", operation_id="listPods", responses=answers({200: responses.PodList}, *_FOUND))
def list_pods(path: ApplicationPath) -> Response:
    """List the pods of an application with their containers, as they are now"""
    _, pods = services.pods_for(current_user, path.project, path.application)
    links = PageLinks(self_=f"{application_path(path.project, path.application)}/pods", next=None)
    return reply(responses.PodList(items=[responses.pod_body(pod) for pod in pods], links=links))


@api.get(
    "/events",
    operation_id="listApplicationEvents",
    responses=answers({200: responses.ClusterEventList}, *_FOUND, "validation-failed"),
)
def list_events(path: ApplicationPath, query: EventQuery) -> Response:
    """List what the cluster noted of an application's objects lately, newest first"""
    queries.get_for(current_user, path.project, path.application)
    try:
        found = cluster.reader().events(path.project, path.application)
    except ClusterUnreachable as error:
        raise Problem("cluster-unreachable", f"The events cannot be read: {error}.") from error
    here = f"{application_path(path.project, path.application)}/events?limit={query.limit}"
    items = [responses.event_body(event) for event in found[: query.limit]]
    return reply(responses.ClusterEventList(items=items, links=PageLinks(self_=here, next=None)))
