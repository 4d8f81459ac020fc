"""What the API answers about jobs."""

from datetime import datetime
from typing import Any

from pydantic import Field

from webapp.jobs.kinds import message_of
from webapp.jobs.models import KINDS, Job, JobEvent
from webapp.links import PageLinks, application_path, job_path, project_path
from webapp.schemas import Model

_STATES = "queued, running, succeeded, failed or cancelled"


class JobLinks(Model):
    """Where to go from a job."""

    self_: str = Field(
        alias="self", description="The job", examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"]
    )
    events: str = Field(
        description="Its events; as a stream with Accept: text/event-stream",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f/events"],
    )
    cancel: str | None = Field(
        description="Cancel it with POST; null when it has ended",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f/cancel"],
    )
    project: str = Field(
        description="Its project, as long as that exists", examples=["/api/v1/projects/shop"]
    )
    application: str | None = Field(
        description="Its application, as long as that exists; null for a project's job",
        examples=["/api/v1/projects/shop/applications/web"],
    )


class JobBody(Model):
    """A job: one change on its way."""

    id: str = Field(description="Id of the job", examples=["0f8c2ab3d4e5f60718293a4b5c6d7e8f"])
    kind: str = Field(description=f"What it does: one of {', '.join(KINDS)}", examples=["application.create"])
    project: str = Field(description="Name of the project", examples=["shop"])
    application: str | None = Field(
        description="Name of the application, if it is about one", examples=["web"]
    )
    user: str = Field(description="Who asked for it", examples=["ada"])
    state: str = Field(description=_STATES, examples=["succeeded"])
    message: str = Field(
        description="How it ended, in a sentence; empty until then", examples=["Application 'web' is ready."]
    )
    result: dict[str, Any] | None = Field(
        description="What came of it, like the application's address or what was deleted",
        examples=[{"url": "http://web.shop.localhost:8080", "revision": 1}],
    )
    cancel_requested: bool = Field(description="Whether somebody has asked to cancel it", examples=[False])
    attempt: int = Field(description="How often it was started; above 1 after a worker died", examples=[1])
    last_event: int = Field(description="Number of its newest event", examples=[12])
    created_at: datetime = Field(description="When it was asked for, UTC", examples=["2026-01-31T12:00:00Z"])
    started_at: datetime | None = Field(description="When it was started", examples=["2026-01-31T12:00:00Z"])
    finished_at: datetime | None = Field(description="When it ended", examples=["2026-01-31T12:00:02Z"])
    links: JobLinks = Field(description="Where to go from here")


class JobList(Model):
    """One page of jobs, newest first."""

    items: list[JobBody] = Field(description="The jobs")
    links: PageLinks = Field(description="This page and the next")


class EventBody(Model):
    """One numbered line of a job."""

    number: int = Field(description="1, 2, 3 … without gaps", examples=[3])
    kind: str = Field(
        description=(
            "task (a task starts), ok, changed, skipped or failed (it has ended), progress, log, result, or "
            "state (the job's state is data.state now)"
        ),
        examples=["changed"],
    )
    text: str = Field(description="The line", examples=["Release the project"])
    data: dict[str, Any] | None = Field(
        description="More about it, like the task's duration in seconds", examples=[{"duration": 0.412}]
    )
    created_at: datetime = Field(description="When it happened, UTC", examples=["2026-01-31T12:00:01Z"])


class EventLinks(Model):
    """Where to go from some events."""

    self_: str = Field(
        alias="self",
        description="These events",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f/events?after=0"],
    )
    next: str | None = Field(
        description="Those that come after; null when the job has ended and there are none",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f/events?after=3"],
    )
    job: str = Field(description="The job", examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"])


class EventList(Model):
    """Some events of a job, in order."""

    items: list[EventBody] = Field(description="The events")
    links: EventLinks = Field(description="Where to go from here")


def job_body(job: Job) -> JobBody:
    """Return a job as the API shows it."""
    path = job_path(job.id)
    application = job.application_name
    return JobBody(
        id=job.id,
        kind=job.kind,
        project=job.project_name,
        application=application,
        user=job.user_name,
        state=job.state,
        message=message_of(job),
        result=job.result,
        cancel_requested=job.cancel_requested,
        attempt=job.attempt,
        last_event=job.last_event,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        links=JobLinks(
            self_=path,
            events=f"{path}/events",
            cancel=None if job.ended else f"{path}/cancel",
            project=project_path(job.project_name),
            application=application_path(job.project_name, application) if application else None,
        ),
    )


def event_body(event: JobEvent) -> EventBody:
    """Return an event as the API shows it."""
    return EventBody(
        number=event.number,
        kind=event.kind,
        text=event.text,
        data=event.data,
        created_at=event.created_at,
    )


def event_list(job: Job, events: list[JobEvent], after: int) -> EventList:
    """Return the job's events above the number `after`."""
    path = job_path(job.id)
    last = events[-1].number if events else after
    return EventList(
        items=[event_body(event) for event in events],
        links=EventLinks(
            self_=f"{path}/events?after={after}",
            next=None if job.ended and last >= job.last_event else f"{path}/events?after={last}",
            job=path,
        ),
    )
