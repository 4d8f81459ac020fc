"""The plan for BUNDLE_SOURCE=upstream: official releases, each checked, and official images."""

from __future__ import annotations

from pathlib import Path

from bundle.build.download import Downloader, take
from bundle.build.keys import key_of
from bundle.build.lock import Image, Lock, Release
from bundle.build.plan import Piece, Plan, Planner
from bundle.build.settings import Settings
from bundle.build.steps import Step


def plan_upstream(lock: Lock, settings: Settings) -> Plan:
    """Downloads first, then pulls; Croft's own images are built as on the other source."""
    planner = Planner(lock, settings)
    downloader = Downloader(settings.mirrors)
    node = lock.images["node"]
    planner.add_image_piece("node", node, planner.build_image("node", node))
    planner.add_browser_pieces()
    for number, release in enumerate(lock.upstream.files):
        step = planner.add(_download_step(planner, downloader, release, number))
        for target in release.put:
            planner.plan.pieces.append(Piece(target, step.name, target))
    for name, image in lock.images.items():
        if name == "node":
            continue
        step = (
            planner.build_image(name, image) if image.local else planner.add(_pull_step(planner, name, image))
        )
        planner.add_image_piece(name, image, step)
    return planner.plan


def _download_step(planner: Planner, downloader: Downloader, release: Release, number: int) -> Step:
    fill = planner.lock.fill
    url = fill(release.url)
    put = {target: fill(member) for target, member in release.put.items()}

    def action(out: Path, log: Path) -> None:
        if release.checksum is None:
            expected = str(release.sha256)
        else:
            checksum = release.checksum.model_copy(update={"url": fill(release.checksum.url)})
            expected = downloader.published_checksum(checksum, url)
        log.write_text(f"{downloader.address(url)} sha256 {expected}\n", encoding="utf-8")
        file = out / ".download"
        downloader.fetch(url, file, expected)
        for target, member in put.items():
            if member:
                take(file, member, out / target)
            else:
                (out / target).parent.mkdir(parents=True, exist_ok=True)
                file.rename(out / target)
                (out / target).chmod(0o755 if target.startswith(("bin/", "cni/")) else 0o644)
        file.unlink(missing_ok=True)

    name = url.rsplit("/", 1)[-1]
    return Step(
        name=f"download-{number:02}-{name}",
        title=f"download {name}",
        key=key_of("download", url, release.model_dump_json()),
        action=action,
        seconds=5,
        disk_mb=150,
    )


def _pull_step(planner: Planner, name: str, image: Image) -> Step:
    full_name = planner.lock.fill(image.name)
    planner.plan.image_names[name] = full_name
    return Step(
        name=f"pull-{name}",
        title=f"pull {full_name}",
        key=key_of("pull", full_name, planner.lock.platform),
        action=lambda out, log: planner.images.pull(full_name, out / "image.tar", log),
        seconds=15,
        disk_mb=2 * image.disk_mb,
    )
