"""Every endpoint by every role: what each may do, and that strangers do not learn what exists."""

import re
from typing import Any

import pytest

from tests.webapp.alerts.stated import StatedAlertmanager
from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp import alerts
from webapp.openapi import Portal

WEB_PATH = "/projects/shop/applications/web"
BOARDS = "/projects/shop/monitoring/dashboards"
PROMETHEUS = "/projects/shop/prometheus/api/v1"
TIMES = "start=1769860800&end=1769864400&step=60"
# There is no Prometheus here: who may ask is told so. monitoring/test_tenancy.py asks one that is there.
ASKED = (503, 503, 503, 503, 404, 401)
YAML = "application: {name: from-yaml, image: nginx:1, ports: [{targetPort: 80}]}"
CHANNEL = "/projects/shop/channels/999999"
HOOK = {"kind": "webhook", "target": "https://example.org/hook", "events": ["job.failed"]}
# method, path, body, then the answers to: administrator, owner, developer, viewer, other user, stranger
MATRIX: list[tuple[str, str, Any, tuple[int, int, int, int, int, int]]] = [
    (
        "POST",
        "/projects/shop/applications/from-catalog",
        {"name": "cache", "catalog": "valkey", "values": {"password": "a-long-password"}},
        (202, 202, 202, 403, 404, 401),
    ),
    ("PUT", f"{WEB_PATH}/values", {"values": {}}, (409, 409, 409, 403, 404, 401)),
    ("GET", "/projects", None, (200, 200, 200, 200, 200, 401)),
    ("GET", "/projects/shop", None, (200, 200, 200, 200, 404, 401)),
    ("PUT", "/projects/shop", {"description": "x"}, (202, 202, 403, 403, 404, 401)),
    ("PATCH", "/projects/shop", {"description": "x"}, (202, 202, 403, 403, 404, 401)),
    ("DELETE", "/projects/shop", None, (202, 202, 403, 403, 404, 401)),
    ("GET", "/projects/shop/belongings", None, (200, 200, 200, 200, 404, 401)),
    ("GET", "/projects/shop/kubeconfig", None, (200, 200, 200, 200, 404, 401)),
    ("POST", "/projects/shop/archive", None, (202, 202, 403, 403, 404, 401)),
    ("POST", "/projects/shop/wake", None, (202, 202, 403, 403, 404, 401)),
    ("GET", "/projects/shop/members", None, (200, 200, 200, 200, 404, 401)),
    ("PUT", "/projects/shop/members/out", {"role": "viewer"}, (202, 202, 403, 403, 404, 401)),
    ("GET", "/projects/shop/members/eve", None, (200, 200, 200, 200, 404, 401)),
    ("DELETE", "/projects/shop/members/out", None, (202, 202, 403, 403, 404, 401)),
    ("POST", "/projects/shop/transfer", {"owner": "ada"}, (409, 409, 403, 403, 404, 401)),
    ("GET", "/projects/shop/quota-requests", None, (200, 200, 200, 200, 404, 401)),
    (
        "POST",
        "/projects/shop/quota-requests",
        {"quota": {"cpu": "3"}, "reason": "more"},
        (201, 201, 201, 403, 404, 401),
    ),
    ("GET", "/projects/shop/applications", None, (200, 200, 200, 200, 404, 401)),
    ("POST", "/projects/shop/applications", {**WEB, "name": "new"}, (202, 202, 202, 403, 404, 401)),
    ("GET", WEB_PATH, None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{WEB_PATH}/logs", None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{WEB_PATH}/logs/download", None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{WEB_PATH}/pods", None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{WEB_PATH}/events", None, (200, 200, 200, 200, 404, 401)),
    (
        "PUT",
        WEB_PATH,
        {"image": "nginx:1", "ports": [{"targetPort": 80}]},
        (202, 202, 202, 403, 404, 401),
    ),
    ("PATCH", WEB_PATH, {"replicas": 2}, (202, 202, 202, 403, 404, 401)),
    ("POST", f"{WEB_PATH}/restart", None, (202, 202, 202, 403, 404, 401)),
    ("POST", f"{WEB_PATH}/stop", None, (202, 202, 202, 403, 404, 401)),
    ("POST", f"{WEB_PATH}/start", None, (202, 202, 202, 403, 404, 401)),
    ("POST", f"{WEB_PATH}/clone", {"name": "copy"}, (202, 202, 202, 403, 404, 401)),
    ("GET", f"{WEB_PATH}/export", None, (200, 200, 200, 200, 404, 401)),
    ("POST", "/projects/shop/applications/import", {"yaml": YAML}, (202, 202, 202, 403, 404, 401)),
    ("POST", "/projects/shop/applications/plan", {**WEB, "name": "idea"}, (202, 202, 202, 403, 404, 401)),
    ("POST", f"{WEB_PATH}/plan", {"replicas": 3}, (202, 202, 202, 403, 404, 401)),
    ("GET", f"{WEB_PATH}/revisions", None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{WEB_PATH}/revisions/1", None, (200, 200, 200, 200, 404, 401)),
    ("POST", f"{WEB_PATH}/revisions/1/rollback", None, (202, 202, 202, 403, 404, 401)),
    ("DELETE", WEB_PATH, None, (202, 202, 202, 403, 404, 401)),
    ("GET", "/projects/shop/alerts", None, (200, 200, 200, 200, 404, 401)),
    ("GET", BOARDS, None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{BOARDS}/croft-application", None, (200, 200, 200, 200, 404, 401)),
    ("GET", f"{BOARDS}/croft-application/panels/326186", None, ASKED),
    ("GET", f"{PROMETHEUS}/query?query=up", None, ASKED),
    ("GET", f"{PROMETHEUS}/query_range?query=up&{TIMES}", None, ASKED),
    ("GET", f"{PROMETHEUS}/query_exemplars?query=up", None, ASKED),
    ("GET", f"{PROMETHEUS}/series?match[]=up", None, ASKED),
    ("GET", f"{PROMETHEUS}/labels", None, ASKED),
    ("GET", f"{PROMETHEUS}/label/pod/values", None, ASKED),
    ("GET", "/projects/shop/channels", None, (200, 200, 200, 403, 404, 401)),
    ("POST", "/projects/shop/channels", HOOK, (201, 201, 403, 403, 404, 401)),
    # Of one that is not there; notifications/test_channels_api.py has these with one that is.
    ("GET", f"{CHANNEL}", None, (404, 404, 404, 403, 404, 401)),
    ("GET", f"{CHANNEL}/deliveries", None, (404, 404, 404, 403, 404, 401)),
    ("PATCH", f"{CHANNEL}", {"events": ["job.failed"]}, (404, 404, 403, 403, 404, 401)),
    ("POST", f"{CHANNEL}/test", None, (404, 404, 403, 403, 404, 401)),
    ("DELETE", f"{CHANNEL}", None, (404, 404, 403, 403, 404, 401)),
]
ANY = (200, 200, 200, 200, 200, 401)
ADMIN = (200, 403, 403, 403, 403, 401)
ADMIN_ASKED = (503, 403, 403, 403, 403, 401)
GONE = (404, 404, 404, 404, 404, 401)
JOB, QUOTA, PLAN = (f"/{kind}/{'0' * 32}" for kind in ("jobs", "quota-requests", "plans"))
# What lies outside of projects. Of jobs and requests that are not there; their own tests have those that are.
PLATFORM: list[tuple[str, str, Any, tuple[int, int, int, int, int, int]]] = [
    ("POST", "/auth/token", {"name": "nobody", "password": "x"}, (401,) * 6),
    ("POST", "/auth/refresh", {"refreshToken": "x"}, (401,) * 6),
    ("POST", "/auth/revoke", {"refreshToken": "x"}, (401,) * 6),
    ("POST", "/auth/register", {"name": "new", "password": "p" * 12}, (403,) * 6),
    ("GET", "/me", None, ANY),
    ("PATCH", "/me", {"email": None}, ANY),
    ("POST", "/me/password", {"currentPassword": "x", "newPassword": "p" * 12}, (422,) * 5 + (401,)),
    ("GET", "/me/sessions", None, ANY),
    ("GET", "/me/sessions/0", None, GONE),
    ("DELETE", "/me/sessions/0", None, GONE),
    ("GET", "/me/tokens", None, ANY),
    ("POST", "/me/tokens", {"name": "script"}, (201,) * 5 + (401,)),
    ("GET", "/me/tokens/999999", None, GONE),
    ("DELETE", "/me/tokens/999999", None, GONE),
    ("GET", "/users", None, ADMIN),
    ("POST", "/users", {"name": "new"}, (201, 403, 403, 403, 403, 401)),
    ("GET", "/users/new", None, ADMIN),
    ("PATCH", "/users/new", {"email": None}, ADMIN),
    ("POST", "/users/new/reset-password", {}, ADMIN),
    ("DELETE", "/users/new", None, ADMIN),
    ("GET", "/alerts", None, ADMIN),
    ("GET", "/monitoring/dashboards", None, ADMIN),
    ("GET", "/monitoring/dashboards/croft-cluster", None, ADMIN),
    ("GET", "/monitoring/dashboards/croft-application/panels/326186", None, ADMIN_ASKED),
    ("GET", "/monitoring/prometheus/api/v1/query?query=up", None, ADMIN_ASKED),
    ("GET", f"/monitoring/prometheus/api/v1/query_range?query=up&{TIMES}", None, ADMIN_ASKED),
    ("GET", "/monitoring/prometheus/api/v1/query_exemplars?query=up", None, ADMIN_ASKED),
    ("GET", "/monitoring/prometheus/api/v1/series?match[]=up", None, ADMIN_ASKED),
    ("GET", "/monitoring/prometheus/api/v1/labels", None, ADMIN_ASKED),
    ("GET", "/monitoring/prometheus/api/v1/label/pod/values", None, ADMIN_ASKED),
    ("GET", "/audit", None, ANY),
    ("GET", "/audit.csv", None, ANY),
    ("GET", "/audit.json", None, ANY),
    ("GET", "/catalog", None, ANY),
    ("GET", "/catalog/postgresql", None, ANY),
    ("GET", "/jobs", None, ANY),
    ("GET", JOB, None, GONE),
    ("GET", f"{JOB}/events", None, GONE),
    ("POST", f"{JOB}/cancel", None, GONE),
    ("POST", f"{JOB}/retry", None, GONE),
    ("GET", "/quota-requests", None, ANY),
    ("GET", QUOTA, None, GONE),
    ("POST", f"{QUOTA}/grant", {}, GONE),
    ("POST", f"{QUOTA}/refuse", {"answer": "no"}, GONE),
    ("POST", f"{QUOTA}/withdraw", None, GONE),
    ("GET", PLAN, None, GONE),
    ("POST", f"{PLAN}/apply", None, GONE),
    ("DELETE", "/me/sessions", None, ANY),
]


@pytest.fixture(autouse=True)
def alertmanager(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers: what it answers is in tests/webapp/alerts."""
    monkeypatch.setitem(app.extensions, alerts.KEY, StatedAlertmanager())


CALLERS = ("root", "ada", "dev", "eve", "out", None)


@pytest.fixture
def shop(api: Api, app: Portal, cluster: StatedCluster) -> None:
    """A project of ada's with dev as developer, eve as viewer, and one application."""
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "position", range(len(CALLERS)), ids=["admin", "owner", "developer", "viewer", "other", "nobody"]
)
def test_matrix(api: Api, app: Portal, position: int) -> None:
    client = api(CALLERS[position])
    for method, path, body, expected in MATRIX:
        answer = client.send(method, path, body)
        assert answer.status_code == expected[position], f"{method} {path}: {answer.text}"
        if answer.status_code >= 400:
            assert answer.content_type == "application/problem+json"
            assert answer.json["type"].startswith("/problems/")
        elif method == "DELETE" and path != "/projects/shop/members/out":
            # Make it again for the rest of the matrix.
            end_jobs(app)
            owner = api("ada")
            if path == "/projects/shop":
                assert owner.send("POST", "/projects", SHOP).status_code == 202
                assert owner.send("POST", "/projects/shop/applications", WEB).status_code == 202
            else:
                assert owner.send("POST", "/projects/shop/applications", WEB).status_code == 202
            end_jobs(app)


@pytest.mark.parametrize(
    "position", range(len(CALLERS)), ids=["admin", "owner", "developer", "viewer", "other", "nobody"]
)
def test_outside_of_projects(api: Api, position: int) -> None:
    client = api(CALLERS[position])
    for method, path, body, expected in PLATFORM:
        answer = client.send(method, path, body)
        assert answer.status_code == expected[position], f"{method} {path}: {answer.text}"


def test_every_operation_has_its_row(app: Portal) -> None:
    rows = {(method, path.partition("?")[0]) for method, path, *_ in MATRIX + PLATFORM}
    patterns = {
        (method.upper(), path): re.compile(re.sub(r"\{\w+\}", "[^/]+", path.removeprefix("/api/v1")))
        for path, operations in app.api_doc["paths"].items()
        for method in operations
    }
    missing = [
        f"{method} {path}"
        for (method, path), pattern in patterns.items()
        if (method, path) != ("POST", "/api/v1/projects")
        and not any(method == tried and pattern.fullmatch(where) for tried, where in rows)
    ]
    assert missing == [], "add rows for these to MATRIX (within a project) or PLATFORM"


@pytest.mark.usefixtures("shop")
def test_a_hidden_project_answers_as_one_that_does_not_exist(api: Api) -> None:
    stranger = api("out")
    for method, path, body, _ in (row for row in MATRIX if row[1] != "/projects"):
        hidden = stranger.send(method, path, body)
        missing = stranger.send(method, path.replace("/shop", "/nope"), body)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json["detail"].replace("shop", "nope") == missing.json["detail"]
    assert stranger.send("GET", "/projects").json["items"] == []


def test_no_more_than_the_matrix_is_served(app: Portal) -> None:
    served = {
        (method, rule.rule.removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/projects")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    tried = {(method, _pattern(path)) for method, path, _, _ in MATRIX}
    assert served == tried | {("POST", "/projects")}


def _pattern(path: str) -> str:
    """Return the route that a path of the matrix belongs to."""
    path = path.partition("?")[0].replace("shop", "<project>").replace("/web", "/<application>")
    path = path.replace("/revisions/1", "/revisions/<number>").replace("/999999", "/<channel>")
    path = path.replace("/croft-application", "/<dashboard>").replace("/326186", "/<panel>")
    path = path.replace("/label/pod/", "/label/<name>/")
    return path.replace("/members/out", "/members/<user>").replace("/members/eve", "/members/<user>")


@pytest.mark.usefixtures("shop")
def test_roles_are_shown_and_refusals_name_them(api: Api) -> None:
    roles = {"root": "owner", "ada": "owner", "dev": "developer", "eve": "viewer"}
    for name, role in roles.items():
        assert api(name).send("GET", "/projects/shop").json["role"] == role
    answer = api("eve").send("DELETE", WEB_PATH)
    assert answer.json["type"] == "/problems/role-too-low"
    assert answer.json["detail"] == "You are a viewer of project 'shop'; this takes a developer."


@pytest.mark.usefixtures("shop")
def test_a_member_who_is_removed_sees_nothing_any_more(api: Api) -> None:
    members = [{"user": "dev", "role": "viewer"}]
    assert api("ada").send("PATCH", "/projects/shop", {"members": members}).status_code == 202
    assert api("eve").send("GET", "/projects/shop").status_code == 404
    assert api("dev").send("PATCH", WEB_PATH, {"replicas": 3}).status_code == 403
