"""Members of a project, and the kubeconfigs that they get."""

import base64
from threading import Thread

import pytest
import yaml
from sqlalchemy import select

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import Api
from tests.webapp.projects.test_settings import entries
from tests.webapp.requests import SHOP, end_jobs, job_of
from webapp.audit.models import AuditEntry
from webapp.auth import api_tokens
from webapp.auth import services as auth
from webapp.db import db
from webapp.openapi import Portal

MEMBERS = "/projects/shop/members"


@pytest.fixture
def shop(api: Api, app: Portal) -> None:
    """A project of ada's with dev as developer and eve as viewer."""
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    end_jobs(app)


def roles(api: Api, user: str = "root") -> dict[str, str]:
    """The project's members and their roles."""
    return {item["user"]: item["role"] for item in api(user).send("GET", MEMBERS).json["items"]}


@pytest.mark.usefixtures("shop")
def test_members_are_listed_with_their_links(api: Api) -> None:
    answer = api("eve").send("GET", MEMBERS).json
    assert [(item["user"], item["role"], item["answersForIt"]) for item in answer["items"]] == [
        ("ada", "owner", True),
        ("dev", "developer", False),
        ("eve", "viewer", False),
    ]
    assert api("eve").send("GET", answer["items"][1]["links"]["self"]).json == answer["items"][1]
    missing = api("eve").send("GET", f"{MEMBERS}/out")
    assert (missing.status_code, missing.json["type"]) == (404, "/problems/member-not-found")


@pytest.mark.usefixtures("shop")
def test_add_change_and_remove(api: Api, app: Portal) -> None:
    answer = api("ada").send("PUT", f"{MEMBERS}/out", {"role": "viewer"})
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1{MEMBERS}/out"
    assert {"user": "out", "role": "viewer"} in job_of(app, answer)["request"]["project"]["members"]
    assert api("out").send("GET", "/projects/shop").json["role"] == "viewer"
    assert api("ada").send("PUT", f"{MEMBERS}/out", {"role": "developer"}).status_code == 202
    assert roles(api)["out"] == "developer"
    assert api("ada").send("DELETE", f"{MEMBERS}/out").status_code == 202
    # At once, whatever the job is at.
    assert api("out").send("GET", "/projects/shop").status_code == 404
    assert roles(api) == {"ada": "owner", "dev": "developer", "eve": "viewer"}
    assert api("ada").send("DELETE", f"{MEMBERS}/out").status_code == 404
    noted = entries(app)[-1]
    assert noted["changes"] == [{"field": "members.out.role", "before": "developer", "after": None}]


@pytest.mark.usefixtures("shop")
def test_what_cannot_be(api: Api) -> None:
    answer = api("ada").send("PUT", f"{MEMBERS}/nobody", {"role": "viewer"})
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "user", "message": "There is no user 'nobody'."}]
    answer = api("ada").send("PUT", f"{MEMBERS}/No Body", {"role": "viewer"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "user")
    assert api("ada").send("PUT", f"{MEMBERS}/out", {"role": "boss"}).status_code == 422
    answer = api("ada").send("PUT", f"{MEMBERS}/ada", {"role": "viewer"})
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict")
    assert "transfer the ownership first" in answer.json["detail"]
    assert api("ada").send("DELETE", f"{MEMBERS}/ada").status_code == 409


@pytest.mark.usefixtures("shop")
def test_two_owners_at_once_lose_no_member(api: Api) -> None:
    clients = [api(name) for name in ("ada", "root")]
    names = ["out", "root"]

    def add(client: object, name: str) -> None:
        client.send("PUT", f"{MEMBERS}/{name}", {"role": "viewer"})  # type: ignore[attr-defined]

    threads = [Thread(target=add, args=pair) for pair in zip(clients, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(roles(api)) == {"ada", "dev", "eve", "out", "root"}


@pytest.mark.usefixtures("shop")
def test_transfer(api: Api) -> None:
    answer = api("ada").send("POST", "/projects/shop/transfer", {"owner": "dev"})
    assert (answer.status_code, answer.json["project"]["owner"]) == (202, "dev")
    assert roles(api) == {"dev": "owner", "ada": "developer", "eve": "viewer"}
    assert api("ada").send("PUT", f"{MEMBERS}/out", {"role": "viewer"}).status_code == 403
    answer = api("dev").send("POST", "/projects/shop/transfer", {"owner": "eve", "previousOwner": None})
    assert answer.status_code == 202
    assert answer.json["project"]["role"] is None
    assert roles(api) == {"eve": "owner", "ada": "developer"}
    assert api("dev").send("GET", "/projects/shop").status_code == 404
    answer = api("eve").send("POST", "/projects/shop/transfer", {"owner": "nobody"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "owner")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("user", "account"),
    [("root", "owner"), ("ada", "owner"), ("dev", "developer"), ("eve", "viewer")],
)
def test_a_kubeconfig_is_worth_the_callers_role(api: Api, app: Portal, user: str, account: str) -> None:
    answer = api(user).send("GET", "/projects/shop/kubeconfig?expiresInHours=2")
    assert answer.status_code == 200
    assert answer.content_type == "application/yaml"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="shop.kubeconfig"'
    assert answer.headers["Cache-Control"] == "no-store"
    config = yaml.safe_load(answer.text)
    assert config["users"] == [{"name": f"{user}@shop", "user": {"token": f"token-of-shop-croft-{account}"}}]
    (context,) = config["contexts"]
    assert context["name"] == config["current-context"] == "shop"
    assert context["context"] == {"cluster": "croft", "user": f"{user}@shop", "namespace": "shop"}
    (cluster,) = config["clusters"]
    assert cluster["cluster"]["server"] == "https://192.0.2.7:6443"
    assert b"BEGIN CERTIFICATE" in base64.b64decode(cluster["cluster"]["certificate-authority-data"])
    with app.app_context():
        noted = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert noted is not None
        assert (noted.action, noted.user_name, noted.project_name) == ("kubeconfig.issue", user, "shop")
        assert "token-of" not in str(noted.changes)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("scope", "account"), [("read", "viewer"), ("write", "owner")])
def test_a_token_that_may_only_read_gets_a_viewers_kubeconfig(
    api: Api, app: Portal, scope: str, account: str
) -> None:
    with app.app_context():
        ada = auth.find_user("ada")
        assert ada is not None
        secret = api_tokens.create(ada, "backup", scope, 1)[1]
    answer = api().send("GET", "/projects/shop/kubeconfig", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text
    assert f"token-of-shop-croft-{account}" in answer.text


@pytest.mark.usefixtures("shop")
def test_no_kubeconfig(api: Api, app: Portal, cluster: StatedCluster) -> None:
    before = len(entries(app))
    for hours in ("0", "25", "x"):
        assert api("eve").send("GET", f"/projects/shop/kubeconfig?expiresInHours={hours}").status_code == 422
    cluster.without_accounts.add("shop")
    answer = api("eve").send("GET", "/projects/shop/kubeconfig")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict")
    cluster.down = True
    assert api("eve").send("GET", "/projects/shop/kubeconfig").status_code == 503
    assert len(entries(app)) == before
