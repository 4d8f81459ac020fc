"""Requests for more quota: asked by members, granted or refused by administrators, with a word."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from webapp import cluster
from webapp.audit.services import record
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.db import db, utcnow, writing
from webapp.jobs.models import Job
from webapp.links import project_path
from webapp.notifications import outbox
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.access import require_role, visible_to
from webapp.projects.capacity import check_fits_nodes
from webapp.projects.models import Project, QuotaRequest
from webapp.projects.schemas import Quota
from webapp.quantities import parse_quantity

MAX_PAGE = 100
STATES = ("open", "granted", "refused", "withdrawn")


@dataclass(frozen=True)
class RequestPage:
    """Some requests, newest first; `next_cursor` leads to those before them, None at the end."""

    requests: list[QuotaRequest]
    next_cursor: str | None


def ask(user: User, project_name: str, quota: Quota, reason: str) -> QuotaRequest:
    """Store a request for this quota. A project has one open request at most.

    Raises Problem: project-not-found, role-too-low, validation-failed (it asks for no more than there is),
    quota-exceeds-nodes, state-conflict, cluster-unreachable.
    """
    project = projects.get_for(user, project_name)
    require_role(user, project, "developer")
    projects.refuse_deleted(project)
    _check_more(quota, projects.spec_of(project).quota)
    _check_nodes(quota)
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        project = projects.lock(session, actor, project_name, "developer")
        projects.refuse_deleted(project)
        _check_more(quota, projects.spec_of(project).quota)
        if open_of(session, project) is not None:
            raise Problem(
                "state-conflict",
                f"There is an open request of project '{project_name}' already: withdraw it first.",
            )
        request = QuotaRequest(
            id=uuid.uuid4().hex,
            project=project,
            user_id=actor.id,
            user_name=actor.name,
            quota=quota.model_dump(mode="json"),
            reason=reason,
            state="open",
        )
        session.add(request)
        record(
            session,
            actor,
            "quota_request.create",
            project=project_name,
            object_name=request.id[:8],
            before=project.spec["quota"],
            after=request.quota,
        )
    return request


def list_for(
    user: User,
    *,
    project_name: str | None = None,
    state: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> RequestPage:
    """Return the requests of one project, or of all that the user may see, newest first.

    Raises Problem project-not-found, or bad-request for a cursor that no earlier page gave.
    """
    limit = max(1, min(limit, MAX_PAGE))
    query = select(QuotaRequest).join(QuotaRequest.project).where(visible_to(user))
    if project_name is not None:
        query = query.where(QuotaRequest.project_id == projects.get_for(user, project_name).id)
    if state is not None:
        query = query.where(QuotaRequest.state == state)
    if cursor is not None:
        query = query.where(tuple_(QuotaRequest.created_at, QuotaRequest.id) < tuple_(*_read_cursor(cursor)))
    query = query.order_by(QuotaRequest.created_at.desc(), QuotaRequest.id.desc()).limit(limit + 1)
    found = list(db.session.scalars(query))
    page = found[:limit]
    last = f"{page[-1].created_at.isoformat()}~{page[-1].id}" if len(found) > limit else None
    return RequestPage(page, last)


def get_for(user: User, request_id: str) -> QuotaRequest:
    """Return the request. Raises Problem quota-request-not-found."""
    query = select(QuotaRequest).join(QuotaRequest.project)
    request = db.session.scalar(query.where(QuotaRequest.id == request_id, visible_to(user)))
    if request is None:
        raise Problem(
            "quota-request-not-found", f"There is no quota request '{request_id[:64]}' that you may see."
        )
    return request


def open_of(session: Session, project: Project) -> QuotaRequest | None:
    """Return the project's open request, or None."""
    query = select(QuotaRequest).where(QuotaRequest.project_id == project.id, QuotaRequest.state == "open")
    return session.scalar(query.limit(1))


def withdraw(user: User, request_id: str) -> QuotaRequest:
    """Take back one's own request. Raises Problem quota-request-not-found, role-too-low or state-conflict."""
    request = get_for(user, request_id)
    if request.user_id != user.id:
        raise Problem("role-too-low", f"Only {request.user_name}, who asked, may withdraw this request.")
    return _end(user, request_id, "withdrawn", "")


