"""Content keys: a step or a bundle is done again exactly when something that it is made of changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

KEY_LENGTH = 16


def key_of(*parts: object) -> str:
    """The first 16 hex digits of the SHA-256 of the parts' texts; their borders count."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:KEY_LENGTH]


def key_of_files(paths: Iterable[Path], root: Path) -> str:
    """Key over names (relative to `root`), modes and contents of files, and of all files in folders."""
    parts: list[object] = []
    for path in sorted({file for given in paths for file in _files(given)}):
        parts += [path.relative_to(root), bool(path.stat().st_mode & 0o100), path.read_bytes()]
    return key_of(*parts)


def _files(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return [path]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
