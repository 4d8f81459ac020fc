"""This machine's podman: local nodes are its containers."""

import os
import subprocess

_AS_ROOT = [] if os.geteuid() == 0 else ["sudo"]


def podman(*arguments: str, stdin: str | None = None) -> str:
    """Run podman as root, as `make up` does, and return what it prints. Fails with its error."""
    command = [*_AS_ROOT, "podman", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"podman {' '.join(arguments)[:200]}: {done.stderr}"
    return done.stdout
