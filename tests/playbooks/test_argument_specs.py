"""The roles' argument specs and the models that the portal uses say the same."""

from typing import Any

import pytest
import yaml

from plugins.module_utils.request_file import MODELS
from tests.playbook import ROOT
from webapp.catalog.schemas import CatalogSpec

Json = dict[str, Any]
TYPES = {"string": "str", "integer": "int", "boolean": "bool", "array": "list", "object": "dict"}
# Needed only when the application is to be present, which an argument spec cannot say.
# Defaults that the document of the API must not tell: there it is who asks.
ELSEWHERE = {"project_spec.owner": "operator"}
NEEDED_WHEN_PRESENT = {"application_spec.image", "application_spec.ports"}


def resolve(schema: Json, definitions: Json) -> Json:
    """Follow a reference and take the part of an optional field that is not null."""
    if "anyOf" in schema:
        part, *others = [item for item in schema["anyOf"] if item.get("type") != "null"]
        # Ansible makes a text of a number where it expects one.
        assert not others or (part["type"], others[0]["type"]) == ("string", "integer")
        schema = {**part, "default": schema.get("default")}
    if "$ref" in schema:
        return {**definitions[schema["$ref"].rsplit("/", 1)[1]], "default": schema.get("default")}
    return schema


def compare(path: str, options: Json, model: Json, definitions: Json) -> None:
    """Assert that an argument spec's options are the fields of a model's JSON schema."""
    assert set(options) == set(model["properties"]), path
    for name, option in options.items():
        where = f"{path}.{name}"
        schema = resolve(model["properties"][name], definitions)
        assert option["type"] == TYPES[schema["type"]], where
        assert option.get("choices") == schema.get("enum"), where
        required = name in model.get("required", []) and where not in NEEDED_WHEN_PRESENT
        assert option.get("required", False) == required, where
        if schema["type"] in ("string", "integer"):
            assert option.get("default") == schema.get("default", ELSEWHERE.get(where)), where
        if schema["type"] == "object":
            compare(where, option["options"], schema, definitions)
        if schema["type"] == "array":
            items = resolve(schema["items"], definitions)
            assert option["elements"] == TYPES[items["type"]], where
            if items["type"] == "object":
                compare(where, option["options"], items, definitions)


@pytest.mark.parametrize("kind", ["project", "application"])
def test_spec_mirrors_the_model(kind: str) -> None:
    file = ROOT / "roles" / kind / "meta" / "argument_specs.yml"
    options = yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"][f"{kind}_spec"]["options"]
    schema = MODELS[kind].model_json_schema(by_alias=True)
    if kind == "application":
        # One role takes both kinds of applications; what tells the other kind is compared apart.
        other = CatalogSpec.model_json_schema(by_alias=True)["properties"]
        assert {name: options.pop(name)["type"] for name in ("catalog", "values")} == {
            name: TYPES[other[name]["type"]] for name in ("catalog", "values")
        }
    compare(f"{kind}_spec", options, schema, schema.get("$defs", {}))


@pytest.mark.parametrize("kind", ["project", "application"])
def test_every_default_is_in_the_spec_and_the_other_way_round(kind: str) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / kind / "defaults" / "main.yml").read_text())
    specs = yaml.safe_load((ROOT / "roles" / kind / "meta" / "argument_specs.yml").read_text())
    options = specs["argument_specs"]["main"]["options"]
    assert set(defaults) | {f"{kind}_spec"} == set(options)
