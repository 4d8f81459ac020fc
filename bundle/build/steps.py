"""Steps: the unit of work, of progress and of resuming."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.build import process
from bundle.build.errors import BuildError

_RECORD = ".step.json"


@dataclass(frozen=True)
class Step:
    """One thing to do.

    name: names the step's folder and log; key: content key of everything that goes in.
    action(out, log): writes its files below `out` (an empty folder) and its output to `log`.
    seconds, disk_mb: what it takes when nothing is cached, as measured; shown and checked before.
    packages: Debian packages of the host that it needs beside those of every host.
    """

    name: str
    title: str
    key: str
    action: Callable[[Path, Path], None]
    seconds: int = 5
    disk_mb: int = 50
    packages: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """How long it takes, for people."""
        if self.seconds >= 90:
            return f"about {round(self.seconds / 60)} min"
        return f"about {self.seconds} s"


class StepStore:
    """Finished steps on disk, each in <root>/<name>-<key>/ with a record of the seconds it took."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def pending(self, steps: Sequence[Step]) -> list[Step]:
        """The steps that are not finished."""
        return [step for step in steps if self.seconds(step) is None]

    def folder(self, step: Step) -> Path:
        return self._root / f"{step.name}-{step.key}"

    def seconds(self, step: Step) -> float | None:
        """Seconds the finished step took, or None when it is not finished."""
        record = self.folder(step) / _RECORD
        if not record.is_file():
            return None
        return float(json.loads(record.read_text(encoding="utf-8"))["seconds"])

    def do(self, step: Step, log: Path) -> float:
        """Do the step, keep its output and return its seconds. What a broken run left is removed first."""
        out = self._root / f"{step.name}-{step.key}.tmp"
        if out.exists():
            _remove(out)
        out.mkdir(parents=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")
        start = time.monotonic()
        try:
            step.action(out, log)
        except BaseException:
            _remove(out)
            raise
        seconds = round(time.monotonic() - start, 1)
        record = {"name": step.name, "title": step.title, "key": step.key, "seconds": seconds}
        (out / _RECORD).write_text(json.dumps(record) + "\n", encoding="utf-8")
        out.rename(self.folder(step))
        return seconds

    def files(self, step: Step) -> list[Path]:
        """The step's output files, without its record."""
        folder = self.folder(step)
        return sorted(p for p in folder.rglob("*") if p.is_file() and p.name != _RECORD)


def _remove(folder: Path) -> None:
    """Delete what a step left, also what root wrote in it; never what may still be mounted there."""
    subprocess.run(
        process.privileged(["rm", "--recursive", "--force", "--one-file-system", folder]),
        stdin=subprocess.DEVNULL,
        check=True,
    )


def run_steps(
    steps: Sequence[Step],
    store: StepStore,
    logs: Path,
    report: Callable[[str], None],
    finished: Callable[[Step], None],
) -> dict[str, float]:
    """Do what is not done yet, in order; returns the seconds of every step, also of those kept from before.

    report(line) tells the operator; finished(step) is called after each step, kept or done.
    Raises BuildError that names the step which failed.
    """
    seconds: dict[str, float] = {}
    for number, step in enumerate(steps, start=1):
        place = f"[{number}/{len(steps)}]"
        kept = store.seconds(step)
        if kept is not None:
            report(f"{place} {step.title}: already there")
            seconds[step.name] = kept
        else:
            report(f"{place} {step.title} ({step.about}) ...")
            try:
                seconds[step.name] = store.do(step, logs / f"{step.name}.log")
            except BuildError as error:
                raise BuildError(f"{step.title}: {error}") from error
            report(f"{place} {step.title}: done in {seconds[step.name]:.0f} s")
        finished(step)
    return seconds
