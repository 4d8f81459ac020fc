"""Pages of the catalog: choose an entry, fill in the form that its schema makes, change it later."""

import re

import pytest

from tests.webapp.cluster import StatedCluster, pod
from tests.webapp.pages.conftest import Visit
from tests.webapp.pages.shop import ready_shop
from tests.webapp.requests import end_jobs
from webapp.applications.models import Application
from webapp.cluster.state import Workload
from webapp.db import db
from webapp.openapi import Portal

NEW = "/projects/shop/catalog/postgresql"
DB_PATH = "/projects/shop/applications/db"
PASSWORD = "a-long-password"


@pytest.fixture(autouse=True)
def shop(app: Portal, cluster: StatedCluster) -> None:
    """A project that is ready, and empty."""
    ready_shop(app, cluster, web=False)


def values(app: Portal) -> dict[str, object]:
    """The stored values, secret ones included."""
    with app.app_context():
        spec = db.session.query(Application).filter_by(name="db").one().spec
        return {**spec["values"], **{secret["name"]: secret["value"] for secret in spec["secrets"]}}


def test_a_member_chooses_fills_in_and_changes(visit: Visit, app: Portal, cluster: StatedCluster) -> None:
    dev = visit("dev")
    assert "/projects/shop/catalog" in dev.get("/projects/shop").html
    page = dev.get("/projects/shop/catalog")
    assert "PostgreSQL 17" in page.text
    assert f'href="{NEW}"' in page.html
    form = dev.get(NEW).fields()
    assert form["name"] == "postgresql"
    assert form["values.size"] == "1Gi"
    assert "values.image" not in form
    sent = {**form, "name": "db", "values.database": "orders", "values.password": PASSWORD}
    answer = dev.send(NEW, sent)
    assert answer.status == 303, answer.text
    end_jobs(app)
    cluster.running["shop"] = {"db": Workload(1, (pod("db-5c9d7b6f4-x2k9p"),))}
    assert values(app)["database"] == "orders"
    assert values(app)["maxConnections"] == 50

    page = dev.get(DB_PATH)
    assert re.search(r"PostgreSQL 17 from the catalog ?, at db:80 *inside the project", page.text)
    assert PASSWORD not in page.html
    assert "Open" not in page.text.split("Pods")[0].split("db")[1]
    assert dev.get(f"{DB_PATH}/edit").address.endswith(f"{DB_PATH}/values")
    form = dev.get(f"{DB_PATH}/values").fields()
    assert form["values.password"] == ""
    assert form["values.database"] == "orders"
    assert dev.send(f"{DB_PATH}/values", {**form, "values.maxConnections": "80"}).status == 303
    assert values(app)["maxConnections"] == 80
    assert values(app)["password"] == PASSWORD


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    sent = {**dev.get(NEW).fields(), "name": "db", "values.maxConnections": "many", "values.database": "Ä"}
    page = dev.send(NEW, sent)
    assert page.status == 422
    assert "integer" in page.error("values.maxConnections")
    assert page.error("values.password") == "'password' has to be given."
    assert page.field("values.maxConnections") == "many"
    assert page.field("name") == "db"
    with app.app_context():
        assert db.session.query(Application).count() == 0


def test_a_stale_form_is_refused(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    form = {**dev.get(NEW).fields(), "name": "db", "values.password": PASSWORD}
    assert dev.send(NEW, form).status == 303
    end_jobs(app)
    first, second = (dev.get(f"{DB_PATH}/values").fields() for _ in range(2))
    assert dev.send(f"{DB_PATH}/values", {**first, "values.maxConnections": "60"}).status == 303
    end_jobs(app)
    page = dev.send(f"{DB_PATH}/values", {**second, "values.maxConnections": "70"})
    assert page.status == 412
    assert "values.maxConnections" in page.text
    assert page.field("values.maxConnections") == "70"
    assert values(app)["maxConnections"] == 60
    again = dev.send(f"{DB_PATH}/values", {**page.fields(), "action": "overwrite"})
    assert again.status == 303
    assert values(app)["maxConnections"] == 70


@pytest.mark.parametrize(("name", "status"), [("eve", 403), ("out", 404)])
def test_viewers_and_strangers_are_kept_out(visit: Visit, name: str, status: int) -> None:
    visitor = visit(name)
    assert visitor.get("/projects/shop/catalog").status == status
    assert visitor.get(NEW).status == status
