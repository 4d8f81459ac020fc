"""Applications through the API of the real portal: plans, revisions, rollback, stop and start, YAML."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.waiting import eventually
from tests.portal import Portal

pytestmark = pytest.mark.e2e
PATH = "/api/v1/projects/c-portal/applications"
WEB = f"{PATH}/web"


@pytest.fixture(scope="module", autouse=True)
def project(portal: Portal) -> Iterator[None]:
    """A project of this module, removed at its end whatever happened."""
    quota = {"cpu": "500m", "memory": "512Mi", "storage": "1Gi", "pods": 6}
    made = portal.submit("POST", "/api/v1/projects", {"name": "c-portal", "quota": quota})
    assert made.job["state"] == "succeeded", made.text()
    yield
    gone = portal.submit("DELETE", "/api/v1/projects/c-portal")
    assert gone.job["state"] == "succeeded", gone.text()


def done(portal: Portal, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Send a change and follow its job, which has to succeed; return the job."""
    followed = portal.submit(method, path, body)
    assert followed.job["state"] == "succeeded", followed.text()
    return followed.job


def test_from_a_plan_to_a_rollback(portal: Portal, agnhost_settings: dict[str, Any]) -> None:
    secret = {"name": "PASSWORD", "value": "a-secret-that-stays-one"}
    settings = {**agnhost_settings, "runAsUser": 1000, "replicas": 2, "secrets": [secret]}
    answer = portal.call("POST", f"{PATH}/plan", {**settings, "name": "web"})
    followed = portal.follow(answer["links"]["job"])
    assert followed.job["state"] == "succeeded", followed.text()
    assert "creates Deployment web" in followed.text()
    plan = portal.call("GET", answer["links"]["self"])
    assert (plan["state"], plan["result"]["fits"]) == ("ready", True)
    assert {"resource": "cpu", "fits": True, "words": "asks for 20m CPU, 500m left"} in plan["result"][
        "quota"
    ]
    assert secret["value"] not in followed.text() + str(plan)
    applied = portal.submit("POST", plan["links"]["apply"])
    assert applied.job["state"] == "succeeded", applied.text()

    found = portal.request("GET", WEB)
    assert (found.headers["ETag"], found.json()["status"]) == ('"1"', "2 of 2 pods ready")
    done(portal, "PATCH", WEB, {"replicas": 1, "env": [{"name": "LEVEL", "value": "debug"}]})
    stale = portal.request("PATCH", WEB, {"replicas": 3}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert "(replicas, env.LEVEL.value)" in stale.json()["detail"]

    done(portal, "POST", f"{WEB}/stop")
    assert portal.call("GET", WEB)["status"] == "stopped: start it to run it again"
    done(portal, "POST", f"{WEB}/start")
    before = {pod["name"] for pod in portal.call("GET", WEB)["pods"]}
    done(portal, "POST", f"{WEB}/restart")
    # Old pods are ending by now, for which they have 30 seconds.
    eventually(
        lambda: not before & {pod["name"] for pod in portal.call("GET", WEB)["pods"]},
        40,
        "pods of before the restart are still there",
    )
    job = done(portal, "POST", f"{WEB}/revisions/1/rollback")
    assert job["result"]["replicas"] == 2
    causes = [item["cause"] for item in portal.call("GET", f"{WEB}/revisions")["items"]]
    assert causes == ["rolled back to 1", "restarted", "started", "stopped", "changed", "created"]


def test_a_plan_says_what_does_not_fit(portal: Portal) -> None:
    answer = portal.call("POST", f"{WEB}/plan", {"replicas": 60})
    assert portal.follow(answer["links"]["job"]).job["state"] == "succeeded"
    result = portal.call("GET", answer["links"]["self"])["result"]
    assert result["fits"] is False
    assert {"resource": "cpu", "fits": False, "words": "asks for 600m CPU, 500m left"} in result["quota"]
    refused = portal.request("POST", answer["links"]["apply"])
    assert refused.json()["type"] == "/problems/quota-exceeded"


def test_clone_export_and_import(portal: Portal) -> None:
    done(portal, "POST", f"{WEB}/clone", {"name": "copy"})
    text = portal.request("GET", f"{PATH}/copy/export").text
    assert "a-secret-that-stays-one" not in text
    done(portal, "DELETE", f"{PATH}/copy")
    text = text.replace("- name: PASSWORD", "- name: PASSWORD\n    value: given-anew")
    done(portal, "POST", f"{PATH}/import", {"yaml": text})
    eventually(
        lambda: portal.call("GET", f"{PATH}/copy")["status"] == "2 of 2 pods ready",
        20,
        "the imported application is not ready",
    )
