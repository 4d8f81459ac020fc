"""Files that browsers get and that are not ours: the bundle brings them (its group "browser").

In the portal's image they are in /usr/share/croft/browser; on a developer's machine CROFT_BROWSER_FILES names
the bundle's folder. The portal works without them: what needs one says so.
"""

from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, abort, send_from_directory, url_for

_YEAR_S = 31_536_000


class BrowserFiles:
    """The files in one folder, each served under an address that changes with its content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions = {
            path.name: sha256(path.read_bytes()).hexdigest()[:12]
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.is_file()
        }

    def has(self, name: str) -> bool:
        """Tell whether the file is there."""
        return name in self._versions

    def address(self, name: str) -> str:
        """Return the address of a file; empty when it is not there."""
        if name not in self._versions:
            return ""
        return url_for("browser_file", version=self._versions[name], name=name)


def init_app(app: Flask, folder: Path) -> None:
    """Serve the files; templates find them by `browser_file(name)`."""
    files = BrowserFiles(folder)
    app.extensions["croft_browser_files"] = files

    @app.get("/assets/browser/<version>/<name>", endpoint="browser_file")
    def send_browser_file(version: str, name: str) -> Response:
        if not files.has(name):
            abort(404)
        return send_from_directory(files.folder, name, max_age=_YEAR_S)

    app.jinja_env.globals["browser_file"] = files.address
