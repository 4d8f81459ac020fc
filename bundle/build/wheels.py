"""Python wheels: the portal's, downloaded for the image's Python, and a few that hold a binary."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from bundle.build import process
from bundle.build.lock import Wheel

# glibc of Debian 13. pip wants every platform tag that is acceptable, not just the newest.
_GLIBC_MINOR = 41


def platform_options(machine: str = "x86_64") -> list[str]:
    """pip's options for wheels that run on Debian 13, whatever this host is."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC_MINOR, 4, -1)]
    tags += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    return [option for tag in tags for option in ("--platform", tag)]


def _download(requirements: Path, out: Path, log: Path, *options: str) -> None:
    process.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-cache-dir"),
            *("--progress-bar", "off", "--no-deps", "--only-binary", ":all:", "--require-hashes"),
            *options,
            *("--dest", out, "--requirement", requirements),
        ],
        log,
    )


def download_portal_wheels(requirements: Path, python: str, out: Path, log: Path) -> None:
    """Download every wheel of a requirements file with hashes, for `python` ("3.13") on Debian 13."""
    _download(requirements, out, log, "--python-version", python, *platform_options())


def unpack_wheel(wheel: Wheel, out: Path, log: Path) -> None:
    """Download one pinned wheel and unpack it below `out`, keeping the modes of executables."""
    out.mkdir(parents=True, exist_ok=True)
    requirements = out / "requirements.txt"
    requirements.write_text(
        f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8"
    )
    _download(requirements, out, log, *platform_options())
    requirements.unlink()
    for archive in out.glob("*.whl"):
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                path = Path(content.extract(member, out))
                mode = member.external_attr >> 16
                if path.is_file() and mode & 0o111:
                    path.chmod(0o755)
        archive.unlink()
