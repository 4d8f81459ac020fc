"""/api/v1/jobs"""

from flask import Response, request
from pydantic import Field

from webapp.auth.sessions import current_user
from webapp.db import db
from webapp.jobs import responses, retry, services, stream
from webapp.jobs.models import Kind, State
from webapp.links import API, ListQuery, PageLinks, job_path, page_addresses
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model, Moment

api = api_blueprint("jobs_api", __name__, "/jobs", "jobs", "Changes on their way, and how they went")

EVENT_STREAM = "text/event-stream"


class JobPath(Model):
    """Which job."""

    job: str = Field(description="Id of the job", examples=["0f8c2ab3d4e5f60718293a4b5c6d7e8f"])


class JobQuery(ListQuery):
    """Which jobs, and which page of them."""

    limit: int = Field(20, ge=1, le=100, description="Most items on the page", examples=[20])
    project: str | None = Field(None, max_length=63, description="Of this project alone", examples=["shop"])
    application: str | None = Field(
        None, max_length=63, description="Of this application alone", examples=["web"]
    )
    state: State | None = Field(None, description="In this state alone", examples=["running"])
    kind: Kind | None = Field(None, description="Of this kind alone", examples=["project.create"])
    user: str | None = Field(
        None, max_length=64, description="Asked for by this user alone", examples=["ada"]
    )
    since: Moment | None = Field(
        None, description="Asked for at this time or later", examples=["2026-01-31T00:00:00Z"]
    )
    until: Moment | None = Field(
        None, description="Asked for before this time", examples=["2026-02-01T00:00:00Z"]
    )


class EventQuery(Model):
    """Which events."""

    after: int = Field(0, ge=0, le=10**9, description="Only those with higher numbers", examples=[0])
    limit: int = Field(500, ge=1, le=1000, description="Most items; a stream has no limit", examples=[500])


@api.get("", operation_id="listJobs", responses=answers({200: responses.JobList}, "validation-failed"))
def list_jobs(query: JobQuery) -> Response:
    """List the jobs that you may see, newest first"""
    page = services.list_jobs(
        current_user,
        project_name=query.project,
        application_name=query.application,
        state=query.state,
        kind=query.kind,
        user_name=query.user,
        since=query.since,
        until=query.until,
        cursor=query.cursor,
        limit=query.limit,
    )
    here, following = page_addresses(f"{API}/jobs", query, page.next_cursor)
    links = PageLinks(self_=here, next=following)
    return reply(responses.JobList(items=[responses.job_body(job) for job in page.jobs], links=links))


@api.get("/<job>", operation_id="getJob", responses=answers({200: responses.JobDetail}, "job-not-found"))
def get_job(path: JobPath) -> Response:
    """Show a job"""
    return reply(responses.job_detail(services.get_job(current_user, path.job)))


@api.get(
    "/<job>/events",
    operation_id="listJobEvents",
    responses=answers({200: responses.EventList}, "job-not-found", "validation-failed"),
)
def list_events(path: JobPath, query: EventQuery) -> Response:
    """Show a job's events

    With `Accept: text/event-stream` they come as Server-Sent Events, each as it happens: `id` is the
    event's number and `data` the event as below. The stream ends with the job, or earlier: open it again
    with the header Last-Event-ID (browsers do so on their own) or with `after`; when nothing is left to
    come it answers 204.
    """
    job = services.get_job(current_user, path.job)
    if request.accept_mimetypes.best_match(["application/json", EVENT_STREAM]) == EVENT_STREAM:
        response = stream.respond(job, query.after)
    else:
        events = services.events_after(db.session(), job.id, query.after, query.limit)
        response = reply(responses.event_list(job, events, query.after))
    response.vary.add("Accept")
    return response


@api.post(
    "/<job>/cancel",
    operation_id="cancelJob",
    responses=answers({202: responses.JobDetail}, "job-not-found", "role-too-low", "state-conflict"),
)
def cancel_job(path: JobPath) -> Response:
    """Cancel a job: at once when it waits, within about a second when it runs"""
    job = services.cancel(current_user, path.job)
    return reply(responses.job_detail(job), 202, job_path(job.id))


@api.post(
    "/<job>/retry",
    operation_id="retryJob",
    responses=answers({202: responses.JobDetail}, "job-not-found", "role-too-low", "state-conflict"),
)
def retry_job(path: JobPath) -> Response:
    """Do a failed or cancelled job again, with the present settings of its project or application

    The answer is the new job.
    """
    job = retry.retry(current_user, path.job)
    return reply(responses.job_detail(job), 202, job_path(job.id))
