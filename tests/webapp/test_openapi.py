"""The OpenAPI document: valid, complete, with examples that are composed and that the models accept."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel, Field

from tests.webapp.conftest import make_config
from webapp.app import create_app
from webapp.applications.schemas import ApplicationSpec, NewApplication
from webapp.auth.sessions import require_bearer
from webapp.openapi import PREFIX, Portal
from webapp.problems import PROBLEM_TYPES
from webapp.projects.schemas import ProjectSpec
from webapp.schemas import Model, sample

HOME = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def application() -> Portal:
    """The application on a database that does not exist: the document needs none."""
    return create_app(make_config("sqlite:////nonexistent/portal.db"))


@pytest.fixture(scope="module")
def document(application: Portal) -> dict[str, Any]:
    """The document as it is served."""
    return json.loads(json.dumps(application.api_doc))


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation as (path, method, operation)."""
    return [(path, method, body) for path, item in document["paths"].items() for method, body in item.items()]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"] == "3.1.1"


def test_every_route_of_the_api_is_documented(application: Portal, document: dict[str, Any]) -> None:
    served = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in application.url_map.iter_rules()
        if rule.rule.startswith(PREFIX) and rule.rule not in (f"{PREFIX}/openapi.json", f"{PREFIX}/docs")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(document)}
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_documents_its_errors(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        answers = operation["responses"]
        assert {"400", "500"} <= set(answers), where
        if operation.get("security"):
            assert "401" in answers, where
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(answers), where
        if "{" in path:
            assert "404" in answers, where
        for status, answer in answers.items():
            assert answer["description"], where
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}, where
                for slug, example in answer["content"]["application/problem+json"]["examples"].items():
                    assert PROBLEM_TYPES[slug].status == int(status), where
                    assert example["value"]["type"] == f"/problems/{slug}"


def test_all_but_signing_in_needs_a_token(application: Portal, document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        open_to_all = path.startswith(f"{PREFIX}/auth/")
        assert (operation.get("security") == [{"bearer": []}]) is not open_to_all, f"{method} {path}"
    for name, blueprint in application.blueprints.items():
        if (blueprint.url_prefix or "").startswith(PREFIX) and name != "auth_api":
            assert require_bearer in blueprint.before_request_funcs[None], name


def test_every_field_has_a_description_and_an_example(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, value in schema.get("properties", {}).items():
            assert value.get("description"), f"{name}.{field}"
        assert schema["examples"], name


def test_parameters_have_descriptions(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{method} {path}: {parameter['name']}"


@pytest.mark.parametrize("model", [ProjectSpec, NewApplication, ApplicationSpec])
def test_the_example_is_one_that_would_be_accepted(model: type[BaseModel]) -> None:
    example = sample(model)
    assert model.model_validate(example).model_dump(mode="json") == {**example}


def test_examples_use_the_names_of_the_api(document: dict[str, Any]) -> None:
    example = document["components"]["schemas"]["NewApplication"]["examples"][0]
    assert example["ports"][0]["targetPort"] == 8080
    assert "target_port" not in json.dumps(example)
    answer = document["components"]["schemas"]["ProjectChange"]["examples"][0]
    assert set(answer["links"]) == {"self", "project", "job"}


def test_an_inner_example_shows_outside() -> None:
    def build(example: str) -> type[BaseModel]:
        class Inner(Model):
            inner_name: str = Field(description="x", examples=[example])

        class Outer(Model):
            inner: Inner | None = Field(None, description="x")
            many_inner: list[Inner] | None = Field(description="x")

        return Outer

    assert sample(build("one")) == {"inner": {"innerName": "one"}, "manyInner": [{"innerName": "one"}]}
    assert sample(build("two"))["manyInner"] == [{"innerName": "two"}]


def test_a_field_without_an_example_is_found() -> None:
    class Bare(Model):
        name: str = Field(description="x")

    with pytest.raises(LookupError, match="has no example"):
        sample(Bare)


def test_the_command_needs_neither_settings_nor_database() -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)}
    command = [sys.executable, "-m", "flask", "--app", "webapp.wsgi", "openapi"]
    done = subprocess.run(
        command, cwd="/", env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"{PREFIX}/projects" in json.loads(done.stdout)["paths"]


def test_serving_does_need_settings() -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)}
    command = [sys.executable, "-c", "import webapp.wsgi"]
    done = subprocess.run(
        command, cwd="/", env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    for name in ("CROFT_SECRET_KEY", "CROFT_JWT_SECRET_KEY", "CROFT_ENCRYPTION_KEYS"):
        assert f"{name} is not set" in done.stderr
    assert "Traceback" not in done.stderr
