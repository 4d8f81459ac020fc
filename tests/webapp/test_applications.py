"""Applications through the API: what is stored, what is shown, and what is refused before that."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text

from tests.webapp.cluster import StatedCluster, pod, quota_use
from tests.webapp.conftest import Api, ApiClient
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.applications import checks, queries
from webapp.applications.models import Application
from webapp.cluster.state import Node, Workload
from webapp.db import db
from webapp.openapi import Portal

PATH = "/projects/shop/applications"
SECRET = "hunter2-hunter2"


@pytest.fixture
def ada(api: Api, app: Portal, cluster: StatedCluster) -> ApiClient:
    """The owner of a project that is ready, with 2 CPU and 2Gi."""
    client = api("ada")
    assert client.send("POST", "/projects", SHOP).status_code == 202
    end_jobs(app)
    cluster.quotas["shop"] = quota_use()
    return client


def stored(app: Portal) -> int:
    """Number of stored applications."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Application)) or 0


def test_creation_answers_links_and_stores_the_job(ada: ApiClient, app: Portal) -> None:
    answer = ada.send("POST", PATH, WEB)
    assert answer.status_code == 202
    own = "/api/v1/projects/shop/applications/web"
    assert answer.headers["Location"] == own
    assert answer.json["links"] == {
        "self": own,
        "application": own,
        "project": "/api/v1/projects/shop",
        "job": f"/api/v1/jobs/{answer.json['job']['id']}",
    }
    assert answer.json["application"]["url"] == "http://web.shop.localhost:8080"
    job = job_of(app, answer)
    assert (job["kind"], job["project"], job["application"]) == ("application.create", "shop", "web")
    request = job["request"]["application"]
    assert request["project"] == "shop"
    assert request["ports"][0]["targetPort"] == 8080
    assert request["secrets"] == [{"name": "PASSWORD", "value": SECRET}]


def test_secrets_are_never_shown_nor_stored_in_the_clear(ada: ApiClient, app: Portal) -> None:
    answers = [ada.send("POST", PATH, WEB), ada.send("GET", f"{PATH}/web"), ada.send("GET", PATH)]
    answers.append(ada.send("PATCH", f"{PATH}/web", {"replicas": 2}))
    assert all(SECRET not in answer.text for answer in answers)
    assert answers[1].json["spec"]["secrets"] == [{"name": "PASSWORD"}]
    with app.app_context():
        for table in ("applications", "jobs", "job_events"):
            rows = db.session.execute(text(f"SELECT * FROM {table}")).all()  # noqa: S608
            assert rows
            assert SECRET not in str(rows)


