"""Where the builder reads and writes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def default_cache() -> Path:
    """CROFT_CACHE, else ~/.cache/croft."""
    override = os.environ.get("CROFT_CACHE")
    if override:
        return Path(override).expanduser().absolute()
    return Path.home() / ".cache" / "croft"


@dataclass(frozen=True)
class Settings:
    """Folders, and the mirrors that stand in for official hosts ({"dl.k8s.io": "https://mirror/k8s"})."""

    cache: Path = field(default_factory=default_cache)
    repository: Path = REPOSITORY
    mirrors: dict[str, str] = field(default_factory=dict)

    @property
    def bundles(self) -> Path:
        return self.cache / "bundles"

    @property
    def steps(self) -> Path:
        """Outputs of finished steps, shared by all bundles (hard links: a file is on the disk once)."""
        return self.cache / "steps"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"

    @property
    def go_build(self) -> Path:
        return self.cache / "go" / "build"

    @property
    def go_mod(self) -> Path:
        return self.cache / "go" / "mod"

    @property
    def definitions(self) -> Path:
        return self.repository / "bundle"
