"""A bundle on disk: its key, its assembly from finished steps, its manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bundle.build.errors import BuildError
from bundle.build.keys import key_of, key_of_files, sha256_of
from bundle.build.lock import Lock
from bundle.build.plan import Piece, Plan
from bundle.build.settings import Settings
from bundle.build.steps import StepStore

MANIFEST = "manifest.json"


def bundle_key(settings: Settings, source: str) -> str:
    """Key over source, lock file, Go and npm packages, image definitions, and the portal's requirements."""
    root = settings.repository
    inputs = [
        root / "bundle" / "lock.yml",
        root / "bundle" / "browser",
        root / "bundle" / "go",
        root / "bundle" / "images",
        root / "webapp" / "requirements.txt",
    ]
    return key_of(source, key_of_files(inputs, root))


def read_manifest(folder: Path) -> dict[str, object] | None:
    """The manifest of a finished bundle whose files are all there in their sizes; None for anything else."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    manifest: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    files = manifest["files"]
    if not isinstance(files, dict):
        raise BuildError(f"{path} is damaged: delete {folder} and run `make up` again")
    for name, entry in files.items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != entry["size"]:
            return None
    return manifest


def damaged_files(folder: Path) -> list[str]:
    """Names of a finished bundle's files whose content is not what the manifest says. Reads everything."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise BuildError(f"{folder} is no finished bundle: run `make up`")
    files = manifest["files"]
    assert isinstance(files, dict)  # noqa: S101 - read_manifest has checked it
    return [name for name, entry in files.items() if sha256_of(folder / name) != entry["sha256"]]


def place(folder: Path, store: StepStore, plan: Plan, pieces: list[Piece]) -> None:
    """Put pieces of finished steps into the bundle's folder, by hard links where one file is one piece.

    Several pieces with one target are YAML documents of one file; a `*` in a path stands for several files.
    """
    sources: dict[str, list[Path]] = {}
    for piece in pieces:
        step_folder = store.folder(plan.step(piece.step))
        matches = sorted(step_folder.glob(piece.path)) if "*" in piece.path else [step_folder / piece.path]
        sources.setdefault(piece.target, []).extend(matches)
    for target, paths in sources.items():
        destination = folder / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.is_dir():
            shutil.rmtree(destination)
        destination.unlink(missing_ok=True)
        if len(paths) > 1:
            documents = [path.read_text(encoding="utf-8").removeprefix("---").strip() for path in paths]
            destination.write_text("\n---\n".join(documents) + "\n", encoding="utf-8")
        elif paths[0].is_dir():
            shutil.copytree(paths[0], destination, copy_function=os.link)
        else:
            os.link(paths[0], destination)


def write_manifest(
    folder: Path,
    *,
    key: str,
    source: str,
    lock: Lock,
    plan: Plan,
    seconds: Mapping[str, float],
) -> None:
    """Write manifest.json: what is inside, from where, hash and size of every file, seconds per step."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    files = {
        str(path.relative_to(folder)): {"sha256": sha256_of(path), "size": path.stat().st_size}
        for path in paths
    }
    images = {
        name: {
            "name": plan.image_names[name],
            "file": image.archive or f"images/{name}.tar",
            "used_by": image.used_by,
        }
        for name, image in lock.images.items()
        if name in plan.image_names
    }
    manifest = {
        "key": key,
        "source": source,
        "platform": lock.platform,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "components": {name: component.version for name, component in lock.components.items()},
        "images": images,
        "seconds": {**seconds, "total": round(sum(seconds.values()), 1)},
        "size_mb": round(sum(path.stat().st_size for path in paths) / 1e6),
        "files": files,
    }
    draft = folder / f"{MANIFEST}.tmp"
    draft.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    draft.rename(folder / MANIFEST)
