"""Plans: what a change of an application would do, worked out by the worker before anything is applied."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.applications import changes, checks, queries, revisions
from webapp.applications.models import Application, Plan
from webapp.applications.schemas import ApplicationSettings, ApplicationSpec, NewApplication
from webapp.auth.models import User
from webapp.db import db, utcnow, writing
from webapp.etags import Versions
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.access import require_role, visible_to
from webapp.projects.models import Project

LASTS = timedelta(hours=1)
KIND = "application.plan"
S = TypeVar("S", bound=ApplicationSettings)


@dataclass(frozen=True)
class State:
    """How a plan stands: planning, ready, failed, applied or expired, and a sentence about it."""

    word: str
    message: str


def plan_new(user: User, project_name: str, new: NewApplication) -> Plan:
    """Store a plan for a new application, and the job that works it out.

    Raises Problem: project-not-found, role-too-low, state-conflict, name-taken, host-taken,
    validation-failed, quota-exceeds-nodes, cluster-unreachable; nothing is stored then.
    """
    project = projects.get_for(user, project_name)
    require_role(user, project, "developer")
    projects.refuse_unchangeable(project)
    if queries.find(db.session(), project, new.name) is not None:
        raise checks.name_taken(project_name, new.name)
    spec = checks.complete(project_name, new.name, new)
    checks.look(project, spec)
    return _store(user, spec, None)


def plan_change(
    user: User, project_name: str, name: str, settings: ApplicationSettings, *, versions: Versions = None
) -> Plan:
    """Store a plan for new settings of an application, and the job that works it out.

    Raises Problem as `plan_new` does, with application-not-found instead of name-taken, and version-conflict.
    """
    application = queries.get_for(user, project_name, name)
    require_role(user, application.project, "developer")
    projects.refuse_unchangeable(application.project)
    checks.refuse_deleted(application)
    revisions.refuse_stale(application, versions)
    stored = queries.spec_of(application)
    spec = checks.complete(project_name, name, settings, stored)
    checks.look(application.project, spec)
    return _store(user, spec, application.version)


def get_for(user: User, plan_id: str) -> Plan:
    """Return the plan. Raises Problem plan-not-found, also for one of a project that the user cannot see."""
    query = select(Plan).join(Project, Plan.project_id == Project.id)
    plan = db.session.scalar(query.where(Plan.id == plan_id, visible_to(user)))
    if plan is None:
        raise Problem("plan-not-found", f"There is no plan '{plan_id[:64]}' that you may see.")
    return plan


def job_of(plan: Plan) -> Job | None:
    """Return the job that works the plan out; None when it is not kept any more."""
    return db.session.get(Job, plan.job_id)


def state_of(plan: Plan, job: Job | None) -> State:
    """Say how the plan stands."""
    if plan.applied_at is not None:
        return State("applied", "This plan has been applied.")
    if plan.expires_at <= utcnow() or job is None:
        return State("expired", "This plan is more than an hour old; make a new one.")
    if not job.ended:
        return State("planning", "The plan is being worked out.")
    if job.state != "succeeded":
        return State("failed", job.message)
    return State("ready", "Nothing is changed until you apply it.")


def apply(user: User, plan_id: str) -> tuple[Application, Job]:
    """Apply exactly the settings of a plan; return the application and the job that does it.

    Raises Problem: plan-not-found, role-too-low, state-conflict (it is not ready, applied or expired),
    version-conflict when the application was changed since, and what a change without a plan raises.
    """
    plan = get_for(user, plan_id)
    require_role(user, plan.project, "developer")
    state = state_of(plan, job_of(plan))
    if state.word != "ready":
        raise Problem("state-conflict", f"The plan cannot be applied: {state.message}")
    project, name, base = plan.project.name, plan.application_name, plan.base_version
    spec = ApplicationSpec.model_validate(plan.settings)
    if base is None:
        done = changes.store_new(user, project, name, lambda: spec)
    else:
        change = changes.Change("application.update", "changed", lambda _stored: spec)
        done = changes.store(user, project, name, change, {base})
    with writing() as session:
        session.get_one(Plan, plan_id).applied_at = utcnow()
    return done


def settings_of(user: User, plan_id: str) -> dict[str, Any]:
    """Return what one's own plan would set, with the values of secrets; empty when there is no such plan."""
    plan = db.session.scalar(select(Plan).where(Plan.id == plan_id, Plan.user_id == user.id))
    return plan.settings if plan is not None else {}


def with_secrets(user: User, plan_id: str, settings: S) -> S:
    """Return the settings with values, from one's own plan, for secrets that were sent without one.

    A form that is filled from a plan cannot hold the values that were typed before: they are never sent
    back.
    """
    planned = settings_of(user, plan_id) if plan_id else {}
    if not planned:
        return settings
    values = {secret["name"]: secret["value"] for secret in planned.get("secrets") or []}
    secrets = [
        secret.model_copy(update={"value": values.get(secret.name)}) if secret.value is None else secret
        for secret in settings.secrets
    ]
    tls, key = settings.tls, (planned.get("tls") or {}).get("key")
    if tls is not None and not tls.issuer and not tls.key:
        tls = tls.model_copy(update={"key": key})
    return settings.model_copy(update={"secrets": secrets, "tls": tls})


def _store(user: User, spec: ApplicationSpec, base_version: int | None) -> Plan:
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = projects.lock(session, actor, spec.project, "developer")
        _drop_old(session)
        content = spec.model_dump(mode="json")
        job = enqueue(
            session,
            kind=KIND,
            project_name=project.name,
            application_name=spec.name,
            user=actor,
            request={"application": content},
        )
        now = utcnow()
        plan = Plan(
            id=uuid.uuid4().hex,
            project=project,
            application_name=spec.name,
            user_id=user_id,
            settings=content,
            base_version=base_version,
            job_id=job.id,
            created_at=now,
            expires_at=now + LASTS,
        )
        session.add(plan)
    return plan


def _drop_old(session: Session) -> None:
    """Drop plans that expired a while ago: until then their pages can say so."""
    session.execute(delete(Plan).where(Plan.expires_at < utcnow() - LASTS))
