"""The API alone: from signing in to a deletion that leaves nothing, on the real cluster."""

import json
import re
import time
from base64 import b64decode

import httpx
import pytest

from tests.e2e.waiting import eventually
from tests.portal import Portal

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def project(portal: Portal, kubectl):
    """A project of this module, removed at its end whatever happened."""
    made = portal.submit("POST", "/api/v1/projects", {"name": "api-shop", "description": "Made by the API"})
    assert made.job["state"] == "succeeded", made.text()
    yield "api-shop"
    if portal.request("GET", "/api/v1/projects/api-shop").status_code == 200:
        gone = portal.submit("DELETE", "/api/v1/projects/api-shop")
        assert gone.job["state"] == "succeeded", gone.text()


def answer_of(portal: Portal, host: str, path: str = "/hostname") -> httpx.Response:
    """Ask an application through Envoy, which hears of routes and pods a moment after they are there."""
    port = portal.url.rsplit(":", 1)[1]
    url, headers = f"http://127.0.0.1:{port}{path}", {"Host": f"{host}:{port}"}

    def asked() -> httpx.Response | None:
        found = httpx.get(url, headers=headers, trust_env=False)
        return None if found.status_code in (404, 503) else found

    answer: httpx.Response = eventually(asked, 30, f"Envoy does not know {host}")
    return answer


def test_refresh_token_travels_in_the_body_and_is_used_once(portal_url: str, admin: tuple[str, str]) -> None:
    client = Portal(portal_url)
    tokens = client.sign_in(*admin)
    renewed = client.call("POST", "/api/v1/auth/refresh", {"refreshToken": tokens["refreshToken"]})
    assert renewed["refreshToken"] != tokens["refreshToken"]
    client.http.headers["Authorization"] = f"Bearer {renewed['accessToken']}"
    assert client.request("GET", "/api/v1/projects").status_code == 200

    by_query = client.request("POST", f"/api/v1/auth/refresh?refreshToken={renewed['refreshToken']}", {})
    assert by_query.status_code in (400, 422)
    del client.http.headers["Authorization"]
    assert client.request("GET", "/api/v1/projects").status_code == 401


def test_creation_answers_with_links_that_lead_somewhere(portal: Portal, project: str) -> None:
    assert portal.call("GET", f"/api/v1/projects/{project}")["state"] == "ready"
    jobs = portal.call("GET", f"/api/v1/jobs?project={project}")["items"]
    assert jobs[-1]["kind"] == "project.create"


def test_project_is_a_fenced_namespace(portal: Portal, project: str, kubectl) -> None:
    namespace = json.loads(kubectl("get", "namespace", project, "-o", "json"))
    labels = namespace["metadata"]["labels"]
    assert labels["croft.dev/project"] == project
    assert labels["croft.dev/owner"] == "admin"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    kinds = kubectl("get", "resourcequota,limitrange,networkpolicy", "-n", project, "-o", "name").split()
    assert {name.split("/")[0] for name in kinds} == {
        "resourcequota",
        "limitrange",
        "networkpolicy.networking.k8s.io",
    }


def test_application_from_creation_to_proven_deletion(
    portal: Portal, project: str, agnhost_settings: dict, kubectl
) -> None:
    path = f"/api/v1/projects/{project}/applications"
    start = time.monotonic()
    accepted = portal.request(
        "POST",
        path,
        {"name": "web", **agnhost_settings, "secrets": [{"name": "TOKEN", "value": "s3cret-value"}]},
    )
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"{path}/web"
    links = accepted.json()["links"]
    assert {"self", "project", "job"} <= set(links)
    created = portal.follow(links["job"], start)
    assert created.job["state"] == "succeeded", created.text()
    assert [event["number"] for event in created.events] == list(range(1, len(created.events) + 1))
    assert "s3cret-value" not in created.text()

    detail = portal.call("GET", f"{path}/web")
    assert "s3cret-value" not in str(detail)
    assert detail["url"] == f"http://web.{project}.localhost:{portal.url.rsplit(':', 1)[1]}"
    answer = answer_of(portal, f"web.{project}.localhost")
    assert answer.status_code == 200
    assert answer.text.startswith("web-")

    # The stream can be taken up again where it was left.
    rest = list(portal.events(links["job"], after=3))
    assert [event["number"] for event in rest] == [event["number"] for event in created.events][3:]

    changed = portal.submit("PATCH", f"{path}/web", {"replicas": 2})
    assert changed.job["state"] == "succeeded", changed.text()
    deployment = json.loads(kubectl("get", "deployment", "web", "-n", project, "-o", "json"))
    assert deployment["status"]["readyReplicas"] == 2
    # The secret was not sent again, and is still there.
    secret = json.loads(
        kubectl("get", "secret", "-n", project, "-l", "croft.dev/application=web", "-o", "json")
    )
    assert b64decode(secret["items"][0]["data"]["TOKEN"]).decode() == "s3cret-value"

    deleted = portal.submit("DELETE", f"{path}/web")
    assert deleted.job["state"] == "succeeded", deleted.text()
    assert deleted.job["result"]["left"] == []
    assert {"Deployment", "Service", "Ingress", "Secret"} <= {
        item["kind"] for item in deleted.job["result"]["removed"]
    }
    left = kubectl(
        "get", "all,ingress,configmap,secret,pvc,serviceaccount", "-n", project,
        "-l", "croft.dev/application=web", "-o", "name",
    )  # fmt: skip
    assert left == ""
    assert portal.request("GET", f"{path}/web").status_code == 404


