"""/api/v1/catalog"""

from typing import Any

from flask import Response
from pydantic import Field

from webapp.catalog import offered
from webapp.catalog.entries import Entry
from webapp.links import API
from webapp.openapi import answers, api_blueprint, reply
from webapp.schemas import Model

api = api_blueprint(
    "catalog_api", __name__, "/catalog", "catalog", "Charts that the operator offers, run by a few values"
)


class CatalogPath(Model):
    """Which entry."""

    entry: str = Field(description="Name of the entry", examples=["postgresql"])


class CatalogLinks(Model):
    """Where to go from an entry."""

    self_: str = Field(alias="self", description="The entry", examples=["/api/v1/catalog/postgresql"])
    catalog: str = Field(description="All entries", examples=["/api/v1/catalog"])


class CatalogSummary(Model):
    """An entry in the list."""

    name: str = Field(description="How requests call it", examples=["postgresql"])
    title: str = Field(description="Its title", examples=["PostgreSQL 17"])
    description: str = Field(
        description="What it is", examples=["A relational database with a volume of its own"]
    )
    version: str = Field(description="Version of its chart", examples=["1.0.0"])
    links: CatalogLinks = Field(description="Where to go from here")


class CatalogDetail(CatalogSummary):
    """An entry with what can be set."""

    values_schema: dict[str, Any] = Field(
        description="JSON Schema of the values that you may set",
        examples=[{"type": "object", "properties": {"database": {"type": "string", "default": "app"}}}],
    )
    defaults: dict[str, Any] = Field(
        description="Values that hold when nothing else is said", examples=[{"database": "app"}]
    )


class CatalogList(Model):
    """All entries, in the operator's order."""

    items: list[CatalogSummary] = Field(description="The entries")
    links: dict[str, str] = Field(description="This list", examples=[{"self": "/api/v1/catalog"}])


@api.get("", operation_id="listCatalog", responses=answers({200: CatalogList}))
def list_catalog() -> Response:
    """List the charts that you may run"""
    items = [CatalogSummary(**_summary(item)) for item in offered.entries().values()]
    return reply(CatalogList(items=items, links={"self": f"{API}/catalog"}))


@api.get(
    "/<entry>",
    operation_id="getCatalogEntry",
    responses=answers({200: CatalogDetail}, "catalog-entry-not-found"),
)
def get_catalog_entry(path: CatalogPath) -> Response:
    """Show an entry, and the schema of the values that it takes"""
    found = offered.entry(path.entry)
    defaults = {name: value for name, value in found.defaults.items() if name not in found.secrets}
    return reply(CatalogDetail(**_summary(found), values_schema=dict(found.schema), defaults=defaults))


def _summary(entry: Entry) -> dict[str, Any]:
    links = CatalogLinks(self_=f"{API}/catalog/{entry.name}", catalog=f"{API}/catalog")
    return {
        "name": entry.name,
        "title": entry.title,
        "description": entry.description,
        "version": entry.version,
        "links": links,
    }
