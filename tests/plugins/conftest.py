"""A cluster and a helm that answer what a test states."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils.cluster import Cluster
from tests.charts.conftest import render

__all__ = ["render"]

Json = dict[str, Any]


class StatedCluster(Cluster):
    """A cluster that holds the objects given by API path; a list is filtered by nothing."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects
        self.deleted: list[str] = []

    def get(self, path: str, **query: str) -> Json | None:
        found = self.objects.get(path)
        return {"items": found} if isinstance(found, list) else found

    def text(self, path: str, **query: str) -> str:
        return str(self.objects.get(path, ""))

    def delete(self, path: str) -> None:
        self.deleted.append(path)


# Stands where helm would: writes down each call, and keeps one release in a file.
_HELM = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
state = folder / "release.json"
call = {{"argv": sys.argv[1:], "environment": dict(os.environ), "stdin": sys.stdin.read()}}
with (folder / "calls.jsonl").open("a") as log:
    log.write(json.dumps(call) + "\\n")
verb, LONG_AGO = sys.argv[1], "2020-01-01T00:00:00.123456789Z"
release = json.loads(state.read_text()) if state.exists() else None
if (folder / "error").exists():
    sys.exit((folder / "error").read_text())
if "--dry-run=server" in sys.argv:
    manifest = json.dumps({{"kind": "One", "metadata": {{"name": "web"}}, "spec": json.loads(call["stdin"])}})
    print(manifest if verb == "template" else json.dumps({{"manifest": manifest}}))
elif verb == "history":
    print((folder / "history.json").read_text())
elif release is None and verb != "upgrade":
    sys.exit("Error: release: not found")
elif verb == "status":
    print(json.dumps(release))
elif verb == "rollback":
    release["info"]["status"], release["version"] = "deployed", release["version"] + 1
    state.write_text(json.dumps(release))
elif verb == "uninstall":
    state.unlink()
elif verb == "upgrade":
    description = sys.argv[sys.argv.index("--description") + 1]
    release = {{
        "info": {{"status": "deployed", "description": description, "last_deployed": LONG_AGO}},
        "config": json.loads(call["stdin"]),
        "version": (release or {{"version": 0}})["version"] + 1,
    }}
    state.write_text(json.dumps(release))
    print(json.dumps(release))
"""


class StatedHelm:
    """A helm binary that answers from files; `calls` is what it was asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "helm"
        self.path.write_text(_HELM.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[Json]:
        log = self._folder / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def verbs(self) -> list[str]:
        """The commands that were run, in order."""
        return [call["argv"][0] for call in self.calls]

    def forget(self) -> None:
        """Empty the list of calls."""
        (self._folder / "calls.jsonl").unlink(missing_ok=True)

    def set_status(self, status: str, deployed: str = "2020-01-01T00:00:00.123456789Z") -> None:
        """Leave the release behind in another status, begun at the time `deployed`."""
        file = self._folder / "release.json"
        release = json.loads(file.read_text())
        release["info"] |= {"status": status, "last_deployed": deployed}
        file.write_text(json.dumps(release))

    def set_history(self, *revisions: tuple[int, str]) -> None:
        """State the revisions of the release with their statuses."""
        (self._folder / "history.json").write_text(
            json.dumps([{"revision": number, "status": status} for number, status in revisions])
        )

    def fail(self, text: str) -> None:
        """Let every command fail with this text."""
        (self._folder / "error").write_text(text)


@pytest.fixture
def helm(tmp_path: Path) -> StatedHelm:
    """A helm without a release."""
    folder = tmp_path / "helm"
    folder.mkdir()
    return StatedHelm(folder)
