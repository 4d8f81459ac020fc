"""Builds image archives with buildah, or pulls upstream's with podman.

buildah runs build steps in a plain chroot: it needs no cgroups, no user namespaces and no limits of its own,
so it works on restricted hosts too, and what is built here is trusted. Archives are in docker-archive format,
uncompressed: containerd and podman read them fastest so, and a layer that images share is on a node once.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bundle.build import host, process
from bundle.build.errors import BuildError
from bundle.build.settings import Settings

BASE_NAME = "localhost/croft/debian-base"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ROOTFS = "rootfs.tar"


@dataclass(frozen=True)
class ImageBuilder:
    settings: Settings

    def bootstrap_base(self, suite: str, out: Path, log: Path) -> None:
        """Write a small Debian root file system, `out`/rootfs.tar, which every Debian-based image shares.

        Raises BuildError when Debian's signatures cannot be checked.
        """
        if not _KEYRING.is_file():
            raise BuildError(f"{_KEYRING} is missing: install the package debian-archive-keyring")
        source = host.debian_source()
        root = out / "root"
        options = ["--variant=minbase", f"--keyring={_KEYRING}", "--force-check-gpg"]
        mirror = [source.archive] if source.archive else []
        # debootstrap passes its environment on, so that a proxy for packages works in the new root as well.
        environment = [f"{name}={value}" for name, value in host.apt_proxy().items()]
        process.run(
            process.privileged(["env", *environment, "debootstrap", *options, suite, root, *mirror]), log
        )
        process.run(process.privileged(["sh", self._definition("debian-base") / "configure.sh", root]), log)
        self._add_suites(root, suite, source, log)
        process.run(
            process.privileged(["tar", "--create", "--file", out / _ROOTFS, "--directory", root, "."]), log
        )
        process.run(process.privileged(["rm", "--recursive", "--force", "--one-file-system", root]), log)
        _own(out / _ROOTFS, log)

    def _definition(self, name: str) -> Path:
        return self.settings.definitions / "images" / name

    def _add_suites(self, root: Path, suite: str, source: host.DebianSource, log: Path) -> None:
        """Add the suites with fixes to what debootstrap wrote, from the same mirror."""
        lines = (root / "etc/apt/sources.list").read_text(encoding="utf-8").splitlines()
        archive = source.archive or lines[0].split()[1].rstrip("/")
        # The default mirror, and every full copy of it, has the security archive beside the main one.
        security = source.security or f"{archive}-security"
        text = "".join(
            f"deb {line} main\n"
            for line in (f"{archive} {suite}", f"{archive} {suite}-updates", f"{security} {suite}-security")
        )
        draft = root.parent / "sources.list"
        draft.write_text(text, encoding="utf-8")
        process.run(
            process.privileged(["install", "--mode=0644", draft, root / "etc/apt/sources.list"]),
            log,
        )
        draft.unlink()

    def ensure_base(self, rootfs_folder: Path, tag: str, log: Path) -> str:
        """Name of the base image in local storage; it is imported when it is not there."""
        name = f"{BASE_NAME}:{tag}"
        if not process.succeeds(process.privileged(["podman", "image", "exists", name])):
            process.run(
                process.privileged(["podman", "import", "--quiet", rootfs_folder / _ROOTFS, name]), log
            )
        return name

    def build(
        self,
        definition: str,
        name: str,
        files: dict[str, Path],
        archive: Path,
        log: Path,
        *,
        base: str | None = None,
        keep: bool = False,
    ) -> None:
        """Build images/<definition>/Containerfile with `files` beside it and write it to `archive` as `name`.

        The context is mounted at /mnt/context too, for what an image uses but does not keep.
        keep: leave the image in local storage as well.
        """
        context = archive.parent / "context"
        shutil.copytree(self._definition(definition), context)
        for target, source in files.items():
            _link(source, context / target)
        proxy = [f"{variable}={value}" for variable, value in host.apt_proxy().items()]
        command: list[str | Path] = ["env", *proxy, "buildah", "bud", "--isolation", "chroot"]
        command += ["--layers=false", "--volume", f"{context}:/mnt/context:ro"]
        command += self._apt_options(archive.parent)
        if base is not None:
            command += ["--build-arg", f"DEBIAN_BASE={base}"]
        command += ["--tag", name, "--file", context / "Containerfile", context]
        process.run(process.privileged(command), log)
        self._push(name, archive, log)
        if not keep:
            process.run(process.privileged(["buildah", "rmi", name]), log)
        shutil.rmtree(context)

    def _apt_options(self, folder: Path) -> list[str | Path]:
        """Let apt inside a build trust the host's authorities when the host's mirror is an https one."""
        authorities = host.ca_file()
        source = host.debian_source()
        if authorities is None or not f"{source.archive} {source.security}".count("https://"):
            return []
        setting = folder / "apt-authorities.conf"
        setting.write_text('Acquire::https::CaInfo "/mnt/authorities.crt";\n', encoding="utf-8")
        return [
            *("--volume", f"{authorities}:/mnt/authorities.crt:ro"),
            *("--volume", f"{setting}:/etc/apt/apt.conf.d/99-build-authorities:ro"),
        ]

    def pull(self, name: str, archive: Path, log: Path) -> None:
        """Pull an official image by its official name and write it to `archive`; the log tells its digest."""
        known = process.succeeds(process.privileged(["podman", "image", "exists", name]))
        process.run(process.privileged(["podman", "pull", "--quiet", "--arch", "amd64", name]), log)
        process.run(process.privileged(["podman", "image", "inspect", "--format", "{{.Digest}}", name]), log)
        self._push(name, archive, log)
        if not known:
            process.run(process.privileged(["podman", "rmi", name]), log)

    def ensure_loaded(self, name: str, archive: Path, log: Path) -> bool:
        """Load an archive into local storage unless its image is there; returns whether it was loaded."""
        if process.succeeds(process.privileged(["podman", "image", "exists", name])):
            return False
        process.run(process.privileged(["podman", "load", "--quiet", "--input", archive]), log)
        return True

    def _push(self, name: str, archive: Path, log: Path) -> None:
        process.run(
            process.privileged(["buildah", "push", "--quiet", name, f"docker-archive:{archive}:{name}"]), log
        )
        _own(archive, log)


def _own(path: Path, log: Path) -> None:
    """Give a file that root wrote to the user who runs the builder."""
    if os.geteuid() != 0:
        process.run(process.privileged(["chown", f"{os.getuid()}:{os.getgid()}", path]), log)


def _link(source: Path, target: Path) -> None:
    """Put a file or folder into a build context without copying its bytes where the disk allows it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=os.link)
    else:
        os.link(source, target)
