"""/api/v1/plans, and the ways to make one"""

from flask import Response
from pydantic import Field

from webapp.applications import queries
from webapp.applications import responses as applications
from webapp.applications.api import CHANGE_PROBLEMS, ApplicationPatch, ApplicationPath
from webapp.applications.schemas import NewApplication
from webapp.auth.sessions import current_user
from webapp.etags import IfMatch, if_match
from webapp.links import API
from webapp.openapi import answers, api_blueprint, reply
from webapp.plans import responses, services
from webapp.projects.api import ProjectPath
from webapp.schemas import Model

api = api_blueprint(
    "plans_api", __name__, "", "plans", "What a change would do, before anything is applied; kept for an hour"
)
_PROBLEMS = tuple(slug for slug in CHANGE_PROBLEMS if slug != "quota-exceeded")


class PlanPath(Model):
    """Which plan."""

    plan: str = Field(description="Id of the plan", examples=["5d8c2ab3d4e5f60718293a4b5c6d7e8f"])


@api.post(
    "/projects/<project>/applications/plan",
    operation_id="planNewApplication",
    responses=answers({202: responses.PlanBody}, "name-taken", *_PROBLEMS, body=True),
)
def plan_new(path: ProjectPath, body: NewApplication) -> Response:
    """Plan a new application: takes what its creation takes, and tells what that would do"""
    return _accepted(services.plan_new(current_user, path.project, body))


@api.post(
    "/projects/<project>/applications/<application>/plan",
    operation_id="planApplication",
    responses=answers({202: responses.PlanBody}, *_PROBLEMS, body=True),
)
def plan_change(path: ApplicationPath, header: IfMatch, body: ApplicationPatch) -> Response:  # type: ignore[valid-type]
    """Plan a change of an application: settings that are left out stay"""
    application = queries.get_for(current_user, path.project, path.application)
    changes = body.model_dump(mode="json", exclude_unset=True)  # type: ignore[attr-defined]
    settings = queries.settings_with(application, changes)
    return _accepted(
        services.plan_change(current_user, path.project, path.application, settings, versions=if_match())
    )


@api.get(
    "/plans/<plan>",
    operation_id="getPlan",
    responses=answers({200: responses.PlanBody}, "plan-not-found"),
)
def get_plan(path: PlanPath) -> Response:
    """Show a plan; it is ready when its job has succeeded"""
    return reply(responses.body(services.get_for(current_user, path.plan)))


@api.post(
    "/plans/<plan>/apply",
    operation_id="applyPlan",
    responses=answers(
        {202: applications.ApplicationChange},
        "plan-not-found",
        "name-taken",
        "quota-exceeded",
        *(slug for slug in _PROBLEMS if not slug.startswith("project-")),
    ),
)
def apply_plan(path: PlanPath) -> Response:
    """Apply exactly what was planned; refused when the application was changed since"""
    return applications.accepted(*services.apply(current_user, path.plan))


def _accepted(plan: services.Plan) -> Response:
    return reply(responses.body(plan), 202, f"{API}/plans/{plan.id}")