def refuse(user: User, request_id: str, answer: str) -> QuotaRequest:
    """Refuse a request, with a word for who asked.

    Raises Problem quota-request-not-found, role-too-low or state-conflict.
    """
    get_for(user, request_id)
    _require_admin(user)
    return _end(user, request_id, "refused", answer)


def grant(user: User, request_id: str, answer: str) -> tuple[QuotaRequest, Job]:
    """Grant a request: the project gets the quota through a job, as by any change of its settings.

    Raises Problem quota-request-not-found, role-too-low, state-conflict, quota-exceeds-nodes or
    cluster-unreachable; nothing is stored then.
    """
    request = get_for(user, request_id)
    _require_admin(user)
    _refuse_decided(request)
    quota, user_name = request.quota, user.name

    def decide(session: Session, project: Project, job: Job) -> None:
        found = _locked(session, request_id)
        found.state, found.answer, found.decided_by, found.decided_at = "granted", answer, user_name, utcnow()
        actor = session.get_one(User, job.user_id)
        record(
            session,
            actor,
            "quota_request.grant",
            project=project.name,
            object_name=request_id[:8],
            after={"answer": answer} if answer else None,
            job_id=job.id,
        )
        _announce(session, found)

    _, job = projects.change(
        user,
        request.project.name,
        lambda project: projects.settings_with(project, {"quota": quota}),
        also=decide,
    )
    return get_for(user, request_id), job


def _end(user: User, request_id: str, state: str, answer: str) -> QuotaRequest:
    user_id = user.id
    with writing() as session:
        actor = session.get_one(User, user_id)
        request = _locked(session, request_id)
        request.state, request.answer = state, answer
        request.decided_by, request.decided_at = actor.name, utcnow()
        record(
            session,
            actor,
            {"refused": "quota_request.refuse", "withdrawn": "quota_request.withdraw"}[state],
            project=request.project.name,
            object_name=request_id[:8],
            after={"answer": answer} if answer else None,
        )
        if state == "refused":
            _announce(session, request)
    return request


def _announce(session: Session, request: QuotaRequest) -> None:
    """Tell the project's channels of the decision."""
    name = request.project.name
    message = f"{request.decided_by} has {request.state} more quota, which {request.user_name} asked for."
    outbox.announce(
        session,
        request.project,
        "quota_request.decided",
        f"More quota for project {name}: {request.state}",
        {
            "message": f"{message} {request.answer}".strip(),
            "quotaRequest": {"id": request.id, "state": request.state, "answer": request.answer},
        },
        {"page": f"/projects/{name}", "project": project_path(name)},
    )


def _locked(session: Session, request_id: str) -> QuotaRequest:
    """Return the request with its row locked. Raises Problem when somebody was quicker."""
    query = select(QuotaRequest).where(QuotaRequest.id == request_id).with_for_update(of=QuotaRequest)
    request = session.scalar(query.execution_options(populate_existing=True))
    if request is None:
        raise Problem("quota-request-not-found", "The request is gone, with its project.")
    _refuse_decided(request)
    return request


def _refuse_decided(request: QuotaRequest) -> None:
    if request.state != "open":
        raise Problem("state-conflict", f"The request was {request.state} already by {request.decided_by}.")


def _require_admin(user: User) -> None:
    if not user.is_admin:
        raise Problem("role-too-low", "Only administrators decide about requests for more quota.")


def _check_more(quota: Quota, present: Quota) -> None:
    pairs = [
        (str(getattr(quota, key)), str(getattr(present, key))) for key in ("cpu", "memory", "storage", "pods")
    ]
    if not any(parse_quantity(wish) > parse_quantity(now) for wish, now in pairs):
        detail = "This is no more than the project has; owners lower its limits by themselves."
        raise Problem("validation-failed", detail, field="quota")


def _check_nodes(quota: Quota) -> None:
    try:
        check_fits_nodes(quota, cluster.reader().nodes())
    except ClusterUnreachable as error:
        raise cluster.unreachable(error) from error


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    moment, _, request_id = cursor.partition("~")
    try:
        found = datetime.fromisoformat(moment)
        if found.tzinfo is None or not request_id.isalnum():
            raise ValueError
    except ValueError as error:
        raise Problem(
            "validation-failed", "The cursor is not one that an earlier page gave.", field="cursor"
        ) from error
    return found, request_id
