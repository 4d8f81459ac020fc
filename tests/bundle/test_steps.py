"""Steps: done once, resumed after a failure, never half there."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bundle.build import process
from bundle.build.errors import BuildError
from bundle.build.settings import REPOSITORY
from bundle.build.steps import Step, StepStore, run_steps


class Work:
    """Steps that count how often they ran; those named in `broken` fail half-way."""

    def __init__(self, store: Path, logs: Path) -> None:
        self.store = StepStore(store)
        self.logs = logs
        self.runs: list[str] = []
        self.lines: list[str] = []
        self.finished: list[str] = []
        self.broken: set[str] = set()

    def step(self, name: str, key: str = "1") -> Step:
        def action(out: Path, log: Path) -> None:
            self.runs.append(name)
            (out / "half").write_text(name)
            if name in self.broken:
                process.run(["sh", "-c", "echo the reason; exit 3"], log)
            (out / "whole").write_text(key)

        return Step(name=name, title=f"make {name}", key=key, action=action, seconds=100)

    def run(self, *steps: Step) -> dict[str, float]:
        return run_steps(
            steps, self.store, self.logs, self.lines.append, lambda s: self.finished.append(s.name)
        )


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "steps", tmp_path / "logs")


def test_does_all_steps_once_and_tells_how_far_it_is(work: Work) -> None:
    seconds = work.run(work.step("a"), work.step("b"))
    assert set(seconds) == {"a", "b"}
    assert work.lines[0] == "[1/2] make a (about 2 min) ..."
    assert work.lines[3].startswith("[2/2] make b: done in ")
    assert work.run(work.step("a"), work.step("b")) == seconds
    assert work.runs == ["a", "b"]
    assert work.lines[4:] == ["[1/2] make a: already there", "[2/2] make b: already there"]
    assert work.finished == ["a", "b", "a", "b"]


def test_goes_on_where_a_failure_ended_it(work: Work) -> None:
    work.broken = {"b"}
    steps = [work.step("a"), work.step("b"), work.step("c")]
    with pytest.raises(BuildError) as caught:
        work.run(*steps)
    message = str(caught.value)
    assert message.startswith("make b: `sh -c")
    assert "ended with 3" in message
    assert "the reason" in message
    assert str(work.logs / "b.log") in message
    assert not list(work.store.folder(steps[1]).parent.glob("b-*"))
    work.broken = set()
    work.run(*steps)
    assert work.runs == ["a", "b", "b", "c"]


def test_a_killed_run_leaves_nothing_that_counts(work: Work) -> None:
    step = work.step("a")
    killed = work.store.folder(step).with_name("a-1.tmp")
    killed.mkdir(parents=True)
    (killed / "half of an earlier run").write_text("x")
    assert work.store.pending([step]) == [step]
    work.run(step)
    assert [path.name for path in work.store.files(step)] == ["half", "whole"]
    assert not killed.exists()


def test_an_interrupt_leaves_nothing_that_counts(work: Work) -> None:
    def interrupted(out: Path, log: Path) -> None:
        (out / "half").write_text("x")
        raise KeyboardInterrupt

    step = Step(name="a", title="make a", key="1", action=interrupted)
    with pytest.raises(KeyboardInterrupt):
        work.run(step)
    assert list(work.store.folder(step).parent.iterdir()) == []


def test_another_key_is_another_step(work: Work) -> None:
    work.run(work.step("a", "1"))
    work.run(work.step("a", "2"))
    assert work.runs == ["a", "a"]
    work.run(work.step("a", "1"))
    assert work.runs == ["a", "a"]


def test_a_command_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no-such-command is not installed"):
        process.run(["no-such-command"], tmp_path / "log")


def test_ended_from_outside_it_ends_its_command_too(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from bundle.build import __main__ as main, process; "
        "main._command = lambda builder, options: process.run(['sleep', '54321.5'], Path(sys.argv[1])); "
        "sys.exit(main.main(['key', '--source', 'modules']))"
    )
    log = tmp_path / "log"
    with subprocess.Popen(
        [sys.executable, "-c", script, log], stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as run:
        while not (child := running_child(run.pid, "sleep")):
            assert run.poll() is None
        handle = os.pidfd_open(child)
        run.send_signal(signal.SIGTERM)
        _, error = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "the next run goes on" in error
    ended, _, _ = select.select([handle], [], [], 5)
    os.close(handle)
    assert ended, "the command runs on"


def running_child(pid: int, name: str) -> int | None:
    """The process that `pid` started, once it has become the command `name`."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().strip() == name:
            return int(child)
    return None
