"""Jobs through the portal on the real cluster: sent twice and done once, cancelled, retried, done by hand."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helm import helm_binary
from tests.portal import Portal

pytestmark = pytest.mark.e2e
CHECKOUT = Path(__file__).parents[3]
NAME = "e2e-jobs"
PATH = f"/api/v1/projects/{NAME}"


@pytest.fixture(scope="module")
def project(portal: Portal) -> Iterator[str]:
    """A project of this module, made by a request that was sent twice."""
    body, key = {"name": NAME, "preset": "small"}, {"Idempotency-Key": f"e2e-{time.time_ns()}"}
    first, second = (portal.request("POST", "/api/v1/projects", body, headers=key) for _time in range(2))
    assert (first.status_code, first.content) == (202, second.content), first.text
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _end(portal, first.json()["links"]["job"])["state"] == "succeeded"
    yield NAME
    gone = portal.submit("DELETE", PATH)
    assert gone.job["state"] == "succeeded", gone.text()
    assert len(portal.call("GET", f"/api/v1/jobs?project={NAME}")["items"]) >= 2, "its jobs stay readable"


def _end(portal: Portal, path: str) -> dict[str, Any]:
    """Wait for the end of the job at `path`; return it."""
    deadline = time.monotonic() + 180
    while not (job := portal.call("GET", path))["finishedAt"]:
        assert time.monotonic() < deadline, job
        time.sleep(0.3)
    return job


def test_a_cancelled_job_is_retried_and_done_by_hand(
    portal: Portal, project: str, agnhost: str, kubeconfig: str, tmp_path: Path
) -> None:
    body = {
        "name": "web",
        "image": agnhost,
        "args": ["netexec", "--http-port=8080"],
        "ports": [{"targetPort": 8080}],
        "secrets": [{"name": "TOKEN", "value": "s3cret-value"}],
    }
    made = portal.submit("POST", f"{PATH}/applications", body)
    assert made.job["state"] == "succeeded", made.text()
    # Two changes: the second waits for the first, and is cancelled before it starts.
    changes = [portal.call("PATCH", f"{PATH}/applications/web", {"replicas": count}) for count in (2, 1)]
    second = changes[1]["links"]["job"]
    waiting = portal.call("GET", second)["waiting"]
    assert waiting is None or "of the same project" in waiting["reason"] or "a worker" in waiting["reason"]
    portal.request("POST", f"{second}/cancel")
    assert _end(portal, changes[0]["links"]["job"])["state"] == "succeeded"
    cancelled = _end(portal, second)
    assert cancelled["state"] == "cancelled"
    assert portal.call("GET", f"{PATH}/applications/web")["state"] == "ready"

    again = portal.request("POST", f"{second}/retry")
    assert again.status_code == 202, again.text
    done = _end(portal, again.json()["links"]["self"])
    assert (done["state"], done["links"]["retryOf"]) == ("succeeded", second)
    assert done["message"] == "Application 'web' runs with its new settings."

    hand = done["byHand"]
    assert "s3cret-value" not in str(done)
    file = tmp_path / hand["file"]
    file.write_text(hand["content"].replace("- name: TOKEN", "- name: TOKEN\n    value: s3cret-value"))
    programs = f"{Path(sys.executable).parent}:{Path(helm_binary()).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["/bin/sh", "-c", hand["command"].replace("$PWD", str(tmp_path))],
        cwd=CHECKOUT,
        env=os.environ | {"KUBECONFIG": kubeconfig, "PATH": programs},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "changed=0" in ran.stdout, "it is what the portal has done already"
