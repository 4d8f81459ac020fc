"""What was done in a project lately, in words."""

from sqlalchemy import select

from webapp.audit.models import AuditEntry
from webapp.db import db
from webapp.projects.models import Project

_VERBS = {
    "archive": "archived",
    "cancel": "cancelled",
    "clone": "cloned",
    "create": "created",
    "delete": "deleted",
    "download": "downloaded",
    "grant": "granted",
    "issue": "got",
    "open": "opened",
    "plan": "planned",
    "refuse": "refused",
    "restart": "restarted",
    "retry": "retried",
    "rollback": "rolled back",
    "start": "started",
    "stop": "stopped",
    "test": "tested",
    "update": "changed",
    "wake": "woke",
    "withdraw": "withdrew",
}
_NOUNS = {
    "project": "the project",
    "kubeconfig": "a kubeconfig",
    "quota-request": "a request for more quota",
    "quotarequest": "a request for more quota",
}


def action_words(action: str) -> str:
    """Say an action as a user would: "application.update" is "changed application"."""
    noun, _, verb = action.partition(".")
    noun = _NOUNS.get(noun, noun.replace("_", " ").replace("-", " "))
    return f"{_VERBS.get(verb, verb.replace('_', ' ').replace('-', ' '))} {noun}".strip()


def activity(project: Project, limit: int = 8) -> list[AuditEntry]:
    """Return what was done in the project lately, newest first; not what an earlier one of its name saw."""
    query = select(AuditEntry).where(
        AuditEntry.project_name == project.name, AuditEntry.created_at >= project.created_at
    )
    return list(db.session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))
