"""The catalog: charts that the operator offers, read from catalog.yml and the charts beside it.

A wrong catalog is refused as a whole, with the entry and what is wrong with it; so is a chart that does not
say what its values may be.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import ConfigDict, Field, ValidationError

from webapp.schemas import DnsLabel, Model

# Values that Croft sets itself; a form never shows them, and nobody else may set them.
OWN_VALUES = frozenset({"asleep", "global", "restartedAt", "secretsSalt", "stopped"})


class CatalogError(Exception):
    """The catalog cannot be used; the text names the entry and what to do."""


class EntryFile(Model):
    """One entry of catalog.yml, as the operator writes it."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    name: DnsLabel = Field(description="How requests call it", examples=["postgresql"])
    title: str = Field(min_length=1, max_length=60, description="Its title", examples=["PostgreSQL 17"])
    description: str = Field("", max_length=300, description="What it is", examples=["A relational database"])
    chart: str = Field(
        min_length=1, max_length=200, description="Folder of the chart", examples=["postgresql"]
    )
    version: str = Field(min_length=1, max_length=40, description="Version of the chart", examples=["1.0.0"])
    defaults: dict[str, Any] = Field(
        default_factory=dict, description="Values of the operator's", examples=[{}]
    )
    hidden: list[str] = Field(
        default_factory=list, description="Values that members may not set", examples=[["image"]]
    )


@dataclass(frozen=True)
class Entry:
    """A chart that members may run.

    `schema`: JSON Schema of the values that members may set; `defaults`: their values when nothing is said;
    `fixed`: the operator's values for the hidden ones.
    """

    name: str
    title: str
    description: str
    chart: Path
    version: str
    schema: Mapping[str, Any]
    defaults: Mapping[str, Any]
    fixed: Mapping[str, Any]

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the values that are never shown again (writeOnly in the chart's schema)."""
        fields = self.schema.get("properties", {})
        return frozenset(name for name, field in fields.items() if field.get("writeOnly"))


def read_catalog(file: Path) -> dict[str, Entry]:
    """Return the entries of the catalog by name, in the file's order. Raises CatalogError."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"the catalog {file} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CatalogError(f"the catalog {file} is not valid YAML: {error}") from error
    if (
        not isinstance(content, dict)
        or set(content) != {"entries"}
        or not isinstance(content["entries"], list)
    ):
        raise CatalogError(f"the catalog {file} has to hold one list called 'entries'")
    found: dict[str, Entry] = {}
    for number, item in enumerate(content["entries"], start=1):
        entry = _entry(file.parent, item, f"entry {number} of {file}")
        if entry.name in found:
            raise CatalogError(f"the catalog {file} has the entry '{entry.name}' twice")
        found[entry.name] = entry
    return found


def _entry(folder: Path, item: Any, where: str) -> Entry:
    try:
        wanted = EntryFile.model_validate(item)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)
        )
        raise CatalogError(f"{where}: {problems}") from error
    where = f"catalog entry '{wanted.name}'"
    chart = (folder / wanted.chart).resolve()
    if not chart.is_relative_to(folder.resolve()):
        raise CatalogError(f"{where}: the chart '{wanted.chart}' is outside of the catalog's folder")
    metadata = _read(chart / "Chart.yaml", where)
    if str(metadata.get("version")) != wanted.version:
        raise CatalogError(f"{where}: the chart has version {metadata.get('version')}, not {wanted.version}")
    schema, values = _read(chart / "values.schema.json", where), _read(chart / "values.yaml", where)
    hidden = {*wanted.hidden, *OWN_VALUES}
    given = {**values, **wanted.defaults}
    visible = _visible(schema, hidden, where)
    return Entry(
        name=wanted.name,
        title=wanted.title,
        description=wanted.description,
        chart=chart,
        version=wanted.version,
        schema=visible,
        defaults={name: given[name] for name in visible["properties"] if name in given},
        fixed={name: value for name, value in wanted.defaults.items() if name in hidden},
    )


def _read(file: Path, where: str) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        content = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise CatalogError(f"{where}: {file} cannot be read ({error.strerror})") from error
    except (ValueError, yaml.YAMLError) as error:
        raise CatalogError(f"{where}: {file} cannot be understood: {error}") from error
    if not isinstance(content, dict):
        raise CatalogError(f"{where}: {file} has to hold an object")
    return content


def _visible(schema: dict[str, Any], hidden: set[str], where: str) -> dict[str, Any]:
    """Return the schema of what members may set: without the hidden values, and closed to others."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise CatalogError(f"{where}: values.schema.json is no JSON Schema: {error.message}") from error
    fields = schema.get("properties")
    if not isinstance(fields, dict):
        raise CatalogError(f"{where}: values.schema.json names no properties, so there is no form to make")
    for name, field in fields.items():
        if field.get("writeOnly") and field.get("type") != "string":
            raise CatalogError(f"{where}: the secret value '{name}' has to be of type string")
    return {
        **{key: value for key, value in schema.items() if key in ("$schema", "$defs")},
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in schema.get("required", []) if name not in hidden],
        "properties": {name: field for name, field in fields.items() if name not in hidden},
    }
