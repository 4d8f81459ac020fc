"""The objects of a release, as its manifest names them, and waiting until they are gone.

`helm uninstall --wait` returns while objects are still ending; what is installed over them ends with them.
"""

import time
from typing import Any

import yaml

from plugins.module_utils.cluster import Cluster, ClusterError, connect

_KEEP = "helm.sh/resource-policy"


def wait_until_gone(kubeconfig: str, manifest: str, namespace: str, seconds: float) -> None:
    """Return when none of the manifest's objects exists. Raises ClusterError that names one, after `seconds`.

    `namespace` is that of objects which do not name one.
    """
    documents = [item for item in yaml.load_all(manifest, Loader=yaml.CSafeLoader) if item]
    # Helm leaves those in place that say so.
    objects = [item for item in documents if not item["metadata"].get("annotations", {}).get(_KEEP)]
    if not objects:
        return
    end = time.monotonic() + seconds
    with connect(kubeconfig) as cluster:
        left = paths_of(cluster, objects, namespace)
        while left := {path: name for path, name in left.items() if cluster.get(path) is not None}:
            if time.monotonic() > end:
                raise ClusterError(f"{', '.join(left.values())} still there after {seconds:.0f} s")
            time.sleep(0.2)


def paths_of(cluster: Cluster, objects: list[dict[str, Any]], namespace: str) -> dict[str, str]:
    """Return API path → "Kind name" of each object whose kind the cluster knows."""
    kinds: dict[str, dict[str, Any]] = {}
    found = {}
    for item in objects:
        version, metadata = item["apiVersion"], item["metadata"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in kinds:
            resources = (cluster.get(base) or {}).get("resources", [])
            kinds[version] = {entry["kind"]: entry for entry in resources if "/" not in entry["name"]}
        kind = kinds[version].get(item["kind"])
        if kind is None:
            continue  # its definition is gone, and so is the object
        inside = f"/namespaces/{metadata.get('namespace', namespace)}" if kind["namespaced"] else ""
        found[f"{base}{inside}/{kind['name']}/{metadata['name']}"] = f"{item['kind']} {metadata['name']}"
    return found
