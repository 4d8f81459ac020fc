"""Entries of the audit log in words."""

from typing import Any

from webapp.audit.models import AuditEntry
from webapp.projects.activity import action_words

_OWN = {
    "session.end": "ended the session",
    "session.end-all": "signed out everywhere",
    "shell.open": "opened a shell in",
    "token.create": "made the API token",
    "token.revoke": "revoked the API token",
    "user.create": "made the user",
    "user.delete": "deleted the user",
    "user.password": "changed their password",
    "user.register": "registered",
    "user.reset-password": "reset the password of",
    "user.sign-in": "signed in",
    "user.sign-in-failed": "failed to sign in",
    "user.sign-out": "signed out",
    "user.update": "changed the user",
}
# Actions whose object is the user who did them.
_ABOUT_ONESELF = frozenset(
    {
        "session.end-all",
        "user.password",
        "user.register",
        "user.sign-in",
        "user.sign-in-failed",
        "user.sign-out",
    }
)
VIA = {"api": "API", "command": "command", "page": "page", "portal": "portal", "token": "API token"}


def sentence(entry: AuditEntry) -> str:
    """Say what was done, without who did it: "changed application web"."""
    words = _OWN.get(entry.action) or action_words(entry.action)
    about = "" if entry.action in _ABOUT_ONESELF else entry.object_name
    if entry.action.startswith("project.") and about == (entry.project_name or about):
        about = about or entry.project_name or ""
    return f"{words} {about}".strip()


def text(value: Any) -> str:
    """Return a value of a change as plain text."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
