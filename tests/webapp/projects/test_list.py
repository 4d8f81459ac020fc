"""The list of projects: search, filters, order and pages, and how much the database is asked for it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, end_jobs
from webapp.auth.models import User
from webapp.db import db, utcnow
from webapp.openapi import Portal
from webapp.projects.listing import SORTS
from webapp.projects.models import Membership, Project
from webapp.projects.schemas import ProjectSpec


def store(app: Portal, *names: str, owner: str = "ada", **columns: Any) -> None:
    """Store projects as they are, each a minute older than the one before; every third at the same moment."""
    with app.app_context():
        user = db.session.scalars(select(User).where(User.name == owner)).one()
        now = utcnow()
        for index, name in enumerate(names):
            moment = now - timedelta(minutes=index // 3)
            spec = ProjectSpec(name=name, owner=owner).model_dump(mode="json")
            values = {"state": "ready", "created_at": moment, "updated_at": moment, **columns}
            db.session.add(Project(name=name, owner_id=user.id, spec=spec, **values))
        db.session.commit()


def names_of(api: Api, query: str = "", user: str = "ada") -> list[str]:
    """Names of all projects of a list, page by page."""
    names, path = [], f"/api/v1/projects?limit=2{query}"
    while path:
        page = api(user).send("GET", path)
        assert page.status_code == 200, page.text
        names += [item["name"] for item in page.json["items"]]
        path = page.json["links"]["next"]
    return names


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_every_project_once_in_every_order(api: Api, app: Portal, sort: str) -> None:
    names = [f"p{number}" for number in (3, 1, 4, 5, 9, 2, 6)]
    store(app, *names)
    found = names_of(api, f"&sort={sort}")
    assert sorted(found) == sorted(names)
    if sort.endswith("name"):
        assert found == sorted(names, reverse=sort.startswith("-"))
    else:
        # Of the same moment: p3, p1, p4; then p5, p9, p2; the oldest is p6.
        oldest_first = ["p6", "p2", "p5", "p9", "p1", "p3", "p4"]
        newest_first = ["p4", "p3", "p1", "p9", "p5", "p2", "p6"]
        assert found == (newest_first if sort.startswith("-") else oldest_first)


def test_a_cursor_of_another_order_is_refused(api: Api, app: Portal) -> None:
    store(app, "one", "two", "three")
    for sort, cursor in (
        ("createdAt", "one"),
        ("name", "2026-01-01T00:00:00+00:00~one"),
        ("-updatedAt", "~x"),
    ):
        answer = api("ada").send("GET", f"/projects?sort={sort}&cursor={cursor}".replace("+", "%2B"))
        assert (answer.status_code, answer.json["type"]) == (422, "/problems/validation-failed")
        assert answer.json["errors"][0]["field"] == "cursor"


def test_search_looks_into_names_and_descriptions(api: Api, app: Portal) -> None:
    store(app, "shop", description="Catalogue and 100% payments")
    store(app, "lab", description="Nothing_special")
    store(app, "shop-test")
    assert names_of(api, "&search=SHOP") == ["shop", "shop-test"]
    assert names_of(api, "&search=shop+payments") == ["shop"]
    # What means something in a pattern means itself here.
    assert names_of(api, "&search=100%25") == ["shop"]
    assert names_of(api, "&search=_") == ["lab"]
    assert names_of(api, "&search=%25") == ["shop"]
    assert names_of(api, "&search=nowhere") == []
    assert api("ada").send("GET", "/projects?search=%00").status_code == 400


def test_filters(api: Api, app: Portal) -> None:
    store(app, "ready", "other")
    store(app, "broken", state="failed")
    store(app, "sleepy", archived=True)
    store(app, "theirs", owner="dev")
    with app.app_context():
        ada = db.session.scalars(select(User).where(User.name == "ada")).one()
        theirs = db.session.scalars(select(Project).where(Project.name == "theirs")).one()
        db.session.add(Membership(project_id=theirs.id, user_id=ada.id, role="viewer"))
        db.session.commit()
    assert names_of(api, "&state=failed") == ["broken"]
    assert names_of(api, "&archived=true") == ["sleepy"]
    assert names_of(api, "&archived=false") == ["broken", "other", "ready", "theirs"]
    assert names_of(api, "&role=own") == ["broken", "other", "ready", "sleepy"]
    assert names_of(api, "&role=own", user="root") == []
    page = api("ada").send("GET", "/projects?limit=1&state=ready&sort=-name&role=own&archived=false").json
    for part in ("state=ready", "role=own", "sort=-name", "archived=false"):
        assert part in page["links"]["next"]
    for wrong in ("state=gone", "sort=size", "role=boss", "archived=perhaps"):
        assert api("ada").send("GET", f"/projects?{wrong}").status_code == 422


def test_roles_in_the_list(api: Api) -> None:
    api("ada").send("POST", "/projects", SHOP)
    for user, role in (("root", "owner"), ("ada", "owner"), ("dev", "developer"), ("eve", "viewer")):
        assert api(user).send("GET", "/projects").json["items"][0]["role"] == role


def test_the_database_is_asked_as_often_for_many_projects_as_for_one(
    api: Api, app: Portal, statements: list[str]
) -> None:
    api("ada").send("POST", "/projects", SHOP)
    end_jobs(app)
    client = api("dev")
    client.send("GET", "/projects")
    statements.clear()
    client.send("GET", "/projects")
    one = len(statements)
    store(app, *(f"p{number}" for number in range(30)), owner="dev")
    statements.clear()
    assert len(client.send("GET", "/projects").json["items"]) == 31
    assert len(statements) == one
