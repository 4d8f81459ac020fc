"""Write the audit log. Reading it is in webapp.audit.queries."""

from collections.abc import Mapping
from typing import Any

from flask import g, has_request_context, request
from sqlalchemy.orm import Session

from webapp.audit.changes import diff
from webapp.audit.models import AuditEntry
from webapp.auth.models import User


def record(
    session: Session,
    user: User | None,
    action: str,
    *,
    project: str | None = None,
    object_name: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    job_id: str | None = None,
    user_name: str = "",
) -> AuditEntry:
    """Add an entry within the caller's transaction, so that nothing is done without one; do not commit.

    `action`: like "application.update". `before` and `after`: the object's settings on both sides, with
    secrets; only what differs is kept, and secrets are masked. `user` is None for the portal itself, or, with
    `user_name`, for somebody who could not sign in.
    """
    entry = AuditEntry(
        user_id=user.id if user else None,
        user_name=user.name if user else user_name or "portal",
        via=_via(),
        address=(request.remote_addr or "") if has_request_context() else "",
        action=action,
        project_name=project,
        object_name=object_name,
        changes=diff(before, after),
        job_id=job_id,
    )
    session.add(entry)
    return entry


def _via() -> str:
    if not has_request_context():
        return "portal"
    return g.get("via") or ("api" if request.path.startswith("/api/") else "page")
