"""Running a playbook as an operator does, and reading what came out."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class PlaybookRun:
    """One run of ansible-playbook, with the results of its tasks."""

    code: int
    output: str
    seconds: float

    @property
    def results(self) -> list[dict[str, Any]]:
        """The tasks' results, in order."""
        decoder = json.JSONDecoder()
        return [
            decoder.raw_decode(self.output, match.end())[0]
            for match in re.finditer(
                r"^\w+: \[localhost\](?:: FAILED!)? => (?=\{)", self.output, re.MULTILINE
            )
        ]

    @property
    def message(self) -> str:
        """The sentence that the user reads when it failed."""
        failed = re.search(r"^fatal: \[localhost\]: FAILED! => ", self.output, re.MULTILINE)
        assert failed, f"the playbook did not fail:\n{self.output}"
        message: str = json.JSONDecoder().raw_decode(self.output, failed.end())[0]["msg"]
        return message

    @property
    def changed(self) -> int:
        """Number of tasks that changed something."""
        recap = re.search(r"^localhost .*\bchanged=(\d+)", self.output, re.MULTILINE)
        assert recap, f"no recap in:\n{self.output}"
        return int(recap[1])

    @property
    def result(self) -> dict[str, Any]:
        """What the playbook leaves for the portal to store."""
        found: dict[str, Any] = [item["croft_result"] for item in self.results if "croft_result" in item][-1]
        return found

    @property
    def progress(self) -> list[str]:
        """The lines for who is waiting."""
        return [
            line.removeprefix("croft: ") for line in self.output.splitlines() if line.startswith("croft: ")
        ]


def run_playbook(
    name: str,
    *arguments: str,
    variables: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    limit: float = 300,
) -> PlaybookRun:
    """Run `playbooks/<name>.yml` on localhost with extra variables; `limit` is in seconds."""
    start = time.monotonic()
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "--inventory",
            "localhost,",
            f"playbooks/{name}.yml",
            "--extra-vars",
            json.dumps(variables or {}),
            *arguments,
        ],
        cwd=ROOT,
        env={
            **{
                key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "ANSIBLE_CONFIG")
            },
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_VERBOSITY": "1",
            "ANSIBLE_NOCOLOR": "1",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit,
        check=False,
    )
    return PlaybookRun(done.returncode, done.stdout, time.monotonic() - start)