def test_image_that_does_not_exist_is_named_and_the_application_can_be_cured(
    portal: Portal, project: str, agnhost_settings: dict
) -> None:
    path = f"/api/v1/projects/{project}/applications"
    wrong = agnhost_settings | {"image": "registry.invalid/no/such:1"}
    failed = portal.submit("POST", path, {"name": "typo", **wrong})
    assert failed.job["state"] == "failed"
    assert "registry.invalid/no/such:1" in failed.job["message"]
    assert failed.end < 60

    cured = portal.submit("PATCH", f"{path}/typo", {"image": agnhost_settings["image"]})
    assert cured.job["state"] == "succeeded", cured.text()
    gone = portal.submit("DELETE", f"{path}/typo")
    assert gone.job["state"] == "succeeded", gone.text()


def test_cancel_ends_the_work_and_leaves_something_that_can_be_deleted(
    portal: Portal, project: str, agnhost_settings: dict
) -> None:
    path = f"/api/v1/projects/{project}/applications"
    # Nothing listens on this port, so the job would wait until its time is over.
    never_ready = agnhost_settings | {"ports": [{"targetPort": 8099}], "healthPath": None}
    job = portal.call("POST", path, {"name": "stuck", **never_ready})["links"]["job"]
    for event in portal.events(job):
        if event["kind"] == "progress":
            break
    asked = time.monotonic()
    portal.call("POST", f"{job}/cancel")
    ended = portal.follow(job)
    assert ended.job["state"] == "cancelled", ended.text()
    assert time.monotonic() - asked < 10
    gone = portal.submit("DELETE", f"{path}/stuck")
    assert gone.job["state"] == "succeeded", gone.text()


def test_killed_worker_loses_no_job(
    portal: Portal, project: str, agnhost_settings: dict, kill_worker
) -> None:
    path = f"/api/v1/projects/{project}/applications"
    job = portal.call("POST", path, {"name": "survivor", **agnhost_settings})["links"]["job"]
    for event in portal.events(job):
        if event["kind"] == "task":
            break
    kill_worker()

    def ended() -> bool:
        # Web and worker share a pod: until both run, Envoy leads nobody to the portal.
        answer = portal.request("GET", job)
        return answer.status_code == 200 and answer.json()["finishedAt"] is not None

    eventually(ended, 180, "the job does not end")
    followed = portal.follow(job)
    assert followed.job["state"] == "succeeded", followed.text()
    assert answer_of(portal, f"survivor.{project}.localhost").status_code == 200
    gone = portal.submit("DELETE", f"{path}/survivor")
    assert gone.job["state"] == "succeeded", gone.text()


REFUSED_PROJECTS = [
    ({"name": "Shop"}, "name", "DNS label"),
    ({"name": "kube-shop"}, "name", "reserved"),
    ({"name": "default"}, "name", "reserved"),
    ({"name": "croft"}, "name", "reserved"),
    ({"name": "fine", "quota": {"cpu": "many"}}, "quota.cpu", "not a quantity"),
    ({"name": "fine", "quota": {"memory": "900Ti"}}, "quota.memory", "nodes"),
    ({"name": "fine", "description": "{{ lookup('pipe', 'id') }}"}, None, "emplate marks"),
    ({"name": "fine", "colour": "red"}, "colour", ""),
]


