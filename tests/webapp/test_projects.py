"""Projects through the API: what is stored, what is answered, and what is refused before that."""

from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.cluster.state import Namespace
from webapp.db import db
from webapp.jobs.models import Job
from webapp.openapi import Portal
from webapp.projects.models import Project


def counts(app: Portal) -> tuple[int, int]:
    """Number of stored projects and jobs."""
    with app.app_context():
        found = [db.session.scalar(select(func.count()).select_from(table)) for table in (Project, Job)]
    return found[0] or 0, found[1] or 0


def test_creation_answers_links_and_stores_the_job(api: Api, app: Portal) -> None:
    answer = api("ada").send("POST", "/projects", SHOP)
    assert answer.status_code == 202
    job_id = answer.json["job"]["id"]
    assert answer.headers["Location"] == "/api/v1/projects/shop"
    assert answer.json["links"] == {
        "self": "/api/v1/projects/shop",
        "project": "/api/v1/projects/shop",
        "job": f"/api/v1/jobs/{job_id}",
    }
    assert answer.json["project"]["state"] == "creating"
    job = job_of(app, answer)
    assert (job["kind"], job["state"], job["project"], job["user"]) == (
        "project.create",
        "queued",
        "shop",
        "ada",
    )
    assert job["request"]["project"]["quota"] == {"cpu": "2", "memory": "2Gi", "storage": "5Gi", "pods": 20}
    assert job["request"]["project"]["owner"] == "ada"


def test_the_creator_is_the_owner_unless_an_administrator_says_otherwise(api: Api) -> None:
    assert api("dev").send("POST", "/projects", {"name": "mine"}).json["project"]["owner"] == "dev"
    answer = api("root").send("POST", "/projects", {"name": "theirs", "owner": "eve"})
    assert answer.json["project"]["owner"] == "eve"
    answer = api("dev").send("POST", "/projects", {"name": "other", "owner": "eve"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["owner"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "Shop"}, ["name"]),
        ({"name": "shop_1"}, ["name"]),
        ({"name": "-shop"}, ["name"]),
        ({"name": "x" * 41}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "kube-shop"}, ["name"]),
        ({"name": "default"}, ["name"]),
        ({"name": "croft"}, ["name"]),
        ({"name": "croft-shop"}, ["name"]),
        ({"name": 7}, ["name"]),
        ({"name": "../../etc"}, ["name"]),
        ({"description": "{{ lookup('pipe', 'id') }}"}, ["description"]),
        ({"members": [{"user": "{% x %}", "role": "owner"}]}, ["members.0.user"]),
        ({"quota": {"cpu": "two"}}, ["quota.cpu"]),
        ({"quota": {"cpu": "0"}}, ["quota.cpu"]),
        ({"quota": {"memory": "2GB", "pods": 0}}, ["quota.memory", "quota.pods"]),
        ({"members": [{"user": "nobody", "role": "viewer"}]}, ["members.0.user"]),
        ({"members": [{"user": "ada", "role": "viewer"}]}, ["members.0.user"]),
        ({"members": [{"user": "dev", "role": "boss"}]}, ["members.0.role"]),
        ({"members": [{"user": "dev", "role": "viewer"}] * 2}, ["members.0.user", "members.1.user"]),
        ({"egressCidrs": ["10.0.0.0/8", "everywhere"]}, ["egressCidrs"]),
        ({"podSecurity": "privileged"}, ["podSecurity"]),
        ({"isAdmin": True}, ["isAdmin"]),
        ({"state": "ready"}, ["state"]),
    ],
)
def test_bad_fields_are_named_and_nothing_is_stored(
    api: Api, app: Portal, change: dict[str, Any], fields: list[str]
) -> None:
    answer = api("ada").send("POST", "/projects", {**SHOP, **change})
    assert answer.status_code == 422
    assert answer.json["type"] == "/problems/validation-failed"
    assert [error["field"] for error in answer.json["errors"]] == fields
    assert all(error["message"] for error in answer.json["errors"])
    assert counts(app) == (0, 0)


