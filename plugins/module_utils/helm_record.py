"""What Helm keeps of a release: a Secret for each revision."""

import base64
import gzip
import json
from typing import Any


def unpack(secret: dict[str, Any]) -> dict[str, Any]:
    """Return the release that a Secret of Helm's holds. Raises KeyError, ValueError or OSError for one that
    is none.

    Format: https://github.com/helm/helm/blob/main/pkg/storage/driver/util.go (base64 of gzipped JSON).
    """
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    release: dict[str, Any] = json.loads(gzip.decompress(packed))
    return release
