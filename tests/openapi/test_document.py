"""What holds for every operation and every schema of the OpenAPI document, whatever is added to it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.webapp.conftest import make_config
from webapp.app import create_app

# Lists that are never long, each with the reason; all others page by cursor.
WHOLE = {
    "listAlerts": "What fires is read live and changes meanwhile: pages of it would not fit together.",
    "listProjectAlerts": "What fires is read live, and a project has a dozen rules.",
    "listDashboards": "There are a handful of dashboards, generated with the release.",
    "listProjectDashboards": "There are three dashboards of a project.",
    "listCatalog": "The operator writes the catalog by hand.",
    "listPods": "An application has at most as many pods as its replicas, which are limited.",
    "listTokens": "A user has at most 50 tokens.",
    "exportAuditAsJson": "An export is the whole, and it is streamed.",
    "listMembers": "All members stand in the project itself.",
    "listChannels": "A project has a limited number of channels.",
}
# Lists that page by something else, each with the reason.
BY_NUMBER = {
    "listJobEvents": "Events are numbered, and `after` goes on from a number, in the stream as well.",
    "listApplicationEvents": "Kubernetes keeps its events for an hour; `limit` is all that bounds them.",
    "getLogs": "Lines go on after the moment of the newest one.",
}
# What makes nothing that has an address of its own, each with the reason.
NO_OBJECT = {
    "testChannel": "A message that was sent stands in the list of deliveries alone.",
    "register": "Who has registered signs in; before that nothing of the user can be seen.",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as it is served."""
    application = create_app(make_config("sqlite:////nonexistent/portal.db"))
    served: dict[str, Any] = json.loads(json.dumps(application.api_doc))
    return served


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation as (path, method, operation)."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def schema_of(document: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a JSON body or answer, references followed."""
    schema: dict[str, Any] = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def answers(document: dict[str, Any], *statuses: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield every JSON answer with one of these statuses as (operationId, answer, its schema)."""
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if status in statuses and content:
                yield operation["operationId"], answer, schema_of(document, content)


def test_every_operation_has_a_name_a_summary_and_a_subject(document: dict[str, Any]) -> None:
    subjects = {tag["name"]: tag.get("description") for tag in document["tags"]}
    assert all(subjects.values())
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", operation["operationId"]), where
        assert len(operation["tags"]) == 1, where
        assert operation["tags"][0] in subjects, where
        assert re.fullmatch(r"[A-Z].{3,110}[^.]", operation["summary"]), where


def test_every_success_is_described(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        successes = [answer for status, answer in operation["responses"].items() if int(status) < 400]
        assert successes, f"{method} {path}"
        for answer in successes:
            assert answer["description"], f"{method} {path}"
            for content in answer.get("content", {}).values():
                assert content["schema"], f"{method} {path}"


def test_every_body_and_answer_has_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in (*bodies, *operation["responses"].values()):
            content = body.get("content", {}).get("application/json")
            if content:
                assert schema_of(document, content).get("examples"), f"{method} {path}"


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    registry = Registry().with_resource("urn:croft", Resource(document, DRAFT202012))
    for name, schema in document["components"]["schemas"].items():
        validator = OAS31Validator({"$ref": f"urn:croft#/components/schemas/{name}"}, registry=registry)
        for example in schema["examples"]:
            found = [
                f"{name}{error.json_path[1:]}: {error.message}" for error in validator.iter_errors(example)
            ]
            assert found == []


def test_every_parameter_has_a_description_and_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            where = f"{method} {path}: {parameter['name']}"
            assert parameter.get("description"), where
            assert parameter["schema"].get("examples") or "example" in parameter, where
        named = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), f"{method} {path}"


def test_names_are_those_of_json(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            assert re.fullmatch(r"[a-z][a-zA-Z0-9]*", field), f"{name}.{field}"


def test_every_creation_and_change_links_its_resources(document: dict[str, Any]) -> None:
    without = []
    for operation, answer, schema in answers(document, "201", "202"):
        addresses = schema["examples"][0].get("links", {}).values()
        if not any(str(address).startswith("/api/v1/") for address in addresses):
            without.append(f"{operation}: no links")
        if not answer.get("links") and operation not in NO_OBJECT:
            without.append(f"{operation}: the answer leads to no operation of the document")
    assert without == []


def test_links_lead_to_operations_with_all_their_parameters(document: dict[str, Any]) -> None:
    by_name = {operation["operationId"]: path for path, _, operation in operations(document)}
    for operation, answer, _ in answers(document, "201", "202"):
        for link in answer.get("links", {}).values():
            needed = set(re.findall(r"\{(\w+)\}", by_name[link["operationId"]]))
            assert set(link["parameters"]) == needed, operation
    creation = document["paths"]["/api/v1/projects"]["post"]["responses"]["202"]["links"]
    assert {"getProject", "deleteProject", "getJob"} <= set(creation)


def test_lists_page_by_cursor(document: dict[str, Any]) -> None:
    parameters = {
        operation["operationId"]: {item["name"] for item in operation.get("parameters", [])}
        for _, _, operation in operations(document)
    }
    lists = {name: schema for name, _, schema in answers(document, "200") if "items" in schema["properties"]}
    assert set(WHOLE) | set(BY_NUMBER) <= parameters.keys(), "an exception is left over"
    unpaged = [
        name
        for name, schema in lists.items()
        if not {"limit", "cursor"} <= parameters[name] or "next" not in schema["examples"][0]["links"]
    ]
    assert sorted(set(unpaged) - set(WHOLE) - set(BY_NUMBER)) == []


def test_every_post_can_be_sent_twice(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        if method == "post" and operation["security"]:
            names = [item["name"] for item in operation["parameters"]]
            assert "Idempotency-Key" in names, path
