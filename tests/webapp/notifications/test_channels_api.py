"""/api/v1/projects/<project>/channels: who may do what, what is refused, and what is kept secret."""

from typing import Any

import pytest
from sqlalchemy import select, text

from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, end_jobs
from webapp.audit.models import AuditEntry
from webapp.db import db, utcnow, writing
from webapp.notifications.models import Delivery
from webapp.openapi import Portal

HOOK = {"kind": "webhook", "target": "https://hooks.example.org/T0KEN/x", "events": ["job.failed"]}
PATH = "/projects/shop/channels"


@pytest.fixture
def channel(app: Portal, api: Api) -> int:
    """Number of a webhook of ada's project shop."""
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    end_jobs(app)
    answer = api("ada").send("POST", PATH, HOOK)
    assert answer.status_code == 201, answer.text
    return answer.json["id"]


def test_a_webhooks_key_is_shown_once_and_stored_encrypted(app: Portal, api: Api, channel: int) -> None:
    made = api("ada").send("POST", PATH, HOOK | {"events": ["job.succeeded", "job.failed"]})
    secret = made.json["secret"]
    assert secret.startswith("whsec_")
    assert made.headers["Location"] == made.json["links"]["self"] == f"/api/v1{PATH}/{made.json['id']}"
    for path in (PATH, f"{PATH}/{made.json['id']}"):
        assert secret not in api("ada").send("GET", path).text
    with app.app_context():
        stored = db.session.execute(text("SELECT secret FROM notification_channels")).scalars().all()
        assert len(stored) == 2
        assert not any(secret in value for value in stored)
        changes = str([entry.changes for entry in db.session.scalars(select(AuditEntry))])
    assert secret not in changes
    assert "T0KEN" not in changes, "a webhook's path is often a secret of its own"


def test_developers_see_channels_and_owners_change_them(api: Api, channel: int) -> None:
    one = f"{PATH}/{channel}"
    # administrator, owner, developer, viewer, other user, stranger
    matrix: list[tuple[str, str, Any, tuple[int, ...]]] = [
        ("GET", PATH, None, (200, 200, 200, 403, 404, 401)),
        ("GET", one, None, (200, 200, 200, 403, 404, 401)),
        ("GET", f"{one}/deliveries", None, (200, 200, 200, 403, 404, 401)),
        ("POST", PATH, HOOK, (201, 201, 403, 403, 404, 401)),
        ("PATCH", one, {"events": ["job.cancelled"]}, (200, 200, 403, 403, 404, 401)),
        ("POST", f"{one}/test", None, (202, 409, 403, 403, 404, 401)),
        ("DELETE", one, None, (200, 404, 403, 403, 404, 401)),
    ]
    for method, path, body, expected in matrix:
        found = [
            api(name).send(method, path, body).status_code
            for name in ("root", "ada", "dev", "eve", "out", None)
        ]
        assert found == list(expected), f"{method} {path}"


def test_the_path_of_a_webhook_is_the_owners(api: Api, channel: int) -> None:
    assert api("ada").send("GET", f"{PATH}/{channel}").json["target"] == HOOK["target"]
    answer = api("dev").send("GET", f"{PATH}/{channel}")
    assert answer.json["target"] == "https://hooks.example.org/…"
    assert "T0KEN" not in answer.text


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("ftp://example.org/x", "is not an address"),
        ("example.org", "is not an address"),
        ("https://", "is not an address"),
        ("https://example.org:99999/", "is not an address"),
        ("https://exa mple.org/", "is not an address"),
        ("https://ada:pw@example.org/", "may hold neither"),
        ("https://example.org/#x", "may hold neither"),
        ("http://localhost:8000/x", "inside the platform"),
        ("http://127.0.0.1/x", "inside the platform"),
        ("http://10.96.0.1/", "inside the platform"),
        ("http://169.254.169.254/latest/meta-data", "inside the platform"),
        ("http://[::1]/", "inside the platform"),
        ("http://[::ffff:10.0.0.1]/", "inside the platform"),
        ("http://[fd00::1]/", "inside the platform"),
        ("http://0.0.0.0/", "inside the platform"),
    ],
)
def test_addresses_that_cannot_be_are_refused_at_the_field(
    api: Api, channel: int, target: str, why: str
) -> None:
    for answer in (
        api("ada").send("POST", PATH, HOOK | {"target": target}),
        api("ada").send("PATCH", f"{PATH}/{channel}", {"target": target}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json["errors"][0]["field"] == "target"
        assert why in answer.json["detail"]


def test_what_else_is_refused(api: Api, channel: int) -> None:
    ada = api("ada")
    for changes, field in (
        ({"events": []}, "events"),
        ({"events": ["job.lost"]}, "events.0"),
        ({"events": ["job.failed", "job.failed"]}, "events"),
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "email", "target": "nobody"}, "target"),
        ({"kind": "email", "target": "ada@example.org"}, "kind"),
    ):
        answer = ada.send("POST", PATH, HOOK | changes)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field), answer.text
    assert "The operator has set no mail server" in answer.json["detail"]
    for method, path in (("GET", f"{PATH}/999"), ("DELETE", f"{PATH}/999"), ("POST", f"{PATH}/999/test")):
        answer = ada.send(method, path)
        assert (answer.status_code, answer.json["type"]) == (404, "/problems/channel-not-found")
    for _number in range(19):
        assert ada.send("POST", PATH, HOOK).status_code == 201
    assert ada.send("POST", PATH, HOOK).json["type"] == "/problems/state-conflict"


