"""Helm releases: made, changed, cured and removed."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pyhelm3 import errors

from plugins.module_utils.cluster import ClusterError, connect
from plugins.module_utils.helm import HelmCommand, HelmError
from plugins.module_utils.manifest import wait_until_gone
from plugins.module_utils.release_objects import changes_between, pack, unpack

# A release that has been pending for less than this may be the work of a Helm that is still alive, started by
# somebody else a moment ago; older ones were left by a Helm that was killed.
LIVE_SECONDS = 15


@dataclass(frozen=True)
class Chart:
    """A chart in a folder, and a digest of everything in it."""

    path: Path
    name: str
    version: str
    digest: str

    @classmethod
    def read(cls, folder: str) -> "Chart":
        """Read the chart in `folder`. Raises HelmError when there is none."""
        path = Path(folder)
        try:
            metadata = yaml.safe_load((path / "Chart.yaml").read_text())
        except OSError as error:
            raise HelmError(f"there is no chart in '{folder}': {error.strerror} (Chart.yaml)") from error
        digest = hashlib.sha256()
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(path)}\0{content}\n".encode())
        return cls(path.resolve(), metadata["name"], str(metadata["version"]), digest.hexdigest()[:16])

    @property
    def mark(self) -> str:
        """The release's description, by which a later run knows what was released."""
        return f"croft: chart {self.name}-{self.version} sha256:{self.digest}"


