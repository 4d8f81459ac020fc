"""What the API answers about jobs."""

from datetime import datetime
from typing import Any

from flask import current_app
from pydantic import Field

from webapp.db import db
from webapp.jobs import by_hand
from webapp.jobs.kinds import message_of
from webapp.jobs.models import KINDS, Job, JobEvent
from webapp.jobs.retry import retried_by
from webapp.jobs.waiting import look
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
    retry: str | None = Field(
        description="Do it again with POST; null when it has not failed or been cancelled",
        examples=[None],
    )
    retry_of: str | None = Field(description="The job that this one does again, if any", examples=[None])
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


class WaitingBody(Model):
    """Why a job waits."""

    position: int = Field(
        description="1 is next in line: of the project's jobs when one of them comes first, else of all",
        examples=[2],
    )
    reason: str = Field(
        description="The reason, in words",
        examples=["2nd in line: waits for the job 'Create project shop' of the same project, which runs"],
    )
    job: str | None = Field(
        description="The job that has to end first, if it is one",
        examples=["/api/v1/jobs/7b1e2ab3d4e5f60718293a4b5c6d7e8f"],
    )


class ByHandBody(Model):
    """How an operator does by hand what the job does."""

    command: str = Field(
        description="The line, to be run in the folder with the playbooks",
        examples=[
            "ansible-playbook -i localhost, playbooks/application.yml -e request_file=$PWD/web.yml "
            "-e croft_domain=localhost -e croft_http_port=8080"
        ],
    )
    file: str = Field(description="Name of the request's file", examples=["web.yml"])
    content: str = Field(
        description="Content of that file, YAML; secrets by name, without their values",
        examples=["application:\n  project: shop\n  name: web\n  secrets:\n  - name: DATABASE_PASSWORD\n"],
    )


class JobDetail(JobBody):
    """A job with all that is known of it."""

    waiting: WaitingBody | None = Field(description="Why it waits; null when it does not")
    by_hand: ByHandBody | None = Field(
        description="How to do the same by hand; null for a job from before this was kept"
    )
    retried_by: str | None = Field(description="The newest job that does this one again", examples=[None])


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
    """Return a job as lists show it."""
    return JobBody(**_fields(job))


def job_detail(job: Job) -> JobDetail:
    """Return a job with all that is known of it."""
    session = db.session()
    waiting = look(session, job)
    hand = by_hand.of(job, current_app.config["CROFT"])
    again = retried_by(session, job)
    return JobDetail(
        **_fields(job),
        waiting=waiting
        and WaitingBody(
            position=waiting.position,
            reason=waiting.reason,
            job=job_path(waiting.job_id) if waiting.job_id else None,
        ),
        by_hand=hand and ByHandBody(command=hand.command, file=hand.file, content=hand.content),
        retried_by=job_path(again) if again else None,
    )


def _fields(job: Job) -> dict[str, Any]:
    path = job_path(job.id)
    application = job.application_name
    again = job.state in ("failed", "cancelled") and job.kind != "application.plan"
    return {
        "id": job.id,
        "kind": job.kind,
        "project": job.project_name,
        "application": application,
        "user": job.user_name,
        "state": job.state,
        "message": message_of(job),
        "result": job.result,
        "cancel_requested": job.cancel_requested,
        "attempt": job.attempt,
        "last_event": job.last_event,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "links": JobLinks(
            self_=path,
            events=f"{path}/events",
            cancel=None if job.ended else f"{path}/cancel",
            retry=f"{path}/retry" if again else None,
            retry_of=job_path(job.retry_of) if job.retry_of else None,
            project=project_path(job.project_name),
            application=application_path(job.project_name, application) if application else None,
        ),
    }


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
