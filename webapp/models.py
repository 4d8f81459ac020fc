"""All tables in one place, for whatever needs the whole schema (migrations, tests)."""

from webapp.applications.models import Application, Plan, Revision
from webapp.audit.models import AuditEntry
from webapp.auth.models import ApiToken, LoginAttempt, RefreshToken, User, UserSession
from webapp.idempotency.models import IdempotencyKey
from webapp.jobs.models import Job, JobEvent
from webapp.notifications.models import Channel, Delivery
from webapp.projects.models import Membership, Project, QuotaRequest
from webapp.worker.models import Lease, WorkerSign

__all__ = [
    "ApiToken",
    "Application",
    "AuditEntry",
    "Channel",
    "Delivery",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "Lease",
    "LoginAttempt",
    "Membership",
    "Plan",
    "Project",
    "QuotaRequest",
    "RefreshToken",
    "Revision",
    "User",
    "UserSession",
    "WorkerSign",
]
