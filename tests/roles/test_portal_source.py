"""The portal's image is named by what it holds."""

import importlib.util
import shutil
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.playbook import ROOT


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """The role's script, as a module."""
    spec = importlib.util.spec_from_file_location("source", ROOT / "roles/portal/files/source.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(source: ModuleType, tmp_path: Path) -> Path:
    """A small checkout with something at every path that the image takes."""
    for name in source.TAKEN:
        path = tmp_path / "checkout" / name
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        else:
            path.mkdir(parents=True)
            (path / "file").write_text(name)
    return tmp_path / "checkout"


def name_of(
    source: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str], base: str = "base:1"
) -> str:
    source.main(str(checkout), base, str(checkout.parent / "out"))
    return capsys.readouterr().out.strip()


def test_same_content_same_name(
    source: ModuleType, checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = name_of(source, checkout, capsys)
    shutil.copytree(checkout, tmp_path / "elsewhere")
    (tmp_path / "elsewhere/webapp/__pycache__").mkdir()
    (tmp_path / "elsewhere/webapp/__pycache__/x.pyc").write_bytes(b"x")
    assert name_of(source, tmp_path / "elsewhere", capsys) == first


def test_any_change_gives_another_name(
    source: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {name_of(source, checkout, capsys), name_of(source, checkout, capsys, base="base:2")}
    (checkout / "webapp/file").write_text("changed")
    names.add(name_of(source, checkout, capsys))
    (checkout / "plugins/file").chmod(0o755)
    names.add(name_of(source, checkout, capsys))
    assert len(names) == 4


def test_archive_holds_the_files_and_nothing_of_the_developer(
    source: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "webapp/dev.py").write_text("for developers")
    (checkout / ".croft").mkdir()
    (checkout / ".croft/kubeconfig").write_text("secret")
    name = name_of(source, checkout, capsys)
    with tarfile.open(checkout.parent / "out" / f"{name}.tar") as archive:
        names = archive.getnames()
    assert "webapp/file" in names
    assert "ansible.cfg" in names
    assert not [entry for entry in names if "dev.py" in entry or ".croft" in entry]


def test_missing_folder_is_named(source: ModuleType, checkout: Path) -> None:
    shutil.rmtree(checkout / "migrations")
    with pytest.raises(FileNotFoundError, match="migrations is missing"):
        source.pack(checkout)


def test_the_operator_s_catalog_takes_the_place_of_the_checkout_s(
    source: ModuleType, checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/catalog.yml").write_text("entries: []")
    out = tmp_path / "out"
    source.main(str(checkout), "base:1", str(out), str(tmp_path / "own"))
    name = capsys.readouterr().out.strip()
    assert name != name_of(source, checkout, capsys)
    with tarfile.open(out / f"{name}.tar") as archive:
        held = [entry.name for entry in archive if entry.name.startswith("charts/catalog")]
    assert held == ["charts/catalog/catalog.yml"]
