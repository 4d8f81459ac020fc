"""Applications that sleep with their project: each Helm release made anew with its own values and `asleep`.

What a release was made of (values and chart) is read from Helm's own Secret, so nothing else has to know it.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from plugins.module_utils.cluster import Cluster
from plugins.module_utils.helm import HelmError
from plugins.module_utils.helm_record import unpack
from plugins.module_utils.readiness import NotReady, wait_until_ready
from plugins.module_utils.release import Chart

Json = dict[str, Any]
VALUE = "asleep"
# A run that was cut off is done again within this time, and then waits for what it had woken before.
_LATELY = timedelta(minutes=20)
_GOING = ("uninstalling", "uninstalled")


class NotAsleep(Exception):
    """Something still runs, or does not run again; the text names it."""


@dataclass(frozen=True)
class Stored:
    """A release as Helm keeps it: its latest revision."""

    name: str
    revision: int
    config: Json
    chart: Json
    status: str
    description: str
    deployed: datetime

    @property
    def asleep(self) -> bool:
        """Whether it was released asleep."""
        return bool(self.config.get(VALUE))

    def values(self, asleep: bool) -> Json:
        """Return its own values, with the one that lets it sleep or without."""
        rest = {key: value for key, value in self.config.items() if key != VALUE}
        return {**rest, VALUE: True} if asleep else rest


def releases_of(cluster: Cluster, project: str) -> list[Stored]:
    """Return the releases in the project's namespace by name; those that are being removed are left out."""
    path = f"/api/v1/namespaces/{project}/secrets"
    found: dict[str, Stored] = {}
    for item in cluster.list(path, labelSelector="owner=helm,status!=superseded"):
        stored = _read(item)
        if stored.name not in found or stored.revision > found[stored.name].revision:
            found[stored.name] = stored
    return [found[name] for name in sorted(found) if found[name].status not in _GOING]


def has_to_turn(cluster: Cluster, project: str, stored: Stored, asleep: bool) -> bool:
    """Tell whether the release has to be made anew: it is the other way, or left half-way."""
    if stored.asleep is not asleep:
        return True
    return stored.status != "deployed" and (asleep or _slept_before(cluster, project, stored))


def woken_lately(cluster: Cluster, project: str, stored: Stored) -> bool:
    """Tell whether the release's latest change was that it woke, a moment ago."""
    lately = datetime.now(UTC) - stored.deployed <= _LATELY
    return lately and not stored.asleep and _slept_before(cluster, project, stored)


def _slept_before(cluster: Cluster, project: str, stored: Stored) -> bool:
    if stored.revision < 2:
        return False
    name = f"sh.helm.release.v1.{stored.name}.v{stored.revision - 1}"
    before = cluster.get(f"/api/v1/namespaces/{project}/secrets/{name}")
    return before is not None and _read(before).asleep


@contextmanager
def chart_of(stored: Stored, charts: Path) -> Iterator[Chart | None]:
    """Give the chart to release it with: the release's own, or one of the same name in the folder `charts`.

    None when neither knows the value `asleep`.
    """
    metadata: Json = stored.chart["metadata"]
    # Helm does not keep the charts that a chart depends on.
    if VALUE in (stored.chart.get("values") or {}) and not metadata.get("dependencies"):
        with TemporaryDirectory(prefix="croft-chart-") as folder:
            _unpack(stored.chart, Path(folder))
            digest = re.search(r"sha256:([0-9a-f]+)", stored.description)
            # With the mark that it had: its next release has to see that nothing is new.
            yield Chart(
                Path(folder), metadata["name"], str(metadata["version"]), digest[1] if digest else "kept"
            )
        return
    for folder in (charts / metadata["name"], charts / "catalog" / metadata["name"]):
        values = folder / "values.yaml"
        if values.is_file() and VALUE in (yaml.safe_load(values.read_text()) or {}):
            yield Chart.read(str(folder))
            return
    yield None


def wait_until_asleep(cluster: Cluster, project: str, seconds: float, tell: Callable[[str], None]) -> None:
    """Return when no pod runs in the project. Raises NotAsleep naming those that still do after `seconds`."""
    start, told = time.monotonic(), ""
    while True:
        names = [
            item["metadata"]["name"]
            for item in cluster.list(f"/api/v1/namespaces/{project}/pods")
            # One that has ended by itself stays as it is; one that is being ended has to be gone.
            if "deletionTimestamp" in item["metadata"]
            or item.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        ]
        if not names:
            return
        line = f"{len(names)} pod{'s' if len(names) > 1 else ''} still end{'' if len(names) > 1 else 's'}"
        if line != told:
            told = line
            tell(line)
        if time.monotonic() - start >= seconds:
            raise NotAsleep(
                f"project '{project}' is not asleep after {seconds:.0f} s: still there is "
                f"{', '.join(names[:5])}{' and more' if len(names) > 5 else ''}. Stop what made it, or "
                "delete it, then archive the project again"
            )
        time.sleep(0.5)


def wait_until_awake(
    cluster: Cluster, project: str, names: list[str], seconds: float, tell: Callable[[str], None]
) -> None:
    """Return when these applications are ready. Raises NotAsleep that tells of each that is not.

    The time is for all of them together.
    """
    end = time.monotonic() + seconds
    failures = []
    for name in names:
        if cluster.get(f"/apis/apps/v1/namespaces/{project}/deployments/{name}") is None:
            continue
        try:
            left = max(1.0, end - time.monotonic())
            wait_until_ready(cluster, project, name, left, partial(_tell_of, tell, name))
        except NotReady as error:
            failures.append(str(error))
    if failures:
        raise NotAsleep(f"project '{project}' is awake, but not all of it runs: {' '.join(failures)}")


def _tell_of(tell: Callable[[str], None], name: str, line: str) -> None:
    tell(f"{name}: {line}")


def _read(secret: Json) -> Stored:
    """Return the release that a Secret of Helm's holds. Raises HelmError for one that is none."""
    labels = secret["metadata"]["labels"]
    try:
        release = unpack(secret)
        info = release["info"]
        # Go writes nanoseconds, Python reads microseconds.
        text = re.sub(r"(\.\d{6})\d+", r"\1", info["last_deployed"])
        return Stored(
            name=release["name"],
            revision=int(release["version"]),
            config=release.get("config") or {},
            chart=release["chart"],
            status=info["status"],
            description=info.get("description", ""),
            deployed=datetime.fromisoformat(text).astimezone(UTC),
        )
    except (binascii.Error, OSError, ValueError, KeyError, TypeError) as error:
        # Only the kind of error: the content may hold secret values.
        raise HelmError(
            f"Helm's record of release '{labels.get('name')}' cannot be read ({type(error).__name__})"
        ) from None


def _unpack(chart: Json, folder: Path) -> None:
    """Write a chart as a release keeps it into a folder. Raises HelmError for a file that leads out of it."""
    (folder / "Chart.yaml").write_text(json.dumps(chart["metadata"]))
    (folder / "values.yaml").write_text(json.dumps(chart.get("values") or {}))
    if chart.get("schema"):
        (folder / "values.schema.json").write_bytes(base64.b64decode(chart["schema"]))
    for item in [*(chart.get("templates") or []), *(chart.get("files") or [])]:
        path = (folder / item["name"]).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise HelmError(f"the chart has a file outside of its folder: {item['name'][:100]}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(item["data"]))
