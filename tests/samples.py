"""Requests that several tests send."""

from typing import Any


def small_application(image: str, **changes: Any) -> dict[str, Any]:
    """Return the settings of the smallest application that answers HTTP; `image` is the bundle's agnhost."""
    return {
        "image": image,
        "args": ["netexec", "--http-port=8080"],
        "ports": [{"targetPort": 8080}],
        "healthPath": "/healthz",
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "200m", "memory": "64Mi"},
        },
        **changes,
    }
