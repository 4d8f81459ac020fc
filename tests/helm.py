"""Where the tests find the bundle's helm."""

import os
from pathlib import Path


def helm_binary() -> str:
    """Return the path of the helm binary: CROFT_HELM, or the newest finished bundle's."""
    given = os.environ.get("CROFT_HELM")
    if given:
        assert Path(given).is_file(), f"CROFT_HELM names {given}, which is not there"
        return given
    cache = Path(os.environ.get("CROFT_CACHE", "~/.cache/croft")).expanduser()
    found = sorted(cache.glob("bundles/*/bin/helm"), key=lambda path: path.stat().st_mtime)
    assert found, f"no helm in {cache}/bundles: run `make bundle` first, or set CROFT_HELM"
    return str(found[-1])
