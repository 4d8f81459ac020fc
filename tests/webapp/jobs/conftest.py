"""A project with members, and jobs about it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from webapp.auth.models import User
from webapp.db import writing
from webapp.jobs import services
from webapp.openapi import Portal
from webapp.projects.models import Membership, Project

NewJob = Callable[..., str]


@pytest.fixture
def shop(app: Portal) -> None:
    """The project `shop` of ada, with dev as a developer and eve as a viewer."""
    with app.app_context(), writing() as session:
        ids = {user.name: user.id for user in session.scalars(select(User))}
        project = Project(name="shop", owner_id=ids["ada"], spec={"name": "shop"}, state="ready")
        session.add(project)
        session.flush()
        for name, role in (("dev", "developer"), ("eve", "viewer")):
            session.add(Membership(project_id=project.id, user_id=ids[name], role=role))


@pytest.fixture
def new_job(app: Portal) -> NewJob:
    """Queue a job of `user` for a project."""

    def enqueue(user: str = "ada", project: str = "shop", **fields: Any) -> str:
        with app.app_context(), writing() as session:
            asking = session.scalars(select(User).where(User.name == user)).one()
            values = {"kind": "project.update", "request": {"project": {}}, **fields}
            return services.enqueue(session, project_name=project, user=asking, **values).id

    return enqueue
