"""Requests for more quota: who may ask, see, decide and withdraw, and what follows."""

from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import Api
from tests.webapp.projects.test_settings import entries
from tests.webapp.requests import SHOP, end_jobs, job_of
from webapp.openapi import Portal

ALL = "/projects/shop/quota-requests"
WISH: dict[str, Any] = {
    "quota": {"cpu": "3", "memory": "2Gi", "storage": "5Gi", "pods": 20},
    "reason": "A second search server",
}


@pytest.fixture
def shop(api: Api, app: Portal) -> None:
    """A project of ada's with dev as developer and eve as viewer."""
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    end_jobs(app)


@pytest.fixture
def wish(api: Api, shop: None) -> str:
    """Path of dev's open request."""
    answer = api("dev").send("POST", ALL, WISH)
    assert answer.status_code == 201
    assert answer.headers["Location"] == answer.json["links"]["self"]
    path: str = answer.json["links"]["self"]
    return path


@pytest.mark.usefixtures("shop")
def test_a_request_is_stored_and_shown(api: Api, wish: str) -> None:
    shown = api("eve").send("GET", wish).json
    assert (shown["user"], shown["state"], shown["reason"]) == ("dev", "open", WISH["reason"])
    assert (shown["quota"]["cpu"], shown["presentQuota"]["cpu"]) == ("3", "2")
    assert [item["id"] for item in api("eve").send("GET", ALL).json["items"]] == [shown["id"]]
    assert api("out").send("GET", wish).json["type"] == "/problems/quota-request-not-found"
    second = api("ada").send("POST", ALL, WISH)
    assert (second.status_code, second.json["type"]) == (409, "/problems/state-conflict")


@pytest.mark.usefixtures("shop")
def test_what_is_refused_at_once(api: Api, cluster: StatedCluster) -> None:
    for change, slug, field in (
        ({"quota": {"cpu": "2"}}, "validation-failed", "quota"),
        ({"quota": {"cpu": "64"}}, "quota-exceeds-nodes", "quota.cpu"),
        ({"quota": {"cpu": "x"}}, "validation-failed", "quota.cpu"),
        ({"reason": " "}, "validation-failed", "reason"),
        ({"reason": "{{ x }}"}, "validation-failed", "reason"),
    ):
        answer = api("dev").send("POST", ALL, {**WISH, **change})
        assert (answer.json["type"], answer.json["errors"][0]["field"]) == (f"/problems/{slug}", field)
    assert api("eve").send("POST", ALL, WISH).status_code == 403
    cluster.down = True
    assert api("dev").send("POST", ALL, WISH).status_code == 503
    cluster.down = False
    assert api("dev").send("GET", ALL).json["items"] == []


@pytest.mark.parametrize(
    ("user", "see", "decide", "withdraw"),
    [
        ("root", 200, 202, 403),
        ("ada", 200, 403, 403),
        ("dev", 200, 403, 200),
        ("eve", 200, 403, 403),
        ("out", 404, 404, 404),
        (None, 401, 401, 401),
    ],
)
def test_who_may_what(api: Api, wish: str, user: str | None, see: int, decide: int, withdraw: int) -> None:
    client = api(user)
    assert client.send("GET", wish).status_code == see
    listed = client.send("GET", "/quota-requests?state=open")
    assert listed.status_code == (401 if user is None else 200)
    if user is not None:
        assert len(listed.json["items"]) == (1 if see == 200 else 0)
    assert client.send("POST", f"{wish}/withdraw").status_code == withdraw
    if withdraw != 200:
        refused = 200 if decide == 202 else decide
        assert client.send("POST", f"{wish}/refuse", {"answer": "no"}).status_code == refused
        if refused != 200:
            assert client.send("POST", f"{wish}/grant", {}).status_code == decide


def test_granting_raises_the_quota_by_a_job(api: Api, app: Portal, wish: str) -> None:
    answer = api("root").send("POST", f"{wish}/grant", {"answer": "Until May"})
    assert answer.status_code == 202
    job = job_of(app, answer)
    assert (job["kind"], job["user"]) == ("project.update", "root")
    assert job["request"]["project"]["quota"] == WISH["quota"]
    assert answer.json["links"]["job"].endswith(answer.json["job"]["id"])
    shown = api("dev").send("GET", wish).json
    assert (shown["state"], shown["decidedBy"], shown["answer"]) == ("granted", "root", "Until May")
    assert api("dev").send("GET", "/projects/shop").json["spec"]["quota"]["cpu"] == "3"
    assert api("root").send("POST", f"{wish}/grant", {}).status_code == 409
    assert api("dev").send("POST", f"{wish}/withdraw").status_code == 409
    assert [entry["action"] for entry in entries(app)[-3:]] == [
        "quota_request.create",
        "project.update",
        "quota_request.grant",
    ]


def test_granting_looks_at_the_nodes(api: Api, wish: str, cluster: StatedCluster) -> None:
    nodes, cluster.node_list = cluster.node_list, []
    answer = api("root").send("POST", f"{wish}/grant", {})
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/quota-exceeds-nodes")
    assert api("dev").send("GET", wish).json["state"] == "open"
    cluster.node_list = nodes
    assert api("root").send("POST", f"{wish}/grant", {}).status_code == 202


def test_refusing_takes_a_word(api: Api, wish: str) -> None:
    assert api("root").send("POST", f"{wish}/refuse", {"answer": ""}).status_code == 422
    answer = api("root").send("POST", f"{wish}/refuse", {"answer": "The nodes are full"})
    assert (answer.status_code, answer.json["state"]) == (200, "refused")
    # Now there is room for another one.
    assert api("dev").send("POST", ALL, WISH).status_code == 201
    states = [item["state"] for item in api("dev").send("GET", ALL).json["items"]]
    assert states == ["open", "refused"]


def test_lists_have_pages(api: Api, app: Portal) -> None:
    for number in range(3):
        api("ada").send("POST", "/projects", {"name": f"p{number}"})
        assert api("ada").send("POST", f"/projects/p{number}/quota-requests", WISH).status_code == 201
    found, path = [], "/api/v1/quota-requests?limit=1&state=open"
    while path:
        page = api("root").send("GET", path).json
        found += [item["project"] for item in page["items"]]
        path = page["links"]["next"]
    assert found == ["p2", "p1", "p0"]
    assert api("root").send("GET", "/quota-requests?cursor=x").json["errors"][0]["field"] == "cursor"
