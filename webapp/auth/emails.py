"""E-mail addresses of users."""

import re

from webapp.problems import Problem

MAX_LENGTH = 254
_EMAIL = re.compile(r"[^@\s<>,;:\"()\\\[\]]+@[^@\s<>,;:\"()\\\[\]]+\.[^@\s<>,;:\"()\\\[\]]+")


def checked(email: str | None) -> str | None:
    """Return the address without blanks around it, None for none. Raises Problem validation-failed."""
    email = (email or "").strip()
    if not email:
        return None
    if len(email) > MAX_LENGTH or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise Problem(
            "validation-failed", "This is no e-mail address: write it like ada@example.org.", field="email"
        )
    return email