@pytest.mark.parametrize(("body", "field", "words"), REFUSED_PROJECTS)
def test_bad_project_is_refused_at_its_field(
    portal: Portal, kubectl, body: dict, field: str | None, words: str
) -> None:
    answer = portal.request("POST", "/api/v1/projects", body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert words in str(problem)
    if field:
        assert field in [error["field"] for error in problem["errors"]]
    listed = [item["name"] for item in portal.call("GET", "/api/v1/projects")["items"]]
    assert body["name"] not in listed
    assert kubectl("get", "namespace", "fine", "--ignore-not-found", "-o", "name") == ""


REFUSED_APPLICATIONS = [
    ({"image": "two words"}, "image"),
    ({"image": "{{ 7 * 7 }}"}, None),
    ({"ports": [{"targetPort": 0}]}, "ports.0.targetPort"),
    ({"ports": [{"targetPort": 65536}]}, "ports.0.targetPort"),
    ({"resources": {"requests": {"cpu": "1x"}}}, "resources.requests.cpu"),
    ({"resources": {"requests": {"cpu": "64"}, "limits": {"cpu": "64"}}}, None),
    ({"env": [{"name": "A", "value": "{{ lookup('env', 'HOME') }}"}]}, None),
    ({"name": "Web_1"}, "name"),
    ({"replicas": -1}, "replicas"),
]


@pytest.mark.parametrize(("change", "field"), REFUSED_APPLICATIONS)
def test_bad_application_is_refused_at_its_field(
    portal: Portal, project: str, agnhost_settings: dict, change: dict, field: str | None
) -> None:
    path = f"/api/v1/projects/{project}/applications"
    answer = portal.request("POST", path, {"name": "bad", **agnhost_settings, **change})
    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    if field:
        assert field in [error["field"] for error in answer.json()["errors"]]
    assert not {"bad", "Web_1"} & {item["name"] for item in portal.call("GET", path)["items"]}


def test_names_and_hosts_are_taken_once(portal: Portal, project: str, agnhost_settings: dict) -> None:
    assert portal.request("POST", "/api/v1/projects", {"name": project}).status_code == 409
    path = f"/api/v1/projects/{project}/applications"
    host = {"host": "taken.example.org"}
    first = portal.submit("POST", path, {"name": "first", **agnhost_settings, **host})
    assert first.job["state"] == "succeeded", first.text()
    second = portal.request("POST", path, {"name": "second", **agnhost_settings, **host})
    assert second.status_code == 409
    assert "taken.example.org" in second.text
    assert portal.request("POST", path, {"name": "first", **agnhost_settings}).status_code == 409
    gone = portal.submit("DELETE", f"{path}/first")
    assert gone.job["state"] == "succeeded", gone.text()


def test_large_bodies_foreign_hosts_and_unknown_paths(portal: Portal) -> None:
    # Again and again: the answer has to be heard by somebody who is still sending, whoever is quicker.
    large = [
        portal.request("POST", "/api/v1/projects", {"name": "big", "description": "x" * 10_000_000})
        for _time in range(10)
    ]
    assert {answer.status_code for answer in large} == {413}
    foreign = portal.request("GET", "/api/v1/projects", headers={"Host": "evil.example.org"})
    assert foreign.status_code in (
        400,
        404,
    )  # Envoy knows no such host; the portal behind it refuses it as well
    unknown = portal.request("GET", "/api/v1/nothing")
    assert unknown.status_code == 404
    assert unknown.headers["Content-Type"] == "application/problem+json"


def test_deleted_project_leaves_nothing(portal: Portal, agnhost_settings: dict, kubectl) -> None:
    made = portal.submit("POST", "/api/v1/projects", {"name": "api-short"})
    assert made.job["state"] == "succeeded", made.text()
    with_volume = agnhost_settings | {"volume": {"size": "100Mi", "mountPath": "/data"}}
    created = portal.submit("POST", "/api/v1/projects/api-short/applications", {"name": "web", **with_volume})
    assert created.job["state"] == "succeeded", created.text()

    gone = portal.submit("DELETE", "/api/v1/projects/api-short")
    assert gone.job["state"] == "succeeded", gone.text()
    assert gone.job["result"]["left"] == []
    assert kubectl("get", "namespace", "api-short", "--ignore-not-found", "-o", "name") == ""
    assert kubectl("get", "secret", "-n", "croft-projects", "-l", "name=api-short", "-o", "name") == ""
    volumes = kubectl("get", "pv", "-o", "jsonpath={.items[*].spec.claimRef.namespace}")
    assert not re.search(r"\bapi-short\b", volumes)
    assert portal.request("GET", "/api/v1/projects/api-short").status_code == 404
    # What happened stays readable, and so does what an earlier run of this test has left.
    kinds = [job["kind"] for job in portal.call("GET", "/api/v1/jobs?project=api-short")["items"]][:3]
    assert kinds == ["project.delete", "application.create", "project.create"]
