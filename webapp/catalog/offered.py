"""What the operator offers: the catalog of this portal, read once at its start."""

from flask import Flask, current_app

from webapp.catalog.entries import CatalogError, Entry, read_catalog
from webapp.config import Config, ConfigurationError
from webapp.problems import Problem

_KEY = "croft_catalog"


def init_app(app: Flask, config: Config) -> None:
    """Read the operator's catalog. Raises ConfigurationError for one that cannot be used."""
    try:
        app.extensions[_KEY] = read_catalog(config.catalog) if config.catalog.exists() else {}
    except CatalogError as error:
        raise ConfigurationError(str(error)) from error


def entries() -> dict[str, Entry]:
    """Return the entries by name, in the operator's order."""
    found: dict[str, Entry] = current_app.extensions[_KEY]
    return found


def entry(name: str) -> Entry:
    """Return one entry. Raises Problem catalog-entry-not-found."""
    found = entries().get(name)
    if found is None:
        raise Problem("catalog-entry-not-found", f"The catalog has no entry '{name[:64]}'.")
    return found
