"""Users as administrators see and manage them."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from webapp.audit.services import record
from webapp.auth import emails, passwords, services
from webapp.auth.models import ApiToken, User, UserSession
from webapp.db import db, writing
from webapp.problems import Problem
from webapp.projects.models import Project

# Projects that a refusal names.
_NAMED = 5


@dataclass(frozen=True)
class UserPage:
    """Some users by name; `next_cursor` is None on the last page."""

    users: list[User]
    next_cursor: str | None


def require_admin(user: User) -> None:
    """Raise Problem role-too-low unless the user is an administrator."""
    if not user.is_admin:
        raise Problem("role-too-low", "Only administrators manage users.")


def list_for(user: User, *, search: str = "", limit: int, cursor: str | None = None) -> UserPage:
    """Return users in the order of their names; `search` is looked for in name and e-mail address.

    Raises Problem role-too-low.
    """
    require_admin(user)
    query = select(User)
    if search:
        part = search.lower()
        query = query.where(
            or_(
                User.name.contains(part, autoescape=True),
                func.lower(User.email).contains(part, autoescape=True),
            )
        )
    if cursor is not None:
        query = query.where(User.name > cursor)
    found = list(db.session.scalars(query.order_by(User.name).limit(limit + 1)))
    return UserPage(found[:limit], found[limit - 1].name if len(found) > limit else None)


def get_for(user: User, name: str) -> User:
    """Return the user of this name. Raises Problem: role-too-low, user-not-found."""
    require_admin(user)
    found = services.find_user(name)
    if found is None:
        raise Problem("user-not-found", f"There is no user '{name[:64]}'.")
    return found


def owned_by(user: User) -> list[str]:
    """Return the names of the projects that the user owns."""
    return list(
        db.session.scalars(select(Project.name).where(Project.owner_id == user.id).order_by(Project.name))
    )


def create(
    admin: User, name: str, *, email: str | None = None, password: str | None = None, is_admin: bool = False
) -> tuple[User, str | None]:
    """Store a new user; without a password, make one up, which must be changed at the first sign-in.

    Returns the user and the generated password. Raises Problem: role-too-low, validation-failed, name-taken.
    """
    require_admin(admin)
    name = name.strip().lower()
    services.check_name(name)
    email = emails.checked(email)
    generated = None if password else _generated()
    chosen = password or generated or ""
    services.check_password(chosen)
    password_hash, admin_id = passwords.hash_password(chosen), admin.id
    with writing() as session:
        user = services.add_user(
            session,
            name,
            email=email,
            password_hash=password_hash,
            is_admin=is_admin,
            must_change_password=generated is not None,
        )
        who = session.get_one(User, admin_id)
        record(session, who, "user.create", object_name=name, after=_settings(user))
    return user, generated


def update(admin: User, name: str, changes: dict[str, Any]) -> User:
    """Change `email`, `is_admin` and `is_active` as far as they are in `changes`.

    Who is deactivated is signed out everywhere and loses all API tokens. Raises Problem: role-too-low,
    user-not-found, validation-failed, state-conflict (the last active administrator).
    """
    user_id, admin_id = get_for(admin, name).id, admin.id
    if "email" in changes:
        changes = {**changes, "email": emails.checked(changes["email"])}
    with writing() as session:
        user, who = session.get_one(User, user_id), session.get_one(User, admin_id)
        before = _settings(user)
        if not changes.get("is_admin", True) or not changes.get("is_active", True):
            _refuse_last_admin(session, user)
        for key, value in changes.items():
            setattr(user, key, value)
        if not user.is_active:
            _end_all(session, user_id)
        if _settings(user) != before:
            record(session, who, "user.update", object_name=user.name, before=before, after=_settings(user))
    return user


def reset_password(admin: User, name: str, password: str | None = None) -> tuple[User, str | None]:
    """Give a user a new password, which must be changed at the next sign-in; all their sessions end.

    Returns the user and the password that was generated when none was given. Raises Problem: role-too-low,
    user-not-found, validation-failed.
    """
    user_id, admin_id = get_for(admin, name).id, admin.id
    generated = None if password else _generated()
    chosen = password or generated or ""
    services.check_password(chosen)
    password_hash = passwords.hash_password(chosen)
    with writing() as session:
        user, who = session.get_one(User, user_id), session.get_one(User, admin_id)
        user.password_hash, user.must_change_password = password_hash, True
        services.end_sessions(session, UserSession.user_id == user_id)
        record(session, who, "user.reset-password", object_name=user.name)
    return user, generated


def remove(admin: User, name: str) -> None:
    """Delete a user with sessions, tokens and memberships; what they did stays in jobs and the audit log.

    Raises Problem: role-too-low, user-not-found, state-conflict (the user owns projects, or is the last
    active administrator).
    """
    user_id, admin_id = get_for(admin, name).id, admin.id
    with writing() as session:
        user = session.get_one(User, user_id, with_for_update=True)
        who = session.get_one(User, admin_id)
        _refuse_last_admin(session, user)
        owned = owned_by(user)
        if owned:
            more = f" and {len(owned) - _NAMED} more" if len(owned) > _NAMED else ""
            raise Problem(
                "state-conflict",
                f"'{user.name}' owns {', '.join(owned[:_NAMED])}{more}: transfer or delete "
                f"{'these projects' if len(owned) > 1 else 'this project'} first.",
            )
        record(session, who, "user.delete", object_name=user.name, before=_settings(user))
        session.flush()
        session.delete(user)


def _refuse_last_admin(session: Session, user: User) -> None:
    # All are locked, so that two administrators cannot demote each other at the same moment.
    active = select(User.id).where(User.is_admin, User.is_active).order_by(User.id).with_for_update()
    if session.scalars(active).all() == [user.id]:
        raise Problem(
            "state-conflict",
            f"'{user.name}' is the last active administrator; make somebody else an administrator first.",
        )


def _end_all(session: Session, user_id: int) -> None:
    services.end_sessions(session, UserSession.user_id == user_id)
    session.execute(delete(ApiToken).where(ApiToken.user_id == user_id))


def _settings(user: User) -> dict[str, Any]:
    return {"email": user.email, "isAdmin": user.is_admin, "isActive": user.is_active}


def _generated() -> str:
    return secrets.token_urlsafe(15)
