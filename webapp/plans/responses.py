"""What the API answers about plans."""

from datetime import datetime

from pydantic import Field

from webapp.applications import responses as applications
from webapp.applications.models import Plan
from webapp.jobs.models import Job
from webapp.links import API, JobReference, application_path, job_path, project_path
from webapp.plans import services
from webapp.revisions.responses import FieldChange
from webapp.schemas import Model


class PlanLinks(Model):
    """Where to go from a plan."""

    self_: str = Field(
        alias="self", description="The plan", examples=["/api/v1/plans/5d8c2ab3d4e5f60718293a4b5c6d7e8f"]
    )
    apply: str = Field(
        description="Apply it with POST", examples=["/api/v1/plans/5d8c2ab3d4e5f60718293a4b5c6d7e8f/apply"]
    )
    job: str = Field(
        description="The job that works it out",
        examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"],
    )
    project: str = Field(description="Its project", examples=["/api/v1/projects/shop"])
    application: str = Field(
        description="Its application; 404 as long as that is only planned",
        examples=["/api/v1/projects/shop/applications/web"],
    )


class PlannedObject(Model):
    """An object of the cluster that would be made, changed or removed."""

    kind: str = Field(description="Kind of the object", examples=["Deployment"])
    name: str = Field(description="Name of the object", examples=["web"])
    action: str = Field(description="created, changed or removed", examples=["changed"])
    changes: list[FieldChange] = Field(description="What of it changes; empty unless it is changed")


class QuotaVerdict(Model):
    """Whether one resource of the project's quota suffices."""

    resource: str = Field(description="cpu, memory, storage or pods", examples=["cpu"])
    fits: bool = Field(description="Whether it suffices", examples=[True])
    words: str = Field(description="In words", examples=["asks for 500m CPU, 1500m left"])


class PlanResult(Model):
    """What applying the plan would do."""

    url: str = Field(description="Address of the application", examples=["http://web.shop.localhost:8080"])
    fits: bool = Field(description="Whether the project's quota suffices", examples=[True])
    quota: list[QuotaVerdict] = Field(description="The same by resource")
    objects: list[PlannedObject] = Field(description="What would change in the cluster")


class PlanBody(Model):
    """A change that waits to be applied."""

    id: str = Field(description="Id of the plan", examples=["5d8c2ab3d4e5f60718293a4b5c6d7e8f"])
    project: str = Field(description="Name of the project", examples=["shop"])
    application: str = Field(description="Name of the application", examples=["web"])
    state: str = Field(description="planning, ready, failed, applied or expired", examples=["ready"])
    message: str = Field(
        description="The state in a sentence", examples=["Nothing is changed until you apply it."]
    )
    base_version: int | None = Field(
        description="Version of the application that it changes; null for a new one", examples=[1]
    )
    spec: applications.ShownSettings = Field(description="The settings; secrets by name only")
    result: PlanResult | None = Field(description="What it would do; null until it is ready")
    created_at: datetime = Field(description="When it was made, UTC", examples=["2026-01-31T12:00:00Z"])
    expires_at: datetime = Field(
        description="Until when it can be applied", examples=["2026-01-31T13:00:00Z"]
    )
    job: JobReference = Field(description="The job that works it out")
    links: PlanLinks = Field(description="Where to go from here")


def body(plan: Plan) -> PlanBody:
    """Return a plan as the API shows it."""
    job = services.job_of(plan)
    state = services.state_of(plan, job)
    path = f"{API}/plans/{plan.id}"
    return PlanBody(
        id=plan.id,
        project=plan.project.name,
        application=plan.application_name,
        state=state.word,
        message=state.message,
        base_version=plan.base_version,
        spec=applications.shown(plan.settings)["spec"],
        result=result_of(job),
        created_at=plan.created_at,
        expires_at=plan.expires_at,
        job=JobReference(id=plan.job_id, kind=services.KIND, state=job.state if job else "expired"),
        links=PlanLinks(
            self_=path,
            apply=f"{path}/apply",
            job=job_path(plan.job_id),
            project=project_path(plan.project.name),
            application=application_path(plan.project.name, plan.application_name),
        ),
    )


def result_of(job: Job | None) -> PlanResult | None:
    """Return what the job found out, None before it has."""
    found = (job.result or {}).get("plan") if job is not None else None
    return PlanResult.model_validate(found) if found else None
