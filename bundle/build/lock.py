"""bundle/lock.yml as validated objects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bundle.build.errors import BuildError

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9-]*)(#v)?\}")
_SHA256 = r"^[0-9a-f]{64}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoBuild(_Strict):
    """How a component's commands are compiled: all in one `go build` of one pinned module group."""

    group: str
    module: str
    commands: dict[str, str]
    ldflags: list[str] = []
    tags: list[str] = []
    cgo: bool = False


class Wheel(_Strict):
    """A wheel that holds a binary, pinned by its hash."""

    package: str
    version: str
    sha256: Annotated[str, Field(pattern=_SHA256)]


class Component(_Strict):
    version: str
    go: GoBuild | None = None
    wheel: Wheel | None = None
    packages: list[str] = []
    seconds: int = 5
    disk_mb: int = 50


class Image(_Strict):
    """One image archive. See the comments in lock.yml for the fields."""

    name: str
    files: dict[str, str] = {}
    archive: str | None = None
    used_by: Annotated[str, Field(pattern="^(nodes|host)$")] = "nodes"
    base: bool = False
    local: bool = False
    upstream_only: bool = False
    seconds: int = 5
    disk_mb: int = 250


class Checksum(_Strict):
    url: str
    format: Annotated[str, Field(pattern="^(plain|sums|helm-index)$")]


class Release(_Strict):
    """One official file: `put` maps paths in the bundle to paths in the archive ("" for the file itself)."""

    url: str
    put: dict[str, str]
    checksum: Checksum | None = None
    sha256: Annotated[str, Field(pattern=_SHA256)] | None = None

    @model_validator(mode="after")
    def _one_check(self) -> Release:
        if (self.checksum is None) == (self.sha256 is None):
            raise ValueError(f"{self.url} needs either a published checksum or a sha256")
        return self


class Upstream(_Strict):
    probe: str
    files: list[Release]


class Lock(_Strict):
    platform: str
    python: str
    components: dict[str, Component]
    bundle: dict[str, list[str]]
    browser: dict[str, str]
    images: dict[str, Image]
    upstream: Upstream

    def fill(self, text: str) -> str:
        """Replace {component} and {component#v} in `text` by versions; BuildError for an unknown one."""

        def version(match: re.Match[str]) -> str:
            component = self.components.get(match[1])
            if component is None:
                raise BuildError(f"bundle/lock.yml: {match[0]} in {text!r} names no component")
            return component.version.removeprefix("v") if match[2] else component.version

        return _PLACEHOLDER.sub(version, text)


def load(path: Path) -> Lock:
    """Read and validate the lock file. Raises BuildError that names the place of each mistake."""
    try:
        return Lock.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise BuildError(f"{path} is not a valid lock file: {error}") from error
