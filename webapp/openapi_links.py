"""Links between operations in the OpenAPI document: what follows from the answer to a creation or change.

They are composed from the document itself. An answer that holds `job`, with an `id`, leads to /jobs/{job};
one that holds `application`, with a `name`, to …/applications/{application}, and so on: the name of a path's
parameter is the name of the property that fills it. An answer that is itself the thing made, with its
address in `links.self`, leads there by its own `id` or `name`.
"""

import re
from typing import Any

_PARAMETER = re.compile(r"\{(\w+)\}")


def add_links(document: dict[str, Any]) -> None:
    """Put OpenAPI links (https://spec.openapis.org/oas/v3.1.1#link-object) into all 201 and 202 answers."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status in ("201", "202"):
                answer = operation["responses"].get(status)
                links = _links(document, path, answer) if answer else {}
                if links:
                    answer["links"] = links


def _links(document: dict[str, Any], source: str, answer: dict[str, Any]) -> dict[str, Any]:
    schema = _resolve(document, answer["content"]["application/json"]["schema"])
    links = {}
    for target, operations in document["paths"].items():
        parameters = _parameters(document, source, schema, target)
        if parameters:
            for operation in operations.values():
                links[operation["operationId"]] = {
                    "operationId": operation["operationId"],
                    "parameters": parameters,
                    "description": operation["summary"],
                }
    return links


def _parameters(
    document: dict[str, Any], source: str, schema: dict[str, Any], target: str
) -> dict[str, str] | None:
    """Return runtime expressions for the parameters of `target`; None when the answer does not lead there."""
    names = _PARAMETER.findall(target)
    if not names or not target.endswith(f"{{{names[-1]}}}"):
        return None
    last = _in_body(document, schema, names[-1]) or _of_itself(schema, target)
    if last is None:
        return None
    found = {names[-1]: last}
    for name in names[:-1]:
        if name in _inner(document, schema, names[-1]):
            found[name] = f"$response.body#/{names[-1]}/{name}"
        elif f"{{{name}}}" in source:
            found[name] = f"$request.path.{name}"
        elif pointer := _in_body(document, schema, name):
            found[name] = pointer
        else:
            return None
    return found


def _in_body(document: dict[str, Any], schema: dict[str, Any], name: str) -> str | None:
    """Return the expression for the name or id of the property that is called like the parameter."""
    inner = _inner(document, schema, name)
    return next((f"$response.body#/{name}/{key}" for key in ("id", "name") if key in inner), None)


def _inner(document: dict[str, Any], schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the properties of the object that the property `name` holds."""
    held = _resolve(document, schema.get("properties", {}).get(name, {}))
    properties: dict[str, Any] = held.get("properties", {})
    return properties


def _of_itself(schema: dict[str, Any], target: str) -> str | None:
    """Return the expression for the answer's own id or name, when its address is one of `target`."""
    example = (schema.get("examples") or [{}])[0]
    address = str(example.get("links", {}).get("self", ""))
    if not re.fullmatch(_PARAMETER.sub("[^/]+", target), address):
        return None
    return next((f"$response.body#/{key}" for key in ("id", "name") if key in schema["properties"]), None)


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for option in (schema, *schema.get("anyOf", ())):
        if "$ref" in option:
            found: dict[str, Any] = document["components"]["schemas"][option["$ref"].rpartition("/")[2]]
            return found
    return schema
