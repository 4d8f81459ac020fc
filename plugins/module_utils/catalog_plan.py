"""From a validated application of the catalog to the values of its chart, checked against the cluster."""

import secrets
from pathlib import Path
from typing import Any

from plugins.module_utils.cluster import Cluster
from plugins.module_utils.helm_record import unpack
from plugins.module_utils.project_plan import read_namespace
from plugins.module_utils.request_file import RequestError
from webapp.applications.schemas import Secret
from webapp.catalog.entries import CatalogError, Entry, read_catalog
from webapp.catalog.schemas import CatalogSpec
from webapp.catalog.values import complete, for_chart
from webapp.problems import Problem


def find_entry(catalog: str, name: str) -> Entry:
    """Return an entry of the catalog in the file `catalog`. Raises RequestError."""
    try:
        entries = read_catalog(Path(catalog))
    except CatalogError as error:
        raise RequestError(str(error)) from None
    if name not in entries:
        raise RequestError(
            f"application.catalog: there is no entry '{name}'; the catalog has {', '.join(entries) or 'none'}"
        )
    return entries[name]


def plan_values(cluster: Cluster, spec: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """Return the chart's values. Raises RequestError for what the cluster cannot or must not do.

    A secret value that is left out keeps the one that the release has.
    """
    if read_namespace(cluster, spec["project"]) is None:
        raise RequestError(f"project '{spec['project']}' does not exist; create it first")
    released = release_values(cluster, spec["project"], spec["name"])
    stored = [Secret(name=name, value=released[name]) for name in entry.secrets if released.get(name)]
    try:
        values, given = complete(entry, CatalogSpec.model_validate(spec), stored)
    except Problem as problem:
        named = "; ".join(f"application.{error.field}: {error.message}" for error in problem.errors)
        raise RequestError(named or problem.detail) from None
    return for_chart(
        entry,
        {**values, **{secret.name: secret.value for secret in given}},
        stopped=spec["stopped"],
        restarted_at=spec["restartedAt"] or "",
        salt=released.get("secretsSalt") or secrets.token_hex(16),
    )


def release_values(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    """Return the values of the release's newest revision, which Helm keeps in a Secret; empty without one."""
    found = cluster.list(f"/api/v1/namespaces/{namespace}/secrets", labelSelector=f"owner=helm,name={name}")
    if not found:
        return {}
    newest = max(found, key=lambda item: int(item["metadata"]["labels"]["version"]))
    values: dict[str, Any] = unpack(newest).get("config") or {}
    return values
