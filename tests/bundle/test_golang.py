"""Compiling a group: as its modules are, or with its own changes to one of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundle.build.errors import BuildError
from bundle.build.golang import GoToolchain
from bundle.build.lock import GoBuild, Lock
from bundle.build.settings import Settings

BUILD = GoBuild(group="g", module="example.org/m", commands={"tool": "example.org/m/cmd/said"})
PATCH = """Why it is needed.

--- a/word.txt
+++ b/word.txt
@@ -1,3 +1,3 @@
 one
-two
+three
 end
"""
# Stands in for Go: "compiles" the word that it finds where Go would find the module.
GO = """#!/bin/sh
case "$1" in
version) echo go version go1.99.0 linux/amd64 ;;
mod) echo "{{\\"Dir\\": \\"{module}\\"}}" ;;
build)
    while [ "$1" != -o ]; do shift; done
    module={module}
    if grep -q 'replace example.org/m => ./module' go.mod; then module=module; fi
    test -f go.sum && cp "$module/word.txt" "$2/said"
    ;;
esac
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "mod" / "m@v1.0.0"
    folder.mkdir(parents=True)
    (folder / "word.txt").write_text("one\ntwo\nend\n")
    (folder / "word.txt").chmod(0o444)
    return folder


@pytest.fixture
def group(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout" / "bundle" / "go" / "g"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module croft.dev/bundle/g\n\ngo 1.26.4\n\nrequire example.org/m v1.0.0\n")
    (folder / "go.sum").write_text("example.org/m v1.0.0 h1:x\n")
    return folder


@pytest.fixture
def toolchain(
    tmp_path: Path, module: Path, group: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> GoToolchain:
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(GO.format(module=module))
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}{os.pathsep}{os.environ['PATH']}")
    return GoToolchain(Settings(cache=tmp_path / "cache", repository=group.parents[2]), lock)


def compiled(toolchain: GoToolchain, tmp_path: Path, log: Path) -> str:
    """What the command says; it must be all that is in the step's output."""
    out = tmp_path / "out"
    out.mkdir()
    toolchain.compile(BUILD, out, log)
    assert [path.name for path in out.iterdir()] == ["tool"]
    return (out / "tool").read_text()


def test_a_module_is_compiled_as_it_is(toolchain: GoToolchain, tmp_path: Path, log: Path) -> None:
    assert compiled(toolchain, tmp_path, log) == "one\ntwo\nend\n"


def test_a_groups_patch_changes_a_copy_of_the_module(
    toolchain: GoToolchain, group: Path, module: Path, tmp_path: Path, log: Path
) -> None:
    (group / "module.patch").write_text(PATCH)
    assert compiled(toolchain, tmp_path, log) == "one\nthree\nend\n"
    assert (module / "word.txt").read_text() == "one\ntwo\nend\n"
    assert "replace" not in (group / "go.mod").read_text()


def test_a_patch_that_does_not_fit_ends_the_step(
    toolchain: GoToolchain, group: Path, module: Path, tmp_path: Path, log: Path
) -> None:
    (group / "module.patch").write_text(PATCH)
    (module / "word.txt").chmod(0o644)
    (module / "word.txt").write_text("one\nsomething else\nend\n")
    with pytest.raises(BuildError, match=r"(?s)patch.*FAILED"):
        compiled(toolchain, tmp_path, log)
