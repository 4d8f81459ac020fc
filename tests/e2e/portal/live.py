"""Applications that print, for the tests of logs and shells: the portal's image has a shell and Python."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.portal import Portal

# Stays, and hears a signal at once: a shell hears none while it runs something in the foreground.
STAY = "sleep 9999 & wait"
# Answers its startup probe while the rest of the script runs. A container's first process ends at SIGTERM
# only if it says so; with all others the cluster waits for 30 seconds.
_SERVE = "trap 'exit 0' TERM; python3 -m http.server 8080 >/dev/null 2>&1 & "


def printing(image: str, script: str, **changes: Any) -> dict[str, Any]:
    """Return the settings of an application that runs a script of /bin/sh."""
    return {
        "image": image,
        "command": ["sh", "-c", _SERVE + script],
        "ports": [{"targetPort": 8080}],
        "runAsUser": 10001,
        "resources": {
            "requests": {"cpu": "20m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        **changes,
    }


def create(portal: Portal, project: str, name: str, settings: dict[str, Any]) -> None:
    """Create an application and wait until it is ready."""
    made = portal.submit("POST", f"/api/v1/projects/{project}/applications", {"name": name, **settings})
    assert made.job["state"] == "succeeded", made.text()


@contextmanager
def project_of(portal: Portal, name: str, **settings: Any) -> Iterator[str]:
    """Make a project, and remove it at the end whatever happened."""
    made = portal.submit("POST", "/api/v1/projects", {"name": name, **settings})
    assert made.job["state"] == "succeeded", made.text()
    try:
        yield name
    finally:
        gone = portal.submit("DELETE", f"/api/v1/projects/{name}")
        assert gone.job["state"] == "succeeded", gone.text()


def lines_of(
    portal: Portal, path: str, last: str = "", seconds: float = 60
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the lines of a log's stream, each with the id of the event that it came in."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    with portal.http.stream("GET", path, headers=headers, timeout=seconds) as stream:
        assert stream.status_code == 200, stream.read()
        for line in stream.iter_lines():
            if line.startswith("id:"):
                last = line[3:].strip()
            elif line.startswith("data:"):
                for item in json.loads(line[5:]).get("items", []):
                    yield item, last