def test_the_end_of_a_job_is_put_into_the_outbox_of_those_who_hear_of_it(
    app: Portal, api: Api, channel: int
) -> None:
    ada = api("ada")
    assert ada.send("PATCH", "/projects/shop", {"description": "new"}).status_code == 202
    end_jobs(app, "succeeded")
    assert ada.send("GET", f"{PATH}/{channel}/deliveries").json["items"] == [], "it hears of failures alone"
    change = ada.send("PATCH", "/projects/shop", {"description": "newer"})
    end_jobs(app, "failed")
    (item,) = ada.send("GET", f"{PATH}/{channel}/deliveries").json["items"]
    assert (item["event"], item["state"], item["attempts"]) == ("job.failed", "waiting", 0)
    with app.app_context():
        body = db.session.scalars(select(Delivery.body)).one()
    job_id = change.json["job"]["id"]
    assert body["type"] == "job.failed"
    assert body["data"]["project"] == "shop"
    assert body["data"]["job"] == {
        "id": job_id,
        "kind": "project.update",
        "state": "failed",
        "message": "it failed",
        "user": "ada",
    }
    assert body["data"]["links"]["page"] == f"/jobs/{job_id}"


def test_the_last_message_outlives_its_project_and_a_removed_channel_gets_none(
    app: Portal, api: Api, channel: int
) -> None:
    ada = api("ada")
    other = ada.send("POST", PATH, HOOK | {"events": ["job.succeeded"]}).json["id"]
    assert ada.send("POST", f"{PATH}/{channel}/test").status_code == 202
    assert ada.send("DELETE", f"{PATH}/{channel}").status_code == 200
    assert ada.send("DELETE", "/projects/shop").status_code == 202
    end_jobs(app)
    with app.app_context():
        found = {item.event: item for item in db.session.scalars(select(Delivery))}
        assert (found["test"].state, found["test"].error) == ("failed", "The channel was removed.")
        last = found["job.succeeded"]
        assert (last.state, last.channel_id, last.target) == ("waiting", None, HOOK["target"])
        assert last.body["data"]["job"]["message"] == "it succeeded"
    assert other != channel


def test_deliveries_come_in_pages(app: Portal, api: Api, channel: int) -> None:
    with app.app_context(), writing() as session:
        for number in range(5):
            session.add(
                Delivery(
                    id=f"{number:032x}",
                    channel_id=channel,
                    kind="webhook",
                    target="x",
                    event="test",
                    body={},
                    state="delivered",
                    created_at=utcnow(),
                )
            )
    found, path = [], f"/api/v1{PATH}/{channel}/deliveries?limit=2"
    while path:
        page = api("dev").send("GET", path).json
        found += [item["id"] for item in page["items"]]
        path = page["links"]["next"]
    assert found == [f"{number:032x}" for number in reversed(range(5))]
    assert api("dev").send("GET", f"{PATH}/{channel}/deliveries?cursor=x").status_code == 422


def test_changes_are_audited(app: Portal, api: Api, channel: int) -> None:
    ada = api("ada")
    assert ada.send("PATCH", f"{PATH}/{channel}", {"events": ["job.cancelled"]}).status_code == 200
    assert ada.send("POST", f"{PATH}/{channel}/test").status_code == 202
    assert ada.send("DELETE", f"{PATH}/{channel}").status_code == 200
    with app.app_context():
        query = select(AuditEntry).where(AuditEntry.action.like("channel.%")).order_by(AuditEntry.id)
        entries = db.session.scalars(query).all()
        assert [entry.action for entry in entries] == [
            "channel.create",
            "channel.update",
            "channel.test",
            "channel.delete",
        ]
        assert entries[1].changes == [
            {"field": "events", "before": ["job.failed"], "after": ["job.cancelled"]}
        ]
        assert {entry.object_name for entry in entries} == {f"webhook {channel}"}


@pytest.mark.parametrize(("verb", "state"), [("grant", "granted"), ("refuse", "refused")])
def test_a_decision_about_quota_is_news(app: Portal, api: Api, channel: int, verb: str, state: str) -> None:
    ada = api("ada")
    assert ada.send("PATCH", f"{PATH}/{channel}", {"events": ["quota_request.decided"]}).status_code == 200
    asked = ada.send("POST", "/projects/shop/quota-requests", {"quota": {"cpu": "3"}, "reason": "Sale"})
    assert asked.status_code == 201, asked.text
    decided = api("root").send("POST", f"{asked.json['links']['self']}/{verb}", {"answer": "Until May."})
    assert decided.status_code < 300, decided.text
    with app.app_context():
        body = db.session.scalars(select(Delivery.body)).one()
    assert body["data"]["summary"] == f"More quota for project shop: {state}"
    assert body["data"]["message"] == f"root has {state} more quota, which ada asked for. Until May."
