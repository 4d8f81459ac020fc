"""roles/bundle as an operator runs it, as far as that goes without filling a bundle."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bundle.build.process import privileged
from bundle.build.settings import REPOSITORY


def play(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run playbooks/bundle.yml on an empty cache."""
    command = [str(REPOSITORY / ".venv/bin/ansible-playbook"), "-i", "localhost,", "-c", "local"]
    command += ["-e", "ansible_python_interpreter={{ ansible_playbook_python }}"]
    command += ["-e", f"bundle_cache_dir={tmp_path / 'cache'} bundle_link={tmp_path / 'state' / 'bundle'}"]
    return subprocess.run(
        [*command, *options, "playbooks/bundle.yml"],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_check_tells_what_would_change_and_makes_nothing(tmp_path: Path) -> None:
    result = play(tmp_path, "--check", "-e", "bundle_source=modules")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (
        "changed=3" in result.stdout or "changed=4" in result.stdout
    )  # 4 where compilers are to be installed
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_source_is_refused_before_anything_changes(tmp_path: Path) -> None:
    result = play(tmp_path, "-e", "bundle_source=ftp")
    assert result.returncode != 0
    assert "value of bundle_source must be one of: auto, upstream, modules, got: ftp" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_builders_error_is_the_tasks_error(tmp_path: Path) -> None:
    result = play(tmp_path, "-e", '{"bundle_source": "modules", "bundle_mirrors": {"dl.k8s.io": "ftp://x"}}')
    assert result.returncode != 0
    assert (
        "--mirror 'dl.k8s.io=ftp://x': write it as host=https://mirror/path" in result.stdout + result.stderr
    )


@pytest.mark.parametrize(("user", "command"), [(0, ["true"]), (1000, ["sudo", "-n", "--", "true"])])
def test_only_others_than_root_need_sudo(
    monkeypatch: pytest.MonkeyPatch, user: int, command: list[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert privileged(["true"]) == command
