"""All tables in one place, for whatever needs the whole schema (migrations, tests)."""

from webapp.applications.models import Application
from webapp.auth.models import LoginAttempt, RefreshToken, User
from webapp.jobs.models import Job, JobEvent
from webapp.projects.models import Membership, Project

__all__ = [
    "Application",
    "Job",
    "JobEvent",
    "LoginAttempt",
    "Membership",
    "Project",
    "RefreshToken",
    "User",
]
