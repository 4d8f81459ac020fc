"""Helm releases: made, changed, cured and removed through pyhelm3 and the `helm` binary.

pyhelm3 0.5.8 builds shell lines, logs them and puts tokens on the command line. `HelmCommand` runs the binary
directly instead: the cluster is named by KUBECONFIG in the environment, values travel on standard input, and
nothing is logged.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pyhelm3 import errors
from pyhelm3.command import Command

# A release that has been pending for less than this may be the work of a Helm that is still alive, started by
# somebody else a moment ago; older ones were left by a Helm that was killed.
LIVE_SECONDS = 15
_MESSAGE_LIMIT = 1500


class HelmError(Exception):
    """A release could not be made, changed or removed; the text is a sentence fit for the user."""


class HelmCommand(Command):
    """pyhelm3's commands, executed without a shell.

    `kubeconfig` is a path, or "" for the service account of the pod; `secrets` are texts that must never show
    up in an error.
    """

    def __init__(
        self, executable: str, kubeconfig: str, limit: int, secrets: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(executable=executable, default_timeout=f"{limit}s")
        self._limit = limit
        self._secrets = secrets
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
        if kubeconfig:
            self._environment["KUBECONFIG"] = kubeconfig

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:
        """Run `helm` with these arguments and return its standard output.

        Raises pyhelm3's ReleaseNotFoundError when there is no such release, else HelmError.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                self._executable,
                *map(str, command),
                stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
            )
        except OSError as error:
            raise HelmError(
                f"cannot run '{self._executable}': {error.strerror}; set croft_helm to the helm binary's path"
            ) from error
        try:
            # Helm's own --timeout covers its waiting; this covers an API server that never answers.
            stdout, stderr = await asyncio.wait_for(process.communicate(input), timeout=self._limit + 60)
        except TimeoutError:
            raise HelmError(f"'helm {command[0]}' did not end within {self._limit + 60} s") from None
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.wait()
        if process.returncode == 0:
            return stdout
        text = stderr.decode(errors="replace")
        if "release: not found" in text:
            raise errors.ReleaseNotFoundError(process.returncode or 1, b"", b"release: not found")
        raise HelmError(self._readable(text))

    def _readable(self, text: str) -> str:
        """Shorten Helm's standard error to the sentences that matter, without secrets."""
        noise = re.compile(r"\s*$|level=|WARNING|[IW]\d{4} ")
        lines = [line for line in text.splitlines() if not noise.match(line)]
        message = re.sub(r"^Error: ((INSTALLATION|UPGRADE|UNINSTALLATION) FAILED: )?", "", "\n".join(lines))
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return message[:_MESSAGE_LIMIT] or "helm failed and said nothing"

    async def uninstall_foreground(self, release: str, namespace: str, timeout: int, *, wait: bool) -> None:
        """Uninstall, and with `wait` stay until the objects and what hangs below them are gone.

        pyhelm3 has no --cascade; without `foreground`, `--wait` returns while pods are still there.
        """
        options = ["--namespace", namespace, "--cascade", "foreground", "--timeout", f"{timeout}s"]
        options += ["--wait"] if wait else []
        await self.run(["uninstall", release, *options])


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


@dataclass(frozen=True)
class Release:
    """One Helm release, by name and namespace."""

    command: HelmCommand
    name: str
    namespace: str
    timeout: int

    async def read(self) -> dict[str, Any] | None:
        """Return the latest revision (`info`, `config`, `version`), or None when there is no release."""
        try:
            found: dict[str, Any] = await self.command.status(self.name, namespace=self.namespace)
        except errors.ReleaseNotFoundError:
            return None
        return None if found["info"]["status"] == "uninstalled" else found

    async def deploy(
        self, chart: Chart, values: dict[str, Any], *, create_namespace: bool, wait: bool, check: bool
    ) -> Outcome:
        """Bring the release to this chart and these values; do nothing when it is there already.

        With `check`, only tell what would be done. Raises HelmError.
        """
        found = await self.read() if check else await self._cure(await self.read())
        if found and _same(found, chart, values):
            return Outcome(False, "deployed", found["version"])
        if check:
            return Outcome(True, *(found["info"]["status"], found["version"]) if found else ("absent", None))
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
        return Outcome(True, made["info"]["status"], made["version"])

    async def remove(self, *, wait: bool, check: bool) -> Outcome:
        """Uninstall the release, if there is one, and with `wait` stay until its objects are gone.

        Raises HelmError.
        """
        if await self.read() is None:
            return Outcome(False, "absent", None)
        if not check:
            await self._uninstall(wait=wait)
        return Outcome(True, "absent", None)

    async def _uninstall(self, *, wait: bool = True) -> None:
        try:
            await self.command.uninstall_foreground(self.name, self.namespace, self.timeout, wait=wait)
        except errors.ReleaseNotFoundError:
            return  # somebody else's uninstall ended first

    async def _cure(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """Free a release that a killed Helm left half-way, and return its latest revision."""
        while found and _is_pending(found) and _age(found) < LIVE_SECONDS:
            await asyncio.sleep(1)
            found = await self.read()
        status = found["info"]["status"] if found else ""
        if status in ("pending-install", "uninstalling"):
            await self._uninstall()
            return None
        if status in ("pending-upgrade", "pending-rollback"):
            history = await self.command.history(self.name, namespace=self.namespace)
            revisions: dict[str, int] = {item["status"]: item["revision"] for item in history}
            # Without a deployed revision the first install had failed; go on from that one.
            order = ("deployed", "superseded", "failed")
            best = next((revisions[name] for name in order if name in revisions), None)
            if best is None:
                raise HelmError(f"release '{self.name}' is {status} and has no earlier revision; delete it")
            await self.command.rollback(self.name, best, namespace=self.namespace, timeout=f"{self.timeout}s")
            return await self.read()
        return found


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


def secret_texts(values: Any, *, inside: bool = False) -> frozenset[str]:
    """Collect the texts below keys like `secrets` or `password`, plain and in base64, to hide in errors."""
    if isinstance(values, dict):
        parts = [
            secret_texts(item, inside=inside or bool(re.search(r"secret|password|token", key, re.IGNORECASE)))
            for key, item in values.items()
        ]
    elif isinstance(values, list):
        parts = [secret_texts(item, inside=inside) for item in values]
    elif inside and isinstance(values, str) and len(values) >= 4:
        parts = [frozenset({values, base64.b64encode(values.encode()).decode()})]
    else:
        parts = []
    return frozenset().union(*parts)
