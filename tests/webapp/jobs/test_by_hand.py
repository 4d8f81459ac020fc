"""What an operator is told to do by hand is what the job does, and holds no secret."""

import shlex
from pathlib import Path

import pytest

from plugins.module_utils import request_file
from tests.webapp.conftest import Api
from tests.webapp.jobs.conftest import NewJob
from tests.webapp.requests import SHOP, WEB
from webapp.jobs import by_hand, queue
from webapp.openapi import Portal

SPEC = {**WEB, "project": "shop"}
PORTS = ["croft_domain=localhost", "croft_http_port=8080", "croft_https_port=8443"]


@pytest.mark.parametrize(
    ("kind", "request_", "options"),
    [
        ("project.create", {"project": SHOP}, ["croft_domain=localhost", "croft_http_port=8080"]),
        ("project.delete", {"project": SHOP}, ["state=absent"]),
        ("application.update", {"application": SPEC}, PORTS),
        ("application.plan", {"application": SPEC}, PORTS),
        ("application.delete", {"application": SPEC}, ["state=absent"]),
    ],
)
def test_the_line_and_its_file(
    app: Portal,
    api: Api,
    shop: None,
    new_job: NewJob,
    tmp_path: Path,
    kind: str,
    request_: dict[str, dict[str, object]],
    options: list[str],
) -> None:
    subject, verb = kind.split(".")
    job_id = new_job(
        kind=kind, request=request_, application_name="web" if subject == "application" else None
    )
    answer = api("ada").send("GET", f"/jobs/{job_id}")
    hand = answer.json["byHand"]
    words = shlex.split(hand["command"])
    assert words[:4] == ["ansible-playbook", "-i", "localhost,", f"playbooks/{subject}.yml"]
    assert ("--check" in words) is ("--diff" in words) is (verb == "plan")
    given = [words[at + 1] for at, word in enumerate(words) if word == "-e"]
    assert given == [f"request_file=$PWD/{hand['file']}", *options]

    file = tmp_path / hand["file"]
    file.write_text(hand["content"])
    state = "absent" if verb == "delete" else "present"
    spec = request_file.read_request(str(file), subject, state)
    whole = request_file.validate(request_[subject], subject)
    for secret in whole.get("secrets", []):
        secret["value"] = None
    assert spec == (whole if state == "present" else {name: whole[name] for name in spec})
    assert "hunter2" not in answer.text

    with app.app_context():
        claimed = queue.claim("w1")
        assert claimed is not None
        assert claimed.request == request_, "the worker gets the whole request"
        queue.finish("w1", job_id, "failed", "So it was")
    assert api("ada").send("GET", f"/jobs/{job_id}").json["byHand"] == hand, "it stays when the request goes"


def test_secrets_of_any_depth_are_left_out() -> None:
    request = {
        "application": {
            "name": "db",
            "tls": {"certificate": "public", "key": "PRIVATE"},
            "secrets": [{"name": "A", "value": "PRIVATE"}],
            "values": {"auth": {"password": "PRIVATE", "rootPassword": "PRIVATE", "user": "ada"}},
            "env": [{"name": "KEY", "value": "shown"}],
        }
    }
    kept = by_hand.masked("application.create", request)
    assert "PRIVATE" not in str(kept)
    assert kept["application"]["values"] == {"auth": {"user": "ada"}}
    assert kept["application"]["env"] == [{"name": "KEY", "value": "shown"}]
    assert kept["application"]["secrets"] == [{"name": "A"}]