@pytest.mark.parametrize(
    ("quota", "sentence"),
    [
        ({"cpu": "4001m"}, "The quota asks for 4001m CPU; the cluster's 1 node has 4 CPU."),
        ({"memory": "9Gi"}, "The quota asks for 9Gi memory; the cluster's 1 node has 8Gi memory."),
        ({"pods": 111}, "The quota asks for 111 pods; the cluster's 1 node has 110 pods."),
    ],
)
def test_a_quota_beyond_the_nodes(api: Api, app: Portal, quota: dict[str, Any], sentence: str) -> None:
    answer = api("ada").send("POST", "/projects", {**SHOP, "quota": quota})
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/quota-exceeds-nodes")
    assert answer.json["errors"] == [{"field": f"quota.{next(iter(quota))}", "message": sentence}]
    assert counts(app) == (0, 0)


def test_a_silent_cluster_refuses_changes_and_stores_nothing(
    api: Api, app: Portal, cluster: StatedCluster
) -> None:
    cluster.down = True
    answer = api("ada").send("POST", "/projects", SHOP)
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/cluster-unreachable")
    assert "Nothing was changed" in answer.json["detail"]
    assert counts(app) == (0, 0)


def test_a_taken_name(api: Api, app: Portal, cluster: StatedCluster) -> None:
    api("ada").send("POST", "/projects", SHOP)
    answer = api("dev").send("POST", "/projects", {"name": "shop"})
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/name-taken")
    assert answer.json["errors"][0]["field"] == "name"
    cluster.namespaces["monitoring"] = Namespace("monitoring", None, False)
    answer = api("ada").send("POST", "/projects", {"name": "monitoring"})
    assert answer.status_code == 409
    assert "has a namespace 'monitoring' already" in answer.json["detail"]
    assert counts(app) == (1, 1)


def test_two_at_once_with_one_name_make_one_project(api: Api, app: Portal) -> None:
    clients = [api(name) for name in ("ada", "dev", "eve", "root")]
    answers = []

    def create(client: Any) -> None:
        answers.append(client.send("POST", "/projects", {"name": "race"}).status_code)

    threads = [Thread(target=create, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202, 409, 409, 409]
    assert counts(app) == (1, 1)


def test_detail_shows_the_live_quota(api: Api, cluster: StatedCluster) -> None:
    api("ada").send("POST", "/projects", SHOP)
    assert api("eve").send("GET", "/projects/shop").json["quota"] is None
    cluster.quotas["shop"] = quota_use(used_cpu="300m", used_memory="1536Mi")
    shown = api("eve").send("GET", "/projects/shop").json
    assert shown["quota"]["cpu"] == {"used": "300m", "free": "1700m", "hard": "2"}
    assert shown["quota"]["memory"] == {"used": "1.5Gi", "free": "512Mi", "hard": "2Gi"}
    assert shown["quota"]["pods"] == {"used": "0", "free": "20", "hard": "20"}
    assert shown["spec"]["members"] == SHOP["members"]
    cluster.down = True
    answer = api("eve").send("GET", "/projects/shop")
    assert (answer.status_code, answer.json["quota"]) == (200, None)


def test_lists_page_by_page(api: Api) -> None:
    for number in range(5):
        assert api("ada").send("POST", "/projects", {"name": f"p{number}"}).status_code == 202
    api("dev").send("POST", "/projects", {"name": "p9"})
    names, path = [], "/api/v1/projects?limit=2"
    while path:
        page = api("ada").send("GET", path).json
        assert len(page["items"]) <= 2
        names += [item["name"] for item in page["items"]]
        path = page["links"]["next"]
    assert names == [f"p{number}" for number in range(5)]
    assert len(api("root").send("GET", "/projects").json["items"]) == 6
    for query in ("limit=0", "limit=101", "limit=x", "page=2"):
        answer = api("ada").send("GET", f"/projects?{query}")
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, query.split("=")[0])


