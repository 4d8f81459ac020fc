"""Where the tests find the bundle's helm."""

import os
from pathlib import Path

from tests.bundles import bundled


def helm_binary() -> str:
    """Return the path of the helm binary: CROFT_HELM, or the newest finished bundle's."""
    given = os.environ.get("CROFT_HELM")
    if given:
        assert Path(given).is_file(), f"CROFT_HELM names {given}, which is not there"
        return given
    return str(bundled("helm"))
