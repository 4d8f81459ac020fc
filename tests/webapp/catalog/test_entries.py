"""The catalog: what the operator's file and charts have to look like, and what members may set."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbook import ROOT
from webapp.applications.schemas import Secret
from webapp.catalog import values
from webapp.catalog.entries import CatalogError, Entry, read_catalog
from webapp.catalog.fields import fields_of, read
from webapp.catalog.schemas import CatalogSettings
from webapp.problems import Problem

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["size", "password"],
    "$defs": {"size": {"type": "string", "pattern": "^[0-9]+Gi$"}},
    "properties": {
        "size": {"$ref": "#/$defs/size", "title": "Size"},
        "password": {"type": "string", "minLength": 8, "writeOnly": True, "description": "8 letters"},
        "replicas": {"type": "integer", "minimum": 1},
        "mode": {"enum": ["fast", "safe"]},
        "debug": {"type": "boolean"},
        "hosts": {"type": "array", "items": {"type": "string"}},
        "image": {"type": "string"},
        "nested": {"type": "object"},
        "stopped": {"type": "boolean"},
    },
}
VALUES = {"size": "1Gi", "password": "", "replicas": 1, "image": "a:1", "stopped": False}
ENTRY = {"name": "db", "title": "Database", "chart": "db", "version": "1.0.0", "hidden": ["image"]}


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    """Write a catalog with one chart and return its entries: catalog(entry changes, schema=…, version=…)."""

    def make(
        entry: dict[str, Any] | None = None, schema: Any = SCHEMA, version: str = "1.0.0"
    ) -> dict[str, Entry]:
        folder = tmp_path / "db"
        folder.mkdir(exist_ok=True)
        (folder / "Chart.yaml").write_text(yaml.safe_dump({"name": "db", "version": version}))
        (folder / "values.yaml").write_text(yaml.safe_dump(VALUES))
        (folder / "values.schema.json").write_text(json.dumps(schema))
        file = tmp_path / "catalog.yml"
        file.write_text(yaml.safe_dump({"entries": [{**ENTRY, **(entry or {})}]}))
        return read_catalog(file)

    return make


def given(**values: Any) -> CatalogSettings:
    """What a member sends."""
    return CatalogSettings(values=values)


def test_the_shipped_catalog_is_valid_and_needs_only_bundled_images() -> None:
    lock = yaml.safe_load((ROOT / "bundle/lock.yml").read_text())
    bundled = {image["name"] for image in lock["images"].values()}
    entries = read_catalog(ROOT / "charts/catalog/catalog.yml")
    assert len(entries) >= 2
    for entry in entries.values():
        image = yaml.safe_load((entry.chart / "values.yaml").read_text())["image"]
        assert image in bundled
        assert "image" not in entry.schema["properties"]


def test_members_may_set_neither_hidden_values_nor_croft_s_own(catalog: Any) -> None:
    entry = catalog()["db"]
    assert set(entry.schema["properties"]) == set(SCHEMA["properties"]) - {"image", "stopped"}
    with pytest.raises(Problem) as caught:
        values.complete(entry, given(password="12345678", image="evil:1"))
    assert caught.value.errors[0].field == "values.image"
    assert "size, password" in caught.value.detail


def test_the_operator_s_values_win_where_members_may_not_choose(catalog: Any) -> None:
    entry = catalog({"defaults": {"image": "mirror/a:1", "size": "2Gi"}})["db"]
    complete, _ = values.complete(entry, given(password="12345678"))
    assert complete["size"] == "2Gi"
    assert values.for_chart(entry, complete, stopped=True, salt="x") == {
        **complete,
        "image": "mirror/a:1",
        "stopped": True,
        "restartedAt": "",
        "secretsSalt": "x",
    }


def test_a_secret_left_out_keeps_its_value_and_stands_apart(catalog: Any) -> None:
    entry = catalog()["db"]
    chosen, stored = values.complete(entry, given(password="12345678"))
    assert "password" not in chosen
    assert [(secret.name, secret.value) for secret in stored] == [("password", "12345678")]
    as_list = CatalogSettings(secrets=[Secret(name="password", value="12345678")])
    assert values.complete(entry, as_list) == (chosen, stored)
    for settings in (given(), given(password=""), CatalogSettings(secrets=[Secret(name="password")])):
        assert values.complete(entry, settings, stored) == (chosen, stored)


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({}, "values.password", "has to be given"),
        ({"password": "geheim"}, "values.password", "8 letters"),
        ({"password": "12345678", "replicas": "x"}, "values.replicas", "integer"),
        ({"password": "12345678", "size": "1"}, "values.size", "does not match"),
    ],
)
def test_wrong_values_are_named(catalog: Any, sent: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Problem) as caught:
        values.complete(catalog()["db"], given(**sent))
    assert caught.value.errors[0].field == field
    assert words in caught.value.detail
    assert "geheim" not in caught.value.detail


def test_the_form_comes_from_the_schema(catalog: Any) -> None:
    entry = catalog()["db"]
    assert {field.name: field.kind for field in fields_of(entry)} == {
        "values.size": "text",
        "values.password": "password",
        "values.replicas": "number",
        "values.mode": "select",
        "values.debug": "check",
        "values.hosts": "lines",
    }
    posted = {
        "size": "3Gi",
        "password": "",
        "replicas": "2",
        "mode": "safe",
        "debug": "yes",
        "hosts": "a\n\n b",
    }
    assert read(entry, posted) == {
        "size": "3Gi",
        "replicas": 2,
        "mode": "safe",
        "debug": True,
        "hosts": ["a", "b"],
    }
    assert read(entry, {"replicas": "two"})["replicas"] == "two"


@pytest.mark.parametrize(
    ("entry", "schema", "version", "words"),
    [
        ({"chart": "../elsewhere"}, SCHEMA, "1.0.0", "outside"),
        ({"chart": "missing"}, SCHEMA, "1.0.0", "cannot be read"),
        ({"version": "2.0.0"}, SCHEMA, "1.0.0", "has version 1.0.0, not 2.0.0"),
        ({"name": "Not A Name"}, SCHEMA, "1.0.0", "DNS label"),
        ({"colour": "red"}, SCHEMA, "1.0.0", "colour"),
        ({}, {"type": "strange"}, "1.0.0", "no JSON Schema"),
        ({}, {"type": "object"}, "1.0.0", "names no properties"),
        ({}, {"properties": {"n": {"type": "integer", "writeOnly": True}}}, "1.0.0", "of type string"),
    ],
)
def test_a_catalog_that_cannot_work_is_refused(
    catalog: Any, entry: dict[str, Any], schema: Any, version: str, words: str
) -> None:
    with pytest.raises(CatalogError, match=words):
        catalog(entry, schema, version)
