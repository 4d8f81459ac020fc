"""A whole life through the typed client that is built from the document the portal serves."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.openapi.client import Client, generate
from tests.portal import Portal

pytestmark = pytest.mark.e2e
PROJECT = "typed-shop"


class Follower:
    """Sends changes by the typed client and waits for their jobs."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def change(self, operation: str, *arguments: Any, **named: Any) -> Any:
        """Send a change; return its job once it has succeeded."""
        change = self.client.call(operation, *arguments, **named)
        assert not isinstance(change, self.client.models.ProblemBody), change
        end = time.monotonic() + 300
        while time.monotonic() < end:
            job = self.client.call("jobs.get_job", change.job.id)
            if job.state in ("succeeded", "failed", "cancelled"):
                assert job.state == "succeeded", job.message
                return job
            time.sleep(0.5)
        raise TimeoutError(f"{operation} has not ended: {job}")


@pytest.fixture(scope="module")
def client(portal_url: str, admin: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The typed client, signed in by itself."""
    plain = Portal(portal_url)
    folder = tmp_path_factory.mktemp("client")
    generate(plain.call("GET", "/api/v1/openapi.json"), folder)
    made = Client(folder, plain.http)
    credentials = made.models.Credentials(name=admin[0], password=admin[1])
    tokens = made.call("auth.sign_in", body=credentials)
    assert isinstance(tokens, made.models.TokenPair), tokens
    plain.http.headers["Authorization"] = f"Bearer {tokens.access_token}"
    return made


@pytest.fixture(scope="module")
def follower(client: Client) -> Iterator[Follower]:
    """What sends changes; the project is gone at the end whatever happened."""
    follower = Follower(client)
    yield follower
    if not isinstance(client.call("projects.get_project", PROJECT), client.models.ProblemBody):
        follower.change("projects.delete_project", PROJECT)


def test_a_whole_life(
    client: Client, follower: Follower, agnhost_settings: dict[str, Any], tmp_path: Path
) -> None:
    models = client.models
    follower.change(
        "projects.create_project", body=models.ProjectSpec(name=PROJECT, description="By a typed client")
    )
    project = client.call("projects.get_project", PROJECT)
    assert (project.state, project.spec.description) == ("ready", "By a typed client")

    new = models.NewApplication.from_dict({"name": "web", **agnhost_settings})
    follower.change("applications.create_application", PROJECT, body=new)
    application = client.call("applications.get_application", PROJECT, "web")
    assert application.spec.ports[0].target_port == 8080
    assert [pod.ready for pod in application.pods] == [True]

    patch = models.ApplicationPatch(replicas=2)
    follower.change("applications.change_application", PROJECT, "web", body=patch, if_match='"1"')
    # Whoever still has the version of before is told so, and nothing is changed.
    late = client.call("applications.change_application", PROJECT, "web", body=patch, if_match='"1"')
    assert isinstance(late, models.ProblemBody)
    assert (late.status, late.type_) == (412, "/problems/version-conflict")

    revisions = client.call("revisions.list_revisions", PROJECT, "web").items
    assert [item.number for item in revisions] == [2, 1]
    follower.change("revisions.roll_back_application", PROJECT, "web", 1)
    assert client.call("applications.get_application", PROJECT, "web").spec.replicas == 1

    gone = follower.change("applications.delete_application", PROJECT, "web")
    assert gone.result["left"] == []
    gone = follower.change("projects.delete_project", PROJECT)
    assert gone.result["left"] == []
    assert isinstance(client.call("projects.get_project", PROJECT), models.ProblemBody)
    jobs = client.call("jobs.list_jobs", project=PROJECT).items
    assert [job.kind for job in jobs][-1] == "project.create"
