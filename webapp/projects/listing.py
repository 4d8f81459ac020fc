"""Lists of projects: searched, filtered, sorted, and paged by a cursor that is right for every order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, or_, select, tuple_

from webapp.auth.models import User
from webapp.db import db
from webapp.problems import Problem
from webapp.projects.access import visible_to
from webapp.projects.models import Membership, Project

MAX_PAGE = 100
Sort: TypeAlias = Literal["name", "-name", "createdAt", "-createdAt", "updatedAt", "-updatedAt"]
SORTS: tuple[str, ...] = get_args(Sort)
_COLUMNS: dict[str, Any] = {
    "name": Project.name,
    "createdAt": Project.created_at,
    "updatedAt": Project.updated_at,
}


@dataclass(frozen=True)
class Filter:
    """Which projects: `search` in name and description, `own` for those that one is an owner of."""

    search: str = ""
    state: str | None = None
    archived: bool | None = None
    own: bool = False

    @property
    def any(self) -> bool:
        """Whether it leaves anything out."""
        return self != Filter()


@dataclass(frozen=True)
class ProjectPage:
    """Some projects; `next_cursor` leads to those after them, None at the end."""

    projects: list[Project]
    next_cursor: str | None


def list_for(
    user: User, chosen: Filter = Filter(), *, sort: str = "name", limit: int = 50, cursor: str | None = None
) -> ProjectPage:
    """Return the projects that the user may see, at most `limit` (up to 100) after `cursor`.

    `sort`: one of SORTS, "-" for the other way round. Raises Problem bad-request for a cursor that no earlier
    page in this order gave.
    """
    limit = max(1, min(limit, MAX_PAGE))
    column = _COLUMNS[sort.removeprefix("-")]
    # Names are unique, so they decide between projects of the same moment.
    order = [column] if column is Project.name else [column, Project.name]
    down = sort.startswith("-")
    query = select(Project).where(visible_to(user), *_conditions(user, chosen))
    if cursor is not None:
        here, last = tuple_(*order), tuple_(*_read_cursor(cursor, len(order)))
        query = query.where(here < last if down else here > last)
    query = query.order_by(*(item.desc() if down else item for item in order)).limit(limit + 1)
    found = list(db.session.scalars(query))
    page = found[:limit]
    return ProjectPage(page, _write_cursor(page[-1], column) if len(found) > limit else None)


def roles_in(user: User, projects: list[Project]) -> dict[int, str | None]:
    """Return the user's role by the id of each project, with one query for all."""
    query = select(Membership.project_id, Membership.role).where(
        Membership.user_id == user.id, Membership.project_id.in_([project.id for project in projects])
    )
    joined = {} if user.is_admin else dict(db.session.execute(query).all())
    return {
        project.id: "owner" if user.is_admin or project.owner_id == user.id else joined.get(project.id)
        for project in projects
    }


def _conditions(user: User, chosen: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for word in chosen.search.split()[:10]:
        found.append(
            or_(
                Project.name.icontains(word, autoescape=True),
                Project.description.icontains(word, autoescape=True),
            )
        )
    if chosen.state is not None:
        found.append(Project.state == chosen.state)
    if chosen.archived is not None:
        found.append(Project.archived.is_(chosen.archived))
    if chosen.own:
        owned = select(Membership.project_id).where(Membership.user_id == user.id, Membership.role == "owner")
        found.append(or_(Project.owner_id == user.id, Project.id.in_(owned)))
    return found


def _write_cursor(project: Project, column: Any) -> str:
    if column is Project.name:
        return project.name
    moment = project.created_at if column is Project.created_at else project.updated_at
    return f"{moment.isoformat()}~{project.name}"


def _read_cursor(cursor: str, parts: int) -> tuple[Any, ...]:
    moment, mark, name = cursor.rpartition("~")
    try:
        if bool(mark) is not (parts == 2):
            raise ValueError
        if parts == 1:
            return (name,)
        found = datetime.fromisoformat(moment)
        if found.tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise Problem(
            "validation-failed",
            "The cursor is not one that an earlier page in this order gave.",
            field="cursor",
        ) from error
    return found, name
