"""What the API answers about logs, pods and the cluster's events."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from webapp.applications.responses import PodState
from webapp.cluster.state import ClusterEvent, Container, Pod
from webapp.links import PageLinks, application_path
from webapp.live.logs import LogLine
from webapp.schemas import Model


class LogLineBody(Model):
    """One line of a container's log, or what is to be said about it."""

    kind: Literal["line", "note"] = Field(
        description="note: not from the container, but about its log", examples=["line"]
    )
    time: str | None = Field(
        description="When it was written: RFC 3339, UTC, nanoseconds; null when the node did not say",
        examples=["2026-01-31T12:00:00.123456789Z"],
    )
    pod: str = Field(description="Pod; empty for a note about all", examples=["web-5c7d9b6f4-x2x7k"])
    container: str = Field(description="Container in the pod", examples=["web"])
    text: str = Field(
        description="The line; at most 16 KiB, then cut with a word that says so",
        examples=["GET / 200 in 3 ms"],
    )


class LogLinks(Model):
    """Where to go from a log."""

    self_: str = Field(
        alias="self", description="This log", examples=["/api/v1/projects/shop/applications/web/logs"]
    )
    application: str = Field(
        description="The application", examples=["/api/v1/projects/shop/applications/web"]
    )
    download: str = Field(
        description="The whole log as text",
        examples=["/api/v1/projects/shop/applications/web/logs/download"],
    )


class LogPage(Model):
    """The newest lines of an application's containers, in order of time."""

    items: list[LogLineBody] = Field(description="Lines, oldest first")
    truncated: bool = Field(description="Whether older lines were left out", examples=[False])
    links: LogLinks = Field(description="Where to go from here")


class ContainerBody(Model):
    """One container of a pod, read live."""

    name: str = Field(description="Name of the container", examples=["web"])
    image: str = Field(description="Image that it runs", examples=["registry.example.org/team/web:1.2"])
    ready: bool = Field(description="Whether it serves", examples=[True])
    restarts: int = Field(description="How often it was restarted", examples=[1])
    state: str = Field(description="What it does, in words", examples=["runs"])
    last_exit: str = Field(
        description="How it ended before, in words; empty if it never did",
        examples=["ended with exit code 1"],
    )
    started_at: datetime | None = Field(
        description="Since when it runs, UTC; null when it does not", examples=["2026-01-31T12:00:00Z"]
    )


class PodBody(PodState):
    """One pod with its containers, read live."""

    containers: list[ContainerBody] = Field(description="Its containers")


class PodList(Model):
    """The pods of an application, by name, with those that have ended and are still there."""

    items: list[PodBody] = Field(description="The pods")
    links: PageLinks = Field(description="This list, which has one page")


class ClusterEventBody(Model):
    """What Kubernetes noted of an object."""

    kind: str = Field(description="Kind of the object", examples=["Pod"])
    name: str = Field(description="Name of the object", examples=["web-5c7d9b6f4-x2x7k"])
    type: Literal["Normal", "Warning"] = Field(description="How grave it is", examples=["Warning"])
    reason: str = Field(description="Kubernetes' word for it", examples=["BackOff"])
    message: str = Field(
        description="What happened", examples=["Back-off restarting failed container web in pod web-5c7d…"]
    )
    count: int = Field(description="How often it happened", examples=[4])
    first_at: datetime = Field(description="When it happened first, UTC", examples=["2026-01-31T12:00:00Z"])
    last_at: datetime = Field(description="When it happened last, UTC", examples=["2026-01-31T12:05:00Z"])


class ClusterEventList(Model):
    """What Kubernetes noted lately, newest first; it forgets after an hour."""

    items: list[ClusterEventBody] = Field(description="The events")
    links: PageLinks = Field(description="This list, which has one page")


def log_page(project: str, application: str, lines: list[LogLine], truncated: bool, query: str) -> LogPage:
    """Return lines with their links; `query`: that of the request, encoded."""
    path = f"{application_path(project, application)}/logs"
    tail = f"?{query}" if query else ""
    links = LogLinks(
        self_=path + tail, application=application_path(project, application), download=f"{path}/download"
    )
    items = [
        LogLineBody(
            kind="note" if line.note else "line",
            time=line.time or None,
            pod=line.pod,
            container=line.container,
            text=line.text,
        )
        for line in lines
    ]
    return LogPage(items=items, truncated=truncated, links=links)


def pod_body(pod: Pod) -> PodBody:
    """Return a pod with its containers."""
    fields = {name: getattr(pod, name) for name in PodState.model_fields}
    return PodBody(**fields, containers=[_container(item) for item in pod.containers])


def event_body(event: ClusterEvent) -> ClusterEventBody:
    """Return an event of the cluster."""
    return ClusterEventBody(
        kind=event.kind,
        name=event.name,
        type="Warning" if event.warning else "Normal",
        reason=event.reason,
        message=event.message,
        count=event.count,
        first_at=event.first_at,
        last_at=event.last_at,
    )


def _container(item: Container) -> ContainerBody:
    return ContainerBody(**{name: getattr(item, name) for name in ContainerBody.model_fields})
