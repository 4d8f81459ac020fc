"""Chooses the source, does the steps, and makes a finished bundle appear in one rename."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bundle.build import host, process
from bundle.build.bundle import MANIFEST, bundle_key, place, read_manifest, write_manifest
from bundle.build.download import Downloader
from bundle.build.errors import BuildError
from bundle.build.images import ImageBuilder
from bundle.build.lock import Lock, load
from bundle.build.modules import plan_modules
from bundle.build.plan import Plan
from bundle.build.settings import Settings
from bundle.build.steps import Step, StepStore, run_steps
from bundle.build.upstream import plan_upstream

SOURCES = ("auto", "upstream", "modules")
_PROBE_SECONDS = 4.0
# podman's copy of the images that the host itself uses, beside the archives.
_STORAGE_MB = 1500
_STORAGE = Path("/var/lib/containers")


@dataclass(frozen=True)
class Result:
    """What a run did, or for a check would do.

    folder: the finished bundle; changed: whether something is made or loaded; packages: missing on this host.
    """

    folder: Path
    source: str
    changed: bool
    packages: tuple[str, ...] = ()

    def as_json(self) -> str:
        """One line for roles/bundle."""
        return json.dumps({**asdict(self), "folder": str(self.folder)})


class Builder:
    """Fills bundles for one checkout. report(line) tells the operator what is going on."""

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self.settings = settings
        self.report = report
        self.lock: Lock = load(settings.definitions / "lock.yml")
        self.store = StepStore(settings.steps)

    def resolve(self, source: str) -> str:
        """Turn `auto` into a finished bundle's source, else upstream if it answers, else modules."""
        if source not in SOURCES:
            raise BuildError(f"BUNDLE_SOURCE={source!r}: choose one of {', '.join(SOURCES)}")
        if source != "auto":
            return source
        for candidate in ("upstream", "modules"):
            if read_manifest(self.folder(candidate)) is not None:
                return candidate
        probe = self.lock.fill(self.lock.upstream.probe)
        if Downloader(self.settings.mirrors).answers(probe, _PROBE_SECONDS):
            return "upstream"
        self.report(f"{probe} does not answer: compiling from Go modules (BUNDLE_SOURCE=modules)")
        return "modules"

    def folder(self, source: str) -> Path:
        """Where the finished bundle of a source is, or will be."""
        return self.settings.bundles / bundle_key(self.settings, source)

    def plan(self, source: str) -> Plan:
        planner = plan_upstream if source == "upstream" else plan_modules
        return planner(self.lock, self.settings)

    def build(self, source: str) -> Result:
        """Make sure that the bundle is complete, and that the host's own images are in podman's storage."""
        with self._alone():
            source = self.resolve(source)
            folder = self.folder(source)
            changed = read_manifest(folder) is None
            if changed:
                self._fill(source, folder)
            loaded = self._load_host_images(folder)
        return Result(folder, source, changed or loaded)

    def check(self, source: str) -> Result:
        """What build() would do, without doing it."""
        source = self.resolve(source)
        folder = self.folder(source)
        if read_manifest(folder) is not None:
            return Result(folder, source, changed=False)
        pending = self.store.pending(self.plan(source).steps)
        wanted = sorted({package for step in pending for package in step.packages})
        return Result(folder, source, True, tuple(p for p in wanted if not host.has_package(p)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One builder at a time on one cache."""
        self.settings.bundles.mkdir(parents=True, exist_ok=True)
        with (self.settings.bundles / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.report("another run is filling the bundle: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _fill(self, source: str, folder: Path) -> None:
        plan = self.plan(source)
        self._check(plan)
        partial = folder.with_name(f"{folder.name}.partial")
        partial.mkdir(exist_ok=True)
        (partial / MANIFEST).unlink(missing_ok=True)

        def finished(step: Step) -> None:
            targets = {piece.target for piece in plan.pieces_of(step)}
            # A file made of several steps' output is put together when the last of them is there.
            pieces = [p for p in plan.pieces if p.target in targets]
            if all(self.store.seconds(plan.step(piece.step)) is not None for piece in pieces):
                place(partial, self.store, plan, pieces)

        logs = self.settings.logs / folder.name
        start = time.monotonic()
        seconds = run_steps(plan.steps, self.store, logs, self.report, finished)
        write_manifest(partial, key=folder.name, source=source, lock=self.lock, plan=plan, seconds=seconds)
        if folder.exists():
            # Its manifest was missing or did not match: nothing in it can be relied on.
            folder.rename(folder.with_name(f"{folder.name}.damaged-{int(time.time())}"))
        partial.rename(folder)
        self.report(f"bundle {folder} is complete ({source}, {time.monotonic() - start:.0f} s)")

    def _check(self, plan: Plan) -> None:
        """Refuse before the first step what cannot end well."""
        if not process.succeeds(process.privileged(["true"])):
            raise BuildError(
                "building images needs root: run as root, or let this user use sudo without a password "
                "(`sudo -v` right before is enough)"
            )
        pending = self.store.pending(plan.steps)
        missing = sorted({p for step in pending for p in step.packages if not host.has_package(p)})
        if missing:
            raise BuildError(f"these packages are needed: apt-get install {' '.join(missing)}")
        host.check_disk({self.settings.cache: sum(step.disk_mb for step in pending), _STORAGE: _STORAGE_MB})
        minutes = sum(step.seconds for step in pending) / 60
        self.report(f"{len(pending)} of {len(plan.steps)} steps to do, about {minutes:.0f} min on two cores")

    def _load_host_images(self, folder: Path) -> bool:
        images = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["images"]
        builder = ImageBuilder(self.settings)
        log = self.settings.logs / folder.name / "load.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        loaded = False
        for image in images.values():
            if image["used_by"] == "host":
                loaded |= builder.ensure_loaded(image["name"], folder / image["file"], log)
        return loaded
