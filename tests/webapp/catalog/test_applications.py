"""Applications from the catalog, by the API: made, changed, rolled back, exported; secrets stay inside."""

from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.applications.models import Application
from webapp.db import db
from webapp.jobs.models import Job
from webapp.openapi import Portal

PASSWORD = "a-long-password"
DB: dict[str, Any] = {
    "name": "db",
    "catalog": "postgresql",
    "values": {"database": "orders", "password": PASSWORD},
}
PATH = "/projects/shop/applications/db"


@pytest.fixture
def shop(api: Api, app: Portal, cluster: StatedCluster) -> None:
    """A project of ada's with a database from the catalog."""
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    end_jobs(app)
    answer = api("ada").send("POST", "/projects/shop/applications/from-catalog", DB)
    assert answer.status_code == 202, answer.text
    assert answer.json["application"]["url"] is None
    assert answer.headers["ETag"] == '"1"'


def stored(app: Portal) -> dict[str, Any]:
    """The application as the database has it."""
    with app.app_context():
        return dict(db.session.query(Application).filter_by(name="db").one().spec)


@pytest.mark.usefixtures("shop")
def test_secret_values_are_kept_apart_and_never_shown(api: Api, app: Portal) -> None:
    spec = stored(app)
    assert spec["secrets"] == [{"name": "password", "value": PASSWORD}]
    assert spec["values"] == {
        "database": "orders",
        "user": "app",
        "size": "1Gi",
        "maxConnections": 50,
        "cpu": "100m",
        "memory": "256Mi",
    }
    with app.app_context():
        job = db.session.query(Job).filter_by(kind="application.create").one()
        assert job.request == {"application": spec}
        assert PASSWORD not in str(job.by_hand)
    shown = api("ada").send("GET", PATH)
    assert shown.json["spec"] is None
    assert shown.json["catalog"] == "postgresql"
    assert shown.json["values"] == {
        "entry": "postgresql",
        "values": spec["values"],
        "secrets": [{"name": "password"}],
        "stopped": False,
    }
    for path in (PATH, f"{PATH}/revisions", f"{PATH}/revisions/1", f"{PATH}/export"):
        answer = api("ada").send("GET", path)
        assert answer.status_code == 200
        assert PASSWORD not in answer.text


@pytest.mark.usefixtures("shop")
def test_values_are_changed_and_rolled_back(api: Api, app: Portal) -> None:
    end_jobs(app)
    ada = api("ada")
    answer = ada.send("PUT", f"{PATH}/values", {"values": {"database": "orders", "maxConnections": 80}})
    assert answer.status_code == 202, answer.text
    spec = stored(app)
    assert spec["values"]["maxConnections"] == 80
    assert spec["secrets"] == [{"name": "password", "value": PASSWORD}]
    (change,) = ada.send("GET", f"{PATH}/revisions/2").json["changes"]
    assert change == {"field": "values.maxConnections", "before": 50, "after": 80}
    end_jobs(app)
    new = {"values": {"database": "orders"}, "secrets": [{"name": "password", "value": "another-password"}]}
    assert ada.send("PUT", f"{PATH}/values", new).status_code == 202
    end_jobs(app)
    assert ada.send("POST", f"{PATH}/revisions/2/rollback").status_code == 202
    assert stored(app) == {**spec, "restartedAt": None}


@pytest.mark.usefixtures("shop")
def test_it_is_stopped_restarted_cloned_and_imported(api: Api, app: Portal) -> None:
    ada = api("ada")
    for verb in ("restart", "stop", "start"):
        end_jobs(app)
        assert ada.send("POST", f"{PATH}/{verb}").status_code == 202, verb
        assert stored(app)["stopped"] is (verb == "stop")
    end_jobs(app)
    assert ada.send("POST", f"{PATH}/clone", {"name": "db-2"}).status_code == 202
    text = ada.send("GET", f"{PATH}/export").text
    body = {"yaml": text, "name": "db-3"}
    refused = ada.send("POST", "/projects/shop/applications/import", body)
    assert refused.status_code == 422
    assert "'password' has to be given" in refused.json["detail"]
    body["yaml"] = text.replace("- name: password", f"- name: password\n    value: {PASSWORD}")
    made = ada.send("POST", "/projects/shop/applications/import", body)
    assert made.status_code == 202, made.text
    with app.app_context():
        for name in ("db-2", "db-3"):
            copy = db.session.query(Application).filter_by(name=name).one()
            assert copy.catalog_entry == "postgresql"
            assert copy.spec["secrets"] == [{"name": "password", "value": PASSWORD}]


@pytest.mark.usefixtures("shop")
def test_the_two_kinds_do_not_mix(api: Api, app: Portal) -> None:
    end_jobs(app)
    ada = api("ada")
    for method, path, body in (
        ("PATCH", PATH, {"replicas": 2}),
        ("PUT", PATH, {"image": "nginx:1", "ports": [{"targetPort": 80}]}),
        ("POST", f"{PATH}/plan", {"replicas": 2}),
    ):
        answer = ada.send(method, path, body)
        assert answer.status_code == 409, f"{method} {path}: {answer.text}"
        assert "comes from the catalog" in answer.json["detail"]
    assert ada.send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)
    answer = ada.send("PUT", "/projects/shop/applications/web/values", {"values": {}})
    assert answer.status_code == 409
    assert "runs an image" in answer.json["detail"]


@pytest.mark.usefixtures("shop")
def test_what_is_wrong_is_named_and_nothing_is_stored(api: Api, app: Portal) -> None:
    ada = api("ada")
    path = "/projects/shop/applications/from-catalog"
    unknown = ada.send("POST", path, {**DB, "name": "x", "catalog": "oracle"})
    assert unknown.status_code == 404
    assert unknown.json["type"] == "/problems/catalog-entry-not-found"
    wrong = ada.send("POST", path, {**DB, "name": "x", "values": {"password": PASSWORD, "image": "evil:1"}})
    assert wrong.status_code == 422
    assert wrong.json["errors"][0]["field"] == "values.image"
    template = ada.send(
        "POST", path, {**DB, "name": "x", "values": {"password": "{{ lookup('pipe','id') }}"}}
    )
    assert template.status_code == 422
    assert ada.send("POST", path, DB).status_code == 409
    with app.app_context():
        assert db.session.query(Application).count() == 1


def test_the_catalog_itself(api: Api) -> None:
    ada = api("ada")
    names = [item["name"] for item in ada.send("GET", "/catalog").json["items"]]
    assert names == ["postgresql", "valkey"]
    entry = ada.send("GET", "/catalog/postgresql").json
    assert "password" in entry["valuesSchema"]["properties"]
    assert "password" not in entry["defaults"]
    assert "image" not in entry["valuesSchema"]["properties"]
    assert ada.send("GET", "/catalog/none").status_code == 404
