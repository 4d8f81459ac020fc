"""Pack what the portal's image takes from the checkout into one archive, and name it by its content.

Usage: source.py ROOT BASE_IMAGE FOLDER [CATALOG]. Writes FOLDER/<hash>.tar unless it is there already, and
prints the hash: 16 hexadecimal digits over the base image's name and every file. The same checkout gives the
same image. CATALOG is a folder that takes the place of ROOT/charts/catalog.
"""

import hashlib
import io
import sys
import tarfile
from pathlib import Path

CATALOG = "charts/catalog"
TAKEN = (
    "ansible.cfg",
    "webapp",
    "migrations",
    "plugins",
    "charts/project",
    "charts/application",
    CATALOG,
    "roles/project",
    "roles/application",
    "playbooks/project.yml",
    "playbooks/application.yml",
    "grafana/dashboards",
)
LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache", "requirements.in", "dev.py"}


def files(root: Path, catalog: Path | None = None) -> dict[str, Path]:
    """Return the files to take by their paths in the archive, in a fixed order. Raises FileNotFoundError."""
    found: dict[str, Path] = {}
    for name in TAKEN:
        start = catalog if catalog and name == CATALOG else root / name
        if not start.exists():
            raise FileNotFoundError(f"{start} is missing: the portal's image needs it")
        for path in [start] if start.is_file() else start.rglob("*"):
            if path.is_file() and not LEFT_OUT.intersection(path.parts):
                found[str(Path(name) / path.relative_to(start))] = path
    return dict(sorted(found.items()))


def pack(root: Path, catalog: Path | None = None) -> bytes:
    """Return an archive whose bytes depend on names, contents and executable bits alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in files(root, catalog).items():
            entry = tarfile.TarInfo(name)
            content = path.read_bytes()
            entry.size = len(content)
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def main(root: str, base_image: str, folder: str, catalog: str = "") -> None:
    """Write the archive and print its hash."""
    content = pack(Path(root), Path(catalog) if catalog else None)
    digest = hashlib.sha256(base_image.encode() + b"\0" + content).hexdigest()[:16]
    target = Path(folder) / f"{digest}.tar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(target)
    print(digest)


if __name__ == "__main__":
    main(*sys.argv[1:])
