"""A bundle appears complete or not at all, and is found again by its key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bundle.build import builder as builder_module
from bundle.build import host
from bundle.build.builder import Builder
from bundle.build.bundle import bundle_key, damaged_files, read_manifest
from bundle.build.errors import BuildError
from bundle.build.plan import Piece, Plan
from bundle.build.settings import REPOSITORY, Settings
from bundle.build.steps import Step


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A checkout with nothing but what a bundle is made from, and an empty cache."""
    repository = tmp_path / "checkout"
    for folder in ("bundle/browser", "bundle/go", "bundle/images"):
        shutil.copytree(REPOSITORY / folder, repository / folder)
    for file in ("bundle/lock.yml", "webapp/requirements.txt"):
        (repository / file).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / file, repository / file)
    return Settings(cache=tmp_path / "cache", repository=repository)


class SmallBuilder(Builder):
    """A builder whose plan writes three small files; everything else is the real thing."""

    runs = 0
    disk_mb = 1
    broken = False

    def plan(self, source: str) -> Plan:
        def action(out: Path, log: Path) -> None:
            SmallBuilder.runs += 1
            (out / "tool").write_text("#!/bin/sh\n")
            (out / "tool").chmod(0o755)
            (out / "b.yaml").write_text("---\nkind: B\n")
            (out / "a.yaml").write_text("kind: A\n")
            if SmallBuilder.broken:
                raise BuildError("no luck")

        step = Step(name="s", title="make s", key="1", action=action, disk_mb=self.disk_mb)
        pieces = [Piece("bin/tool", "s", "tool"), Piece("manifests/all.yaml", "s", "*.yaml")]
        return Plan(steps=[step], pieces=pieces)


@pytest.fixture
def builder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SmallBuilder:
    monkeypatch.setattr(SmallBuilder, "runs", 0)
    monkeypatch.setattr(builder_module, "_STORAGE_MB", 1)
    return SmallBuilder(settings, lambda line: None)


def test_a_finished_bundle_is_complete(builder: SmallBuilder) -> None:
    result = builder.build("modules")
    assert result.changed
    assert result.folder == builder.settings.bundles / bundle_key(builder.settings, "modules")
    assert (result.folder / "bin" / "tool").stat().st_mode & 0o111
    assert (result.folder / "manifests" / "all.yaml").read_text() == "kind: A\n---\nkind: B\n"
    manifest = json.loads((result.folder / "manifest.json").read_text())
    assert manifest["source"] == "modules"
    assert set(manifest["files"]) == {"bin/tool", "manifests/all.yaml"}
    assert manifest["components"]["kubernetes"] == builder.lock.components["kubernetes"].version
    assert manifest["seconds"]["total"] == manifest["seconds"]["s"]
    assert damaged_files(result.folder) == []


def test_a_second_run_changes_nothing(builder: SmallBuilder) -> None:
    first = builder.build("modules")
    second = builder.build("modules")
    assert not second.changed
    assert second.folder == first.folder
    assert SmallBuilder.runs == 1


def test_a_check_makes_nothing(builder: SmallBuilder) -> None:
    assert builder.check("modules").changed
    assert not builder.settings.cache.exists()
    builder.build("modules")
    assert not builder.check("modules").changed


def test_auto_prefers_a_bundle_that_is_there(builder: SmallBuilder) -> None:
    builder.build("modules")
    assert builder.resolve("auto") == "modules"
    builder.build("upstream")
    assert builder.resolve("auto") == "upstream"


def test_an_unknown_source_is_refused(builder: SmallBuilder) -> None:
    with pytest.raises(BuildError, match="BUNDLE_SOURCE='ftp': choose one of auto, upstream, modules"):
        builder.build("ftp")


def test_a_failure_leaves_no_bundle(builder: SmallBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SmallBuilder, "broken", True)
    with pytest.raises(BuildError, match="make s: no luck"):
        builder.build("modules")
    assert read_manifest(builder.folder("modules")) is None
    assert not builder.folder("modules").exists()
    monkeypatch.setattr(SmallBuilder, "broken", False)
    assert builder.build("modules").changed


def test_a_bundle_that_lost_a_file_is_made_again(builder: SmallBuilder) -> None:
    folder = builder.build("modules").folder
    (folder / "bin" / "tool").unlink()
    assert builder.build("modules").changed
    assert (folder / "bin" / "tool").is_file()


def test_verify_finds_a_changed_file(builder: SmallBuilder) -> None:
    folder = builder.build("modules").folder
    tool = folder / "bin" / "tool"
    tool.unlink()
    tool.write_text("#!/bin/SH\n")
    assert damaged_files(folder) == ["bin/tool"]


def test_too_small_a_disk_is_refused_before_the_first_step(builder: SmallBuilder) -> None:
    builder.disk_mb = 10**9
    with pytest.raises(BuildError, match=r"GB free; the bundle needs 1000000\.0 GB"):
        builder.build("modules")
    assert SmallBuilder.runs == 0


def test_missing_packages_are_named_before_the_first_step(
    builder: SmallBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = builder.plan("modules")
    step = plan.steps[0]
    wanting = Step(name="s", title="make s", key="1", action=step.action, packages=("one-lib", "two-lib"))
    monkeypatch.setattr(builder, "plan", lambda source: Plan(steps=[wanting], pieces=plan.pieces))
    monkeypatch.setattr(host, "has_package", lambda name: name == "one-lib")
    assert builder.check("modules").packages == ("two-lib",)
    with pytest.raises(BuildError, match="apt-get install two-lib"):
        builder.build("modules")
    assert SmallBuilder.runs == 0


@pytest.mark.parametrize(
    "file",
    ["bundle/lock.yml", "bundle/go/helm/go.sum", "bundle/images/node/sshd.conf", "webapp/requirements.txt"],
)
def test_the_key_covers_everything_that_goes_in(settings: Settings, file: str) -> None:
    before = bundle_key(settings, "modules")
    assert bundle_key(settings, "modules") == before
    assert bundle_key(settings, "upstream") != before
    with (settings.repository / file).open("a") as text:
        text.write("\n# changed\n")
    assert bundle_key(settings, "modules") != before


def test_other_checkouts_have_the_same_key(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(settings.repository, tmp_path / "elsewhere")
    other = Settings(cache=settings.cache, repository=tmp_path / "elsewhere")
    assert bundle_key(other, "modules") == bundle_key(settings, "modules")