def test_change_replaces_what_is_given_and_put_the_rest_too(api: Api, app: Portal) -> None:
    api("ada").send("POST", "/projects", SHOP)
    end_jobs(app)
    answer = api("ada").send("PATCH", "/projects/shop", {"quota": {"cpu": "3"}})
    assert answer.status_code == 202
    assert (answer.json["project"]["state"], answer.json["project"]["version"]) == ("updating", 2)
    request = job_of(app, answer)["request"]["project"]
    assert request["quota"]["cpu"] == "3"
    assert request["members"] == SHOP["members"]
    end_jobs(app)
    answer = api("ada").send("PUT", "/projects/shop", {"description": "New"})
    request = job_of(app, answer)["request"]["project"]
    assert (request["members"], request["owner"], request["description"]) == ([], "ada", "New")
    assert request["quota"]["cpu"] == "2"


def test_change_checks_as_creation_does(api: Api, app: Portal, cluster: StatedCluster) -> None:
    api("ada").send("POST", "/projects", SHOP)
    for body, slug in (
        ({"quota": {"cpu": "64"}}, "quota-exceeds-nodes"),
        ({"quota": {"cpu": "x"}}, "validation-failed"),
        ({"quota": None}, "validation-failed"),
        ({"name": "other"}, "validation-failed"),
        ({"owner": "nobody"}, "validation-failed"),
        ({"description": "{{ 7*7 }}"}, "validation-failed"),
    ):
        answer = api("ada").send("PATCH", "/projects/shop", body)
        assert answer.json["type"] == f"/problems/{slug}", answer.text
    cluster.down = True
    assert api("ada").send("PATCH", "/projects/shop", {"quota": {"cpu": "3"}}).status_code == 503
    assert counts(app) == (1, 1)


def test_an_owner_can_hand_the_project_over(api: Api, app: Portal) -> None:
    api("ada").send("POST", "/projects", SHOP)
    change = {"owner": "dev", "members": [{"user": "ada", "role": "viewer"}]}
    assert api("ada").send("PATCH", "/projects/shop", change).status_code == 202
    assert api("dev").send("GET", "/projects/shop").json["role"] == "owner"
    assert api("ada").send("PATCH", "/projects/shop", {"description": "x"}).status_code == 403


def test_deletion_takes_everything_and_happens_once(api: Api, app: Portal) -> None:
    api("ada").send("POST", "/projects", SHOP)
    api("ada").send("POST", "/projects/shop/applications", WEB)
    end_jobs(app)
    answer = api("ada").send("DELETE", "/projects/shop")
    assert answer.status_code == 202
    assert answer.json["job"]["kind"] == "project.delete"
    assert answer.json["project"]["state"] == "deleting"
    for method, path, body in (
        ("DELETE", "/projects/shop", None),
        ("PATCH", "/projects/shop", {"description": "x"}),
        ("POST", "/projects/shop/applications", {**WEB, "name": "other"}),
        ("PATCH", "/projects/shop/applications/web", {"replicas": 2}),
        ("DELETE", "/projects/shop/applications/web", None),
    ):
        again = api("ada").send(method, path, body)
        assert (again.status_code, again.json["type"]) == (409, "/problems/state-conflict"), again.text
        assert "is being deleted" in again.json["detail"]
    end_jobs(app)
    assert api("ada").send("GET", "/projects/shop").status_code == 404
    assert counts(app)[0] == 0
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202


def test_a_blocked_deletion_can_be_tried_again(api: Api, app: Portal) -> None:
    api("ada").send("POST", "/projects", SHOP)
    api("ada").send("DELETE", "/projects/shop")
    end_jobs(app, "failed")
    assert api("ada").send("GET", "/projects/shop").json["state"] == "blocked"
    assert api("ada").send("PATCH", "/projects/shop", {"description": "x"}).status_code == 409
    assert api("ada").send("DELETE", "/projects/shop").status_code == 202


def test_nodes_that_are_not_there_hold_nothing(api: Api, cluster: StatedCluster) -> None:
    cluster.node_list = []
    answer = api("ada").send("POST", "/projects", SHOP)
    assert answer.status_code == 422
    assert "0 nodes together have 0 CPU" in answer.json["detail"]
    assert Decimal(0) == sum(node.cpu for node in cluster.node_list)
