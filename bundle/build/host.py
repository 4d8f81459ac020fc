"""What this machine has: disk, Go, Debian mirrors, certificate authorities. Detected, never asked for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle.build import process
from bundle.build.errors import BuildError

_CA_FILES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))


def existing_parent(path: Path) -> Path:
    """`path` itself or its nearest folder that exists."""
    while not path.exists():
        path = path.parent
    return path


def check_disk(needs: Mapping[Path, int]) -> None:
    """Refuse when a disk has not got the megabytes asked of it.

    `needs` maps folders (which need not exist yet) to MB; folders on the same disk are added up.
    Raises BuildError with the needed and the free figure.
    """
    by_disk: dict[int, tuple[Path, int]] = {}
    for folder, megabytes in needs.items():
        there = existing_parent(folder)
        first, total = by_disk.get(there.stat().st_dev, (there, 0))
        by_disk[there.stat().st_dev] = (first, total + megabytes)
    for folder, megabytes in by_disk.values():
        free = shutil.disk_usage(folder).free // 1_000_000
        if free < megabytes:
            raise BuildError(
                f"the disk of {folder} has {free / 1000:.1f} GB free; the bundle needs "
                f"{megabytes / 1000:.1f} GB. "
                "Free some space, or set CROFT_CACHE to a folder on a larger disk"
            )


def go_version(text: str) -> tuple[int, ...]:
    """The numbers in `go version`'s output or in a go.mod's `go` line: "go1.26.8" gives (1, 26, 8)."""
    match = re.search(r"\bgo ?(\d+(?:\.\d+)*)", text)
    if match is None:
        raise BuildError(f"cannot read a Go version from {text!r}")
    return tuple(int(number) for number in match[1].split("."))


def required_go(go_folder: Path) -> tuple[int, ...]:
    """The highest `go` line of all groups' go.mod files."""
    texts = [mod.read_text(encoding="utf-8") for mod in go_folder.glob("*/go.mod")]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("go ")]
    return max(go_version(line) for line in lines)


def go_on_path(minimum: tuple[int, ...]) -> Path | None:
    """The PATH's go when it is at least `minimum`, else None."""
    found = shutil.which("go")
    if found is None:
        return None
    version = go_version(process.output([found, "version"], env={"GOTOOLCHAIN": "local"}))
    return Path(found) if version >= minimum else None


@dataclass(frozen=True)
class DebianSource:
    """Where Debian packages come from; None stands for debootstrap's own default."""

    archive: str | None
    security: str | None


def debian_source() -> DebianSource:
    """The mirrors of the host's own apt configuration, where the host is a Debian that has some."""
    if shutil.which("apt-get") is None:
        return DebianSource(None, None)
    text = process.output(
        ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"],
    )
    return parse_index_targets(text)


def parse_index_targets(text: str) -> DebianSource:
    """Pick Debian's archive and security mirrors from lines of "<label> <uri>"."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, _, uri = line.partition(" ")
        if uri.startswith(("http://", "https://")):
            found.setdefault(label, uri.rstrip("/"))
    return DebianSource(found.get("Debian"), found.get("Debian-Security"))


def has_package(name: str) -> bool:
    """Whether a Debian package is installed; on other systems the operator is trusted to have its like."""
    if shutil.which("dpkg-query") is None:
        return True
    query = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", name]
    return process.succeeds(query) and process.output(query) == "installed"


def apt_proxy() -> dict[str, str]:
    """The host's proxy for apt as environment variables, for debootstrap and for apt inside image builds."""
    if shutil.which("apt-config") is None:
        return {}
    text = process.output(["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"])
    return {"http_proxy": text} if text and text != "DIRECT" else {}


def ca_file() -> Path | None:
    """The host's certificate authorities: an image has none of its own while it is built."""
    named = os.environ.get("SSL_CERT_FILE")
    candidates = ([Path(named)] if named else []) + list(_CA_FILES)
    return next((path for path in candidates if path.is_file()), None)
