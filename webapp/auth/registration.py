"""People who make their own account, where the operator allows it."""

from flask import current_app

from webapp.audit.services import record
from webapp.auth import emails, passwords, services, throttle
from webapp.auth.models import User
from webapp.db import writing
from webapp.problems import Problem

# What attempts to register are counted under; no user can have this name.
_COUNTED_AS = "(registration)"


def require_open() -> None:
    """Raise Problem registration-closed unless the operator allows accounts of one's own."""
    if not current_app.config["CROFT"].self_registration:
        raise Problem(
            "registration-closed", "Accounts are made by administrators here; ask one of them for yours."
        )


def register(name: str, password: str, email: str | None, address: str) -> User:
    """Store a new user who comes from the network address `address`.

    Raises Problem: registration-closed, too-many-attempts, validation-failed, name-taken.
    """
    require_open()
    name = name.strip().lower()
    services.check_name(name)
    services.check_password(password)
    email = emails.checked(email)
    with writing() as session:
        throttle.admit_address(session, _COUNTED_AS, address)
    password_hash = passwords.hash_password(password)
    with writing() as session:
        user = services.add_user(session, name, password_hash=password_hash, email=email)
        record(session, user, "user.register", object_name=name, after={"email": email})
    return user