@dataclass(frozen=True)
class Outcome:
    """What was done: `changed`, and the release's status and revision afterwards (None when it is gone)."""

    changed: bool
    status: str
    revision: int | None
    # What changes, object by object; None when nobody asked.
    objects: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Release:
    """One Helm release, by name and namespace."""

    command: HelmCommand
    name: str
    namespace: str
    timeout: int

    async def read(self) -> dict[str, Any] | None:
        """Return the latest revision (`info`, `config`, `version`), or None when there is no release."""
        found = await self._records()
        return None if found and found["info"]["status"] == "uninstalled" else found

    async def _records(self) -> dict[str, Any] | None:
        """Return the latest revision that Helm keeps, also of a release that is gone."""
        try:
            found: dict[str, Any] = await self.command.status(self.name, namespace=self.namespace)
        except errors.ReleaseNotFoundError:
            return None
        return found

    async def deploy(
        self,
        chart: Chart,
        values: dict[str, Any],
        *,
        create_namespace: bool,
        wait: bool,
        check: bool,
        tell: Callable[[list[dict[str, Any]]], None] | None = None,
    ) -> Outcome:
        """Bring the release to this chart and these values; do nothing when it is there already.

        With `check`, only say what would be done. `tell` gets what changes, object by object, before it is
        done. Raises HelmError.
        """
        found = await self.read() if check else await self._cure(await self.read())
        if found and _same(found, chart, values):
            return Outcome(False, "deployed", found["version"], [] if tell else None)
        objects = await self._compare(found, chart, values) if tell else None
        if tell and objects is not None:
            tell(objects)
        if check:
            status, revision = (found["info"]["status"], found["version"]) if found else ("absent", None)
            return Outcome(True, status, revision, objects)
        made = await self.command.install_or_upgrade(
            self.name,
            chart.path,
            values,
            create_namespace=create_namespace,
            description=chart.mark,
            # The desired state wins over what somebody changed by hand (kubectl scale, for one).
            force_conflicts=True,
            namespace=self.namespace,
            timeout=f"{self.timeout}s",
            wait=wait,
        )
        return Outcome(True, made["info"]["status"], made["version"], objects)

    async def _compare(
        self, found: Mapping[str, Any] | None, chart: Chart, values: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what differs between what is released and what would be. Raises HelmError."""
        status = found["info"]["status"] if found else ""
        pending = status.startswith("pending-") or status in ("uninstalling", "unknown")
        manifest = await self.command.render(self.name, chart.path, values, self.namespace, pending=pending)
        return changes_between(found.get("manifest", "") if found else "", manifest)

    async def remove(self, *, wait: bool, check: bool) -> Outcome:
        """Uninstall the release, if there is one, and with `wait` stay until its objects are gone.

        Raises HelmError.
        """
        found = await self._records()
        if found is None:
            return Outcome(False, "absent", None)
        if not check:
            if found["info"]["status"] == "uninstalled":
                # Helm would drop its records alone, whatever else is left.
                self._give_up(found)
            await self._uninstall(found, wait=wait)
        return Outcome(True, "absent", None)

    async def _uninstall(self, found: Mapping[str, Any], *, wait: bool = True) -> None:
        try:
            await self.command.uninstall_foreground(self.name, self.namespace, self.timeout)
        except errors.ReleaseNotFoundError:
            return  # somebody else's uninstall ended first
        if wait:
            try:
                wait_until_gone(
                    self.command.kubeconfig, found.get("manifest", ""), self.namespace, self.timeout
                )
            except ClusterError as error:
                raise HelmError(str(error)) from None

    async def _cure(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """Free a release that a killed Helm left half-way, and return its latest revision."""
        while found and _is_pending(found) and _age(found) < LIVE_SECONDS:
            await asyncio.sleep(1)
            found = await self.read()
        status = found["info"]["status"] if found else ""
        if found and status in ("pending-install", "uninstalling"):
            await self._uninstall(found)
            return None
        if found and status in ("pending-upgrade", "pending-rollback"):
            if not await self._roll_back():
                self._give_up(found)
            return await self.read()
        if found and status == "unknown":
            self._give_up(found)
            return await self.read()
        return found

    async def _roll_back(self) -> bool:
        """Go back to the last revision that was whole; tell whether that was possible."""
        history = await self.command.history(self.name, namespace=self.namespace)
        revisions: dict[str, int] = {item["status"]: item["revision"] for item in history}
        # Without a deployed revision the first install had failed; go on from that one.
        order = ("deployed", "superseded", "failed")
        best = next((revisions[name] for name in order if name in revisions), None)
        if best is None:
            return False
        try:
            await self.command.rollback(self.name, best, namespace=self.namespace, timeout=f"{self.timeout}s")
        except HelmError:
            # What was whole once is refused now (a volume that has grown since, for one).
            return False
        return True

    def _give_up(self, found: Mapping[str, Any]) -> None:
        """Mark the revision as failed where Helm keeps it: from there Helm itself goes on. Raises HelmError.

        Nothing that runs is touched, so the volume stays too.
        """
        secrets = f"/api/v1/namespaces/{self.namespace}/secrets"
        path = f"{secrets}/sh.helm.release.v1.{self.name}.v{found['version']}"
        try:
            with connect(self.command.kubeconfig) as cluster:
                secret = cluster.get(path)
                if secret is None:
                    return  # somebody else's change has dropped it
                release = unpack(secret)
                release["info"]["status"] = "failed"
                change = {"metadata": {"labels": {"status": "failed"}}, "data": {"release": pack(release)}}
                cluster.patch(path, change)
        except ClusterError as error:
            raise HelmError(str(error)) from None


def _is_pending(found: Mapping[str, Any]) -> bool:
    return found["info"]["status"].startswith("pending-")


def _age(found: Mapping[str, Any]) -> float:
    """Seconds since Helm began with this revision."""
    # Go writes nanoseconds, Python reads microseconds.
    text = re.sub(r"(\.\d{6})\d+", r"\1", found["info"]["last_deployed"])
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()


def _same(found: Mapping[str, Any], chart: Chart, values: dict[str, Any]) -> bool:
    info = found["info"]
    return (
        info["status"] == "deployed"
        and info.get("description") == chart.mark
        and _without_nulls(found.get("config") or {}) == _without_nulls(json.loads(json.dumps(values)))
    )


def _without_nulls(value: Any) -> Any:
    """Drop null entries: Helm takes them for "not given" and does not keep them all."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
