"""Where the tests find what the bundle brings."""

import os
from pathlib import Path


def bundled(name: str) -> Path:
    """Return the path of a binary of the newest finished bundle.

    Bundles share files (hard links), so that a file's own time does not tell which bundle is the newest.
    """
    cache = Path(os.environ.get("CROFT_CACHE", "~/.cache/croft")).expanduser()
    manifests = sorted(cache.glob("bundles/*/manifest.json"), key=lambda path: path.stat().st_mtime)
    found = [path for path in (one.parent / "bin" / name for one in manifests) if path.is_file()]
    assert found, f"no {name} in {cache}/bundles: run `make bundle` first"
    return found[-1]
