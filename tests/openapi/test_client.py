"""A typed Python client, built from the document, and used."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask

from tests.openapi.client import PACKAGE, Client, generate
from tests.openapi.fuzzing import serve
from tests.webapp.conftest import PASSWORD, make_config
from webapp.app import create_app

pytestmark = pytest.mark.slow
# Answers in YAML are for files and kubectl; the generator knows JSON and text.
LEFT_OUT = {
    "GET /api/v1/projects/{project}/applications/{application}/export",
    "GET /api/v1/projects/{project}/kubeconfig",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the generated package."""
    folder = tmp_path_factory.mktemp("client")
    application = create_app(make_config("sqlite:////nonexistent/portal.db"))
    assert set(generate(json.loads(json.dumps(application.api_doc)), folder)) == LEFT_OUT
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """A filled portal with a stated cluster, over HTTP."""
    with serve(tmp_path) as found:
        yield found


def test_its_types_hold(package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(package / "cache"), PACKAGE],
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def test_it_signs_in_creates_and_reads(package: Path, served: tuple[Flask, str]) -> None:
    http = httpx.Client(base_url=served[1], trust_env=False)
    client = Client(package, http)
    models = client.models
    refused = client.call("auth.sign_in", body=models.Credentials(name="ada", password="wrong"))
    assert isinstance(refused, models.ProblemBody)
    assert refused.type_ == "/problems/sign-in-failed"

    tokens = client.call("auth.sign_in", body=models.Credentials(name="ada", password=PASSWORD))
    http.headers["Authorization"] = f"Bearer {tokens.access_token}"
    made = client.call("projects.create_project", body=models.ProjectSpec(name="typed"))
    assert isinstance(made, models.ProjectChange)
    job = client.call("jobs.get_job", made.job.id)
    assert (job.kind, job.state) == ("project.create", "queued")
    shown = client.call("projects.get_project", made.project.name)
    assert isinstance(shown, models.ProjectDetail)
    assert shown.created_at.tzinfo is not None

    found = client.call("applications.get_application", "shop", "web")
    assert found.spec.ports[0].target_port == 8080
    missing = client.call("applications.get_application", "shop", "nothing")
    assert isinstance(missing, models.ProblemBody)
    assert (missing.status, missing.errors) == (404, [])
