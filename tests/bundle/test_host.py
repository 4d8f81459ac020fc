"""What the builder finds out about the machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bundle.build import host
from bundle.build.errors import BuildError


def test_refuses_when_the_disk_will_not_do(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free // 1_000_000
    with pytest.raises(BuildError) as caught:
        host.check_disk({tmp_path / "not" / "there": free, tmp_path: 5_000})
    message = str(caught.value)
    assert f"the disk of {tmp_path} has " in message
    assert " GB free; the bundle needs " in message
    assert f"needs {(free + 5_000) / 1000:.1f} GB" in message
    assert "CROFT_CACHE" in message


def test_accepts_a_disk_with_room(tmp_path: Path) -> None:
    host.check_disk({tmp_path / "not" / "there": 1})


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go 1.26.4", (1, 26, 4)),
        ("go version go1.27 linux/arm64", (1, 27)),
    ],
)
def test_reads_go_versions(text: str, version: tuple[int, ...]) -> None:
    assert host.go_version(text) == version


def test_a_go_that_tells_no_version_is_refused() -> None:
    with pytest.raises(BuildError, match="cannot read a Go version"):
        host.go_version("gopher")


def fake_go(folder: Path, version: str) -> None:
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    go.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "good"), [("1.26.3", False), ("1.26.4", True), ("1.27.0", True), ("1.9.9", False)]
)
def test_takes_the_go_on_the_path_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, good: bool
) -> None:
    fake_go(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert host.go_on_path((1, 26, 4)) == (tmp_path / "go" if good else None)


def test_no_go_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.go_on_path((1, 26)) is None


def test_the_newest_go_that_a_group_wants(tmp_path: Path) -> None:
    for group, line in (("a", "go 1.26.2"), ("b", "go 1.26.10"), ("c", "go 1.9")):
        (tmp_path / group).mkdir()
        (tmp_path / group / "go.mod").write_text(f"module x\n\n{line}\n")
    assert host.required_go(tmp_path) == (1, 26, 10)


def test_takes_debian_mirrors_from_apt_and_nothing_else() -> None:
    text = (
        "Node Source https://node.example.org/\n"
        "Ubuntu http://ubuntu.example.org/ubuntu/\n"
        "Debian mirror+file:/etc/apt/mirrors/debian.list\n"
        "Debian http://one.example.org/debian/\n"
        "Debian http://two.example.org/debian/\n"
        "Debian-Security http://one.example.org/debian-security/\n"
    )
    assert host.parse_index_targets(text) == host.DebianSource(
        "http://one.example.org/debian", "http://one.example.org/debian-security"
    )
    assert host.parse_index_targets("Ubuntu http://ubuntu.example.org/ubuntu/") == host.DebianSource(
        None, None
    )


def test_packages_that_are_and_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = tmp_path / "dpkg-query"
    query.write_text(
        '#!/bin/sh\ncase "$4" in gcc) printf installed;; removed) printf config-files;; *) exit 1;; esac\n'
    )
    query.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert host.has_package("gcc")
    assert not host.has_package("removed")
    assert not host.has_package("never-heard-of")
