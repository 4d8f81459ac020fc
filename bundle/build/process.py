"""Runs a command with its output in a log file."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bundle.build.errors import BuildError

_TAIL_LINES = 20


def privileged(command: Sequence[str | Path]) -> list[str | Path]:
    """The command as root: as it is for root, else through sudo, which must not ask for a password."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", "--", *command]


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `command`, appending its output to `log`; `env` is added to the environment.

    Raises BuildError with the command, the end of the log and its path unless it starts and returns 0.
    """
    text = shlex.join(str(part) for part in command)
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {text}\n")
        output.flush()
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError as error:
            raise BuildError(
                f"{command[0]} is not installed: run `make up`, or install it and try again"
            ) from error
        try:
            returncode = child.wait()
        except BaseException:
            end_children()
            child.wait()
            raise
    if returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        lines = "\n".join(f"    {line}" for line in tail)
        raise BuildError(f"`{text}` ended with {returncode}:\n{lines}\n  The whole log: {log}")


def end_children() -> None:
    """Ask the commands that this process started to end, also those that run as root."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    if children:
        subprocess.run(privileged(["kill", "-TERM", *children]), stderr=subprocess.DEVNULL, check=False)


def output(
    command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """The standard output of a short command, stripped. Raises BuildError with its error output."""
    try:
        result = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildError(
            f"{command[0]} is not installed: run `make up`, or install it and try again"
        ) from error
    if result.returncode != 0:
        text = shlex.join(str(part) for part in command)
        raise BuildError(f"`{text}` ended with {result.returncode}: {result.stderr.strip()}")
    return result.stdout.strip()


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether a short command returns 0; for questions such as `podman image exists`."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
