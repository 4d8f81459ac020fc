"""What users do with their own account: e-mail address, password, sessions."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select

from webapp.audit.services import record
from webapp.auth import emails, passwords, services, throttle
from webapp.auth.models import User, UserSession
from webapp.cursors import read_cursor, write_cursor
from webapp.db import db, utcnow, writing
from webapp.problems import Problem


@dataclass(frozen=True)
class SessionPage:
    """Some of a user's sessions; `next_cursor` is None on the last page."""

    sessions: list[UserSession]
    next_cursor: str | None


def change_email(user: User, email: str | None) -> None:
    """Store the user's e-mail address; None or an empty text removes it. Raises Problem validation-failed."""
    email, user_id = emails.checked(email), user.id
    with writing() as session:
        mine = session.get_one(User, user_id)
        before = mine.email
        if before == email:
            return
        mine.email = email
        record(
            session,
            mine,
            "user.update",
            object_name=mine.name,
            before={"email": before},
            after={"email": email},
        )


def change_password(user: User, current: str, new: str, family: str) -> None:
    """Give the user a password of their own choice and end all sessions but `family`.

    Guesses of the present password count like attempts to sign in. Raises Problem: state-conflict (the user
    has no password), validation-failed at currentPassword or newPassword, too-many-attempts.
    """
    user_id, name, stored = user.id, user.name, user.password_hash
    if stored is None:
        raise Problem(
            "state-conflict", "You sign in through your organisation, so there is no password to change here."
        )
    services.check_password(new, "newPassword")
    with writing() as session:
        throttle.admit(session, name, "")
    if len(current) > passwords.MAX_LENGTH or not passwords.verify_password(current, stored):
        raise Problem("validation-failed", "This is not your present password.", field="currentPassword")
    if current == new:
        raise Problem(
            "validation-failed", "Choose a password other than the present one.", field="newPassword"
        )
    password_hash = passwords.hash_password(new)
    with writing() as session:
        mine = session.get_one(User, user_id)
        throttle.forgive(session, name)
        mine.password_hash, mine.must_change_password = password_hash, False
        services.end_sessions(session, and_(UserSession.user_id == user_id, UserSession.id != family))
        record(session, mine, "user.password", object_name=name)


def sessions_of(user: User, *, limit: int, cursor: str | None = None) -> SessionPage:
    """Return living sessions, the newest sign-in first. Raises Problem validation-failed (cursor)."""
    query = select(UserSession).where(_alive(user.id))
    if cursor is not None:
        begun, last_id = read_cursor(cursor)
        same = and_(UserSession.created_at == begun, UserSession.id < last_id)
        query = query.where(or_(UserSession.created_at < begun, same))
    query = query.order_by(UserSession.created_at.desc(), UserSession.id.desc()).limit(limit + 1)
    found = list(db.session.scalars(query))
    last = found[limit - 1] if len(found) > limit else None
    return SessionPage(found[:limit], write_cursor(last.created_at, last.id) if last else None)


def session_of(user: User, session_id: str) -> UserSession:
    """Return one of the user's sessions that are alive. Raises Problem session-not-found."""
    found = db.session.scalar(select(UserSession).where(_alive(user.id), UserSession.id == session_id))
    if found is None:
        raise Problem("session-not-found", f"You have no session '{session_id[:64]}' that is still alive.")
    return found


def end_session(user: User, session_id: str) -> None:
    """End one of the user's sessions. Raises Problem session-not-found."""
    found = session_of(user, session_id)
    user_id, where = user.id, f"{browser_of(found.user_agent)} at {found.address or 'unknown'}"
    with writing() as session:
        mine = session.get_one(User, user_id)
        services.end_sessions(session, and_(UserSession.user_id == user_id, UserSession.id == session_id))
        record(session, mine, "session.end", object_name=where[:128])


def end_all(user: User) -> int:
    """End all of the user's sessions, this one included; return how many there were."""
    user_id = user.id
    with writing() as session:
        mine = session.get_one(User, user_id)
        ended = len(session.scalars(select(UserSession.id).where(_alive(user_id))).all())
        services.end_sessions(session, UserSession.user_id == user_id)
        record(session, mine, "session.end-all", object_name=mine.name)
    return ended


def browser_of(user_agent: str) -> str:
    """Return in a few words which program a session belongs to."""
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
    name = next((word for mark, word in browsers if mark in user_agent), "")
    if not name and "Safari/" in user_agent:
        name = "Safari"
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"))
    more = (("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
    system = next((word for mark, word in systems + more if mark in user_agent), "")
    if name:
        return f"{name} on {system}" if system else name
    return user_agent.split(" ")[0].replace("/", " ")[:60] or "Unknown program"


def _alive(user_id: int) -> ColumnElement[bool]:
    now = utcnow()
    return and_(
        UserSession.user_id == user_id,
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > now,
        # Its last refresh token has run out.
        UserSession.last_used_at > now - services.REFRESH_LIFETIME,
    )
