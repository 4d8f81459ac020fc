"""What Alertmanager brings to the portal's door: who may, what is understood, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.requests import SHOP, end_jobs
from webapp.db import db
from webapp.notifications.models import EVENTS, Delivery
from webapp.openapi import Portal

TOKEN = "t" * 40
DOOR = "/internal/alerts"
# Alertmanager asks for the Service by its name in the cluster.
HOST = {"Host": "portal.croft"}
HOOK = {"kind": "webhook", "target": "https://example.org/hook", "events": ["alert.firing", "alert.resolved"]}


@pytest.fixture(autouse=True)
def shop(app: Portal, api: Api, cluster: StatedCluster) -> Iterator[None]:
    """A project with a channel that hears of alerts, in a portal that takes them."""
    before = app.config["CROFT"]
    app.config["CROFT"] = replace(before, alerts_token=TOKEN)
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    end_jobs(app)
    assert api("ada").send("POST", "/projects/shop/channels", HOOK).status_code == 201
    yield
    app.config["CROFT"] = before


def told(**changes: Any) -> dict[str, Any]:
    """Return one alert of a message."""
    labels = {"alertname": "Restarts", "severity": "warning", "audience": "project", "namespace": "shop"}
    return {
        "status": "firing",
        "labels": {**labels, "workload": "web", **changes.pop("labels", {})},
        "annotations": {
            "summary": "web keeps restarting",
            "description": "It ends with code 1.",
            "runbook_url": "https://croft.example.org/docs/runbooks/Restarts.md",
        },
        "startsAt": "2026-01-31T12:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "4cb4b5e8d3f1a290",
        **changes,
    }


def message(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Return a message as Alertmanager writes it, with fields that are nothing to us."""
    return {
        "version": "4",
        "groupKey": '{}:{namespace="shop"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "portal",
        "groupLabels": {"namespace": "shop"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        "addedInLaterVersions": True,
    }


def send(app: Portal, body: Any, token: str | None = TOKEN, **arguments: Any) -> Any:
    headers = HOST | ({"Authorization": f"Bearer {token}"} if token is not None else {})
    return app.test_client().post(DOOR, json=body, headers=headers, **arguments)


def deliveries(app: Portal) -> list[Delivery]:
    with app.app_context():
        return list(db.session.scalars(select(Delivery).order_by(Delivery.created_at)))


def test_an_alert_becomes_a_message_with_what_to_do(app: Portal) -> None:
    answer = send(app, message(told()))
    assert (answer.status_code, answer.json) == (200, {"received": 1, "queued": 1})
    (sent,) = deliveries(app)
    data = sent.body["data"]
    assert (sent.event, sent.body["type"]) == ("alert.firing", "alert.firing")
    assert data["summary"] == "Alert: web keeps restarting"
    assert (data["project"], data["application"], data["message"]) == ("shop", "web", "It ends with code 1.")
    assert data["alert"]["severity"] == "warning"
    assert data["alert"]["startsAt"] == "2026-01-31T12:00:00.123000+00:00"
    assert data["alert"]["endsAt"] is None
    assert data["alert"]["runbook"] == "https://croft.example.org/docs/runbooks/Restarts.md"
    assert data["links"]["page"] == "/projects/shop/alerts"


def test_what_is_told_again_and_again_is_sent_once(app: Portal, api: Api) -> None:
    over = told(status="resolved", endsAt="2026-01-31T12:30:00Z")
    for body, queued in (
        (message(told()), 1),
        (message(told()), 0),
        # Twice in one message, and beside another one.
        (message(told(), told(), told(fingerprint="another")), 1),
        (message(over), 1),
        (message(over), 0),
        # It fires anew.
        (message(told(startsAt="2026-01-31T13:00:00Z")), 1),
    ):
        assert send(app, body).json["queued"] == queued
    assert [sent.event for sent in deliveries(app)].count("alert.resolved") == 1
    # A channel that came later hears of what fires still.
    assert api("ada").send("POST", "/projects/shop/channels", HOOK).status_code == 201
    assert send(app, message(told(startsAt="2026-01-31T13:00:00Z"))).json["queued"] == 1


def test_a_channel_hears_what_it_chose(app: Portal, api: Api) -> None:
    items = api("ada").send("GET", "/projects/shop/channels").json["items"]
    path = f"/projects/shop/channels/{items[0]['id']}"
    assert api("ada").send("PATCH", path, {"events": ["alert.resolved"]}).status_code == 200
    over = told(status="resolved", endsAt="2026-01-31T12:30:00Z")
    assert send(app, message(told())).json["queued"] == 0
    assert send(app, message(over)).json["queued"] == 1
    assert deliveries(app)[0].body["data"]["summary"] == "Over: web keeps restarting"
    assert EVENTS[-2:] == ("alert.firing", "alert.resolved")


@pytest.mark.parametrize(
    "labels",
    [
        {"audience": "operator"},
        {"audience": ""},
        {"namespace": "kube-system"},
        {"namespace": "SHOP"},
        {"namespace": ""},
    ],
)
def test_what_is_for_others_leads_to_no_channel(app: Portal, labels: dict[str, str]) -> None:
    assert send(app, message(told(labels=labels))).json == {"received": 1, "queued": 0}
    assert deliveries(app) == []


@pytest.mark.parametrize("token", [None, "", "x" * 40, TOKEN[:-1], f"{TOKEN}t", "ü" * 40])
def test_a_stranger_is_refused(app: Portal, token: str | None) -> None:
    answer = send(app, message(told()), token=token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert deliveries(app) == []


def test_nobody_gets_in_with_another_kind_of_credentials(app: Portal, api: Api) -> None:
    headers = HOST | {"Authorization": f"Basic {TOKEN}"}
    assert app.test_client().post(DOOR, json=message(told()), headers=headers).status_code == 401
    bearer = api("root").headers["Authorization"]
    headers = HOST | {"Authorization": bearer}
    assert app.test_client().post(DOOR, json=message(told()), headers=headers).status_code == 401


def test_without_a_token_there_is_no_door(app: Portal) -> None:
    app.config["CROFT"] = replace(app.config["CROFT"], alerts_token="")
    for token in (None, "", TOKEN):
        assert send(app, message(told()), token=token).status_code == 404


def test_any_name_of_the_portal_opens_this_door_and_no_other(app: Portal) -> None:
    assert send(app, message()).status_code == 200
    for path in ("/internal/alerts/", "/internal", "/sign-in"):
        assert app.test_client().get(path, headers=HOST).status_code == 400, path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"version": "5", "alerts": []}',
        b'{"version": "4", "alerts": [{"status": "firing"}]}',
        b'{"version": "4", "alerts": [' + b"[" * 5_000 + b"]" * 5_000 + b"]}",
    ],
)
def test_what_is_no_message_is_refused_and_not_sent_again(app: Portal, body: bytes) -> None:
    headers = HOST | {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = app.test_client().post(DOOR, data=body, headers=headers)
    assert answer.status_code == 422
    assert deliveries(app) == []


def test_a_body_that_is_too_large_is_not_read(app: Portal) -> None:
    headers = HOST | {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = app.test_client().post(DOOR, data=b" " * 1_000_001, headers=headers)
    assert answer.status_code == 413


def test_a_text_that_is_too_long_does_not_keep_an_alert_from_being_told(app: Portal) -> None:
    wild = told(annotations={"summary": "a\0b", "description": "x" * 9_000, "runbook_url": "javascript:x()"})
    assert send(app, message(wild)).json["queued"] == 1
    data = deliveries(app)[0].body["data"]
    assert data["summary"] == "Alert: ab"
    assert len(data["message"]) == 2_000
    assert data["message"].endswith("…")
    assert data["alert"]["runbook"] is None