def test_a_secret_without_a_value_keeps_its_own(ada: ApiClient, app: Portal) -> None:
    ada.send("POST", PATH, WEB)
    change = {"secrets": [{"name": "PASSWORD"}, {"name": "TOKEN", "value": " new\n"}]}
    answer = ada.send("PATCH", f"{PATH}/web", change)
    request = job_of(app, answer)["request"]["application"]
    assert request["secrets"] == [{"name": "PASSWORD", "value": SECRET}, {"name": "TOKEN", "value": " new\n"}]
    answer = ada.send("PATCH", f"{PATH}/web", {"secrets": [{"name": "UNKNOWN"}]})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "secrets.0.value")
    answer = ada.send("PATCH", f"{PATH}/web", {"secrets": []})
    assert job_of(app, answer)["request"]["application"]["secrets"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Web"}, "name"),
        ({"image": "has space"}, "image"),
        ({"image": "{{ lookup('pipe', 'touch /tmp/x') }}"}, "image"),
        ({"image": "Upper/Case"}, "image"),
        ({"image": "x$(id)"}, "image"),
        ({"ports": []}, "ports"),
        ({"ports": [{"targetPort": 0}]}, "ports.0.targetPort"),
        ({"ports": [{"targetPort": 65536}]}, "ports.0.targetPort"),
        ({"ports": [{"targetPort": "http"}]}, "ports.0.targetPort"),
        ({"ports": [{"targetPort": 80, "protocol": "UDP"}]}, ""),
        ({"ports": [{"targetPort": 80}, {"targetPort": 81}]}, ""),
        ({"resources": {"requests": {"cpu": "1 core"}}}, "resources.requests.cpu"),
        ({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, "resources"),
        ({"replicas": -1}, "replicas"),
        ({"replicas": 1.5}, "replicas"),
        ({"env": [{"name": "A-B", "value": "x"}]}, "env.0.name"),
        ({"env": [{"name": "A", "value": "{% for x in y %}"}]}, "env.0.value"),
        ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, ""),
        ({"secrets": [{"name": "A"}]}, "secrets.0.value"),
        ({"host": "not a host"}, "host"),
        ({"host": "localhost"}, "host"),
        ({"healthPath": "healthz"}, "healthPath"),
        ({"volume": {"size": "-1Gi"}}, "volume.size"),
        ({"volume": {"mountPath": "/data; rm -rf /"}}, "volume.mountPath"),
        ({"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}, "autoscaling"),
        ({"runAsUser": 0}, "runAsUser"),
        ({"metrics": {}}, "metrics.port"),
        ({"metrics": {"port": "admin"}}, "metrics"),
        ({"metrics": {"port": 9999}}, "metrics"),
        ({"metrics": {"port": True}}, "metrics.port"),
        ({"metrics": {"port": "http", "path": "metrics"}}, "metrics.path"),
        ({"metrics": {"port": "http", "path": "/a b"}}, "metrics.path"),
        ({"metrics": {"port": "http", "path": "/" + "a" * 200}}, "metrics.path"),
        (
            {
                "ports": [{"targetPort": 80}, {"name": "dns", "targetPort": 53, "protocol": "UDP"}],
                "metrics": {"port": "dns"},
            },
            "metrics",
        ),
        ({"ansible_connection": "ssh"}, "ansible_connection"),
        ({"command": ["{{ 7 * 7 }}"]}, "command.0"),
    ],
)
def test_bad_fields_are_named_and_nothing_is_stored(
    ada: ApiClient, app: Portal, change: dict[str, Any], field: str
) -> None:
    answer = ada.send("POST", PATH, {**WEB, **change})
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/validation-failed"), answer.text
    assert answer.json["errors"][0]["field"] == field
    assert answer.json["errors"][0]["message"]
    assert stored(app) == 0


@pytest.mark.parametrize("port", ["admin", 9090, "9090"])
def test_metrics_are_read_from_a_port_known_by_name_or_number(
    ada: ApiClient, app: Portal, port: int | str
) -> None:
    ports = [{"targetPort": 8080, "port": 80}, {"name": "admin", "targetPort": 9090}]
    answer = ada.send("POST", PATH, {**WEB, "ports": ports, "metrics": {"port": port}})
    assert answer.status_code == 202, answer.text
    wanted = {"port": "admin", "path": "/metrics"}
    assert job_of(app, answer)["request"]["application"]["metrics"] == wanted
    assert ada.send("GET", f"{PATH}/web").json["spec"]["metrics"] == wanted


def test_metrics_need_their_port_for_as_long_as_they_are_read(ada: ApiClient) -> None:
    ports = [{"targetPort": 8080}, {"name": "admin", "targetPort": 9090}]
    ada.send("POST", PATH, {**WEB, "ports": ports, "metrics": {"port": "admin", "path": "/stats"}})
    refused = ada.send("PATCH", f"{PATH}/web", {"ports": ports[:1]})
    assert refused.status_code == 422
    assert refused.json["errors"] == [
        {"field": "metrics", "message": "'admin' is none of the TCP ports; choose from http (8080)"}
    ]
    assert ada.send("PATCH", f"{PATH}/web", {"ports": ports[:1], "metrics": None}).status_code == 202
    change = ada.send("GET", f"{PATH}/web/revisions").json["items"][0]["changes"]
    fields = [item["field"] for item in change]
    assert [field for field in fields if field.startswith("metrics")], fields


@pytest.mark.parametrize(
    ("change", "used", "field", "sentence"),
    [
        (
            {"resources": {"requests": {"cpu": "500m"}}},
            {"used_cpu": "1700m"},
            "resources.requests.cpu",
            "Project 'shop' has 300m CPU left; this application asks for 500m.",
        ),
        (
            {"replicas": 4, "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}},
            {"used_memory": "512Mi"},
            "resources.requests.memory",
            "Project 'shop' has 1.5Gi memory left; this application asks for 4Gi memory.",
        ),
        (
            {"volume": {"size": "6Gi"}},
            {},
            "volume.size",
            "Project 'shop' has 5Gi storage left; this application asks for 6Gi storage.",
        ),
        (
            {"replicas": 21, "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}},
            {},
            "replicas",
            "Project 'shop' has 20 pods left; this application asks for 21 pods.",
        ),
    ],
)
def test_what_the_quota_does_not_hold_is_said_in_a_sentence(
    ada: ApiClient,
    app: Portal,
    cluster: StatedCluster,
    change: dict[str, Any],
    used: dict[str, str],
    field: str,
    sentence: str,
) -> None:
    cluster.quotas["shop"] = quota_use(**used)
    answer = ada.send("POST", PATH, {**WEB, **change})
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/quota-exceeded"), answer.text
    assert {"field": field, "message": sentence} in answer.json["errors"]
    assert stored(app) == 0


def test_applications_on_their_way_count_as_well(ada: ApiClient) -> None:
    big = {"resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": "2"}}}
    assert ada.send("POST", PATH, {**WEB, **big}).status_code == 202
    answer = ada.send("POST", PATH, {**WEB, **big, "name": "second"})
    assert answer.json["detail"] == "Project 'shop' has 500m CPU left; this application asks for 1500m."


def test_a_change_gets_its_own_share_back(ada: ApiClient, app: Portal, cluster: StatedCluster) -> None:
    ada.send("POST", PATH, WEB)
    end_jobs(app)
    cluster.quotas["shop"] = quota_use(used_cpu="1800m")
    cluster.running["shop"] = {"web": Workload(1, (pod("web-1", cpu="1.8"),))}
    requests = {"resources": {"requests": {"cpu": "1900m"}, "limits": {"cpu": "2"}}}
    assert ada.send("PATCH", f"{PATH}/web", requests).status_code == 202


def test_a_pod_larger_than_every_node(ada: ApiClient, cluster: StatedCluster) -> None:
    small = Node("croft-2", Decimal("0.5"), Decimal(1024**3), Decimal(110))
    cluster.node_list = [small, small]
    answer = ada.send("POST", PATH, {**WEB, "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}})
    assert answer.json["type"] == "/problems/quota-exceeds-nodes"
    assert answer.json["detail"] == "One pod asks for 1 CPU; the largest node has 500m CPU."


def test_host_names_are_given_once(ada: ApiClient, app: Portal, cluster: StatedCluster, api: Api) -> None:
    assert ada.send("POST", PATH, {**WEB, "host": "shop.example.org"}).status_code == 202
    assert ada.send("PATCH", f"{PATH}/web", {"replicas": 2}).status_code == 202
    api("dev").send("POST", "/projects", {"name": "other"})
    cluster.quotas["other"] = quota_use()
    cluster.host_holders["grafana.example.org"] = ("monitoring", "grafana")
    cluster.host_holders["own.other.localhost"] = ("other", "own")
    for host in ("shop.example.org", "grafana.example.org"):
        answer = api("dev").send("POST", "/projects/other/applications", {**WEB, "host": host})
        assert (answer.status_code, answer.json["type"]) == (409, "/problems/host-taken")
        assert answer.json["errors"][0]["field"] == "host"
        assert "shop" not in answer.json["detail"].replace(host, "")
    for host in ("web.shop.localhost", "a.b.c.localhost", "croft.localhost", "grafana.localhost"):
        answer = api("dev").send("POST", "/projects/other/applications", {**WEB, "host": host})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "host"), host
    own = {**WEB, "name": "own", "host": "own.other.localhost"}
    assert api("dev").send("POST", "/projects/other/applications", own).status_code == 202
    short = {**WEB, "name": "short", "host": "shop.localhost"}
    answer = api("dev").send("POST", "/projects/other/applications", short)
    assert answer.json["application"]["url"] == "http://shop.localhost:8080"
    assert stored(app) == 3


def test_the_database_has_the_last_word(ada: ApiClient, app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests may both find a name or a host free; what the constraint refuses is told all the same."""
    ada.send("POST", PATH, {**WEB, "name": "host", "host": "shop.example.org"})
    monkeypatch.setattr(checks, "check_host_free", lambda *_: None)
    answer = ada.send("POST", PATH, {**WEB, "name": "other", "host": "shop.example.org"})
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/host-taken")
    monkeypatch.setattr(queries, "find", lambda *_: None)
    answer = ada.send("POST", PATH, {**WEB, "name": "host", "host": "other.example.org"})
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/name-taken")
    assert stored(app) == 1


def test_a_freed_host_can_be_taken(ada: ApiClient, app: Portal) -> None:
    ada.send("POST", PATH, {**WEB, "host": "shop.example.org"})
    assert ada.send("PATCH", f"{PATH}/web", {"host": None}).status_code == 202
    assert ada.send("POST", PATH, {**WEB, "name": "next", "host": "shop.example.org"}).status_code == 202


def test_a_taken_name_and_a_silent_cluster(ada: ApiClient, app: Portal, cluster: StatedCluster) -> None:
    ada.send("POST", PATH, WEB)
    answer = ada.send("POST", PATH, WEB)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/name-taken")
    cluster.down = True
    for method, path, body in (
        ("POST", PATH, {**WEB, "name": "b"}),
        ("PATCH", f"{PATH}/web", {"replicas": 2}),
    ):
        answer = ada.send(method, path, body)
        assert (answer.status_code, answer.json["type"]) == (503, "/problems/cluster-unreachable")
    assert stored(app) == 1


def test_an_application_of_a_project_that_is_just_being_created(api: Api, app: Portal) -> None:
    api("ada").send("POST", "/projects", SHOP)
    assert api("ada").send("POST", PATH, WEB).status_code == 202
    end_jobs(app, "failed")
    answer = api("ada").send("POST", PATH, {**WEB, "name": "next"})
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict")
    assert "has no namespace" in answer.json["detail"]


def test_detail_says_in_words_what_runs(ada: ApiClient, app: Portal, cluster: StatedCluster) -> None:
    ada.send("POST", PATH, {**WEB, "replicas": 3})
    assert ada.send("GET", f"{PATH}/web").json["status"] == "not in the cluster yet"
    end_jobs(app)
    waits = "waits for image registry.example.org/team/web:1.2, which cannot be pulled"
    pods = (pod("web-a"), pod("web-b"), pod("web-c", ready=False, reason=waits))
    cluster.running["shop"] = {"web": Workload(3, pods)}
    shown = ada.send("GET", f"{PATH}/web").json
    assert shown["status"] == f"2 of 3 pods ready: web-c {waits}"
    assert [item["ready"] for item in shown["pods"]] == [True, True, False]
    assert shown["pods"][2] == {
        "name": "web-c",
        "node": "croft-1",
        "ready": False,
        "restarts": 0,
        "reason": waits,
        "createdAt": "2026-01-31T12:00:00Z",
    }
    assert shown["url"] == "http://web.shop.localhost:8080"
    assert ada.send("GET", PATH).json["items"][0]["status"] == shown["status"]
    cluster.down = True
    shown = ada.send("GET", f"{PATH}/web").json
    assert (shown["status"], shown["pods"]) == ("unknown: the cluster does not answer", None)
    assert ada.send("GET", PATH).json["items"][0]["status"] == "unknown: the cluster does not answer"


def test_change_and_deletion(ada: ApiClient, app: Portal) -> None:
    ada.send("POST", PATH, {**WEB, "healthPath": "/healthz", "volume": {"size": "1Gi"}})
    end_jobs(app)
    answer = ada.send("PATCH", f"{PATH}/web", {"replicas": 3, "healthPath": None})
    assert (answer.json["application"]["state"], answer.json["application"]["version"]) == ("updating", 2)
    request = job_of(app, answer)["request"]["application"]
    assert (request["replicas"], request["healthPath"], request["volume"]["size"]) == (3, None, "1Gi")
    end_jobs(app)
    body = {"image": "nginx:2", "ports": [{"targetPort": 80}]}
    request = job_of(app, ada.send("PUT", f"{PATH}/web", body))["request"]["application"]
    assert (request["replicas"], request["volume"], request["env"], request["secrets"]) == (1, None, [], [])
    end_jobs(app)
    answer = ada.send("DELETE", f"{PATH}/web")
    assert (answer.status_code, answer.json["job"]["kind"]) == (202, "application.delete")
    assert ada.send("DELETE", f"{PATH}/web").json["type"] == "/problems/state-conflict"
    assert ada.send("PATCH", f"{PATH}/web", {"replicas": 1}).json["type"] == "/problems/state-conflict"
    end_jobs(app)
    answer = ada.send("GET", f"{PATH}/web")
    assert (answer.status_code, answer.json["type"]) == (404, "/problems/application-not-found")
    assert stored(app) == 0


def test_null_and_nonsense_in_a_patch(ada: ApiClient) -> None:
    ada.send("POST", PATH, WEB)
    for body, field in (
        ({"replicas": None}, "replicas"),
        ({"image": None}, "image"),
        ({"name": "other"}, "name"),
        ({"project": "other"}, "project"),
        ({"env": [{"name": "A", "value": "{{x}}"}]}, "env.0.value"),
        ({"ports": [{"targetPort": 70000}]}, "ports.0.targetPort"),
    ):
        answer = ada.send("PATCH", f"{PATH}/web", body)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field), answer.text


def test_lists_page_by_page(ada: ApiClient, statements: list[str]) -> None:
    small = {"resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
    for number in range(5):
        assert ada.send("POST", PATH, {**WEB, **small, "name": f"a{number}"}).status_code == 202
    names, path = [], f"/api/v1{PATH}?limit=2"
    while path:
        page = ada.send("GET", path).json
        names += [item["name"] for item in page["items"]]
        path = page["links"]["next"]
    assert names == [f"a{number}" for number in range(5)]
    statements.clear()
    ada.send("GET", PATH)
    assert len([line for line in statements if line.startswith("SELECT")]) <= 5, json.dumps(
        statements, indent=1
    )
