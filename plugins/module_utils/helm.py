"""The `helm` binary, run through pyhelm3's commands.

pyhelm3 0.5.8 builds shell lines, logs them and puts tokens on the command line. `HelmCommand` runs the binary
directly instead: the cluster is named by KUBECONFIG in the environment, values travel on standard input, and
nothing is logged.
"""

import asyncio
import base64
import json
import os
import re
import signal
from typing import Any

from pyhelm3 import errors
from pyhelm3.command import Command

_MESSAGE_LIMIT = 1500


class HelmError(Exception):
    """A release could not be made, changed or removed; the text is a sentence fit for the user."""


class HelmCommand(Command):
    """pyhelm3's commands, executed without a shell.

    `kubeconfig` is a path, or "" for the service account of the pod; `secrets` are texts that must never show
    up in an error. Without `validate` Helm does not compare a chart with the cluster's OpenAPI document
    before it releases it, which takes as long as all the rest; what is wrong, the API server refuses itself.
    """

    def __init__(
        self,
        executable: str,
        kubeconfig: str,
        limit: int,
        secrets: frozenset[str] = frozenset(),
        *,
        validate: bool = True,
    ) -> None:
        super().__init__(executable=executable, default_timeout=f"{limit}s")
        self.kubeconfig = kubeconfig
        self._limit = limit
        self._secrets = secrets
        # pyhelm3's own option for it (disable_validation) adds each of its letters as an argument.
        self._upgrade_options = () if validate else ("--disable-openapi-validation",)
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
        # Helm lives for a second: collecting its garbage this rarely saves a fifth of its work, for 20 MB.
        self._environment.setdefault("GOGC", "400")
        if kubeconfig:
            self._environment["KUBECONFIG"] = kubeconfig

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:
        """Run `helm` with these arguments and return its standard output.

        Raises pyhelm3's ReleaseNotFoundError when there is no such release, else HelmError.
        """
        options = self._upgrade_options if command[0] == "upgrade" else ()
        try:
            process = await asyncio.create_subprocess_exec(
                self._executable,
                *map(str, command),
                *options,
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

    async def render(
        self, release: str, chart: Any, values: dict[str, Any], namespace: str, *, pending: bool
    ) -> str:
        """Return the manifest that a release would get, as the cluster's API server was asked about it.

        Helm refuses to upgrade a release that is `pending`, even for show; then the chart alone is rendered.
        """
        options = ["--namespace", namespace, "--dry-run=server", "--values", "-"]
        given = json.dumps(values).encode()
        if pending:
            return (await self.run(["template", release, chart, *options], given)).decode()
        found = await self.run(["upgrade", "--install", release, chart, "--output", "json", *options], given)
        manifest: str = json.loads(found)["manifest"]
        return manifest

    def _readable(self, text: str) -> str:
        """Shorten Helm's standard error to the sentences that matter, without secrets."""
        noise = re.compile(r"\s*$|level=|WARNING|[IW]\d{4} ")
        lines = [line for line in text.splitlines() if not noise.match(line)]
        message = re.sub(r"^Error: ((INSTALLATION|UPGRADE|UNINSTALLATION) FAILED: )?", "", "\n".join(lines))
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return message[:_MESSAGE_LIMIT] or "helm failed and said nothing"

    async def uninstall_foreground(self, release: str, namespace: str, timeout: int) -> None:
        """Uninstall, so that each object stays until what hangs below it is gone; does not wait for that.

        pyhelm3 has no --cascade. Helm's own --wait is of no use here: it returns while the objects still end.
        """
        options = ["--namespace", namespace, "--cascade", "foreground", "--timeout", f"{timeout}s"]
        await self.run(["uninstall", release, *options])


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
