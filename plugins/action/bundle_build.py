"""Fill the bundle, showing each step as it happens. See DOCUMENTATION."""

import collections
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.results import plain

DOCUMENTATION = """
name: bundle_build
short_description: Fill the bundle, showing each step as it happens
description:
  - Runs C(python -m bundle.build) on the controller. A module would show its output when it is over, and this
    takes up to half an hour. It runs as the user who runs Ansible, and calls sudo itself for the few commands
    that need root.
options:
  source: {type: str, default: auto, choices: [auto, upstream, modules], description: Where it comes from}
  cache: {type: str, required: true, description: Folder that holds bundles, logs and compilers' caches}
  mirrors: {type: dict, default: {}, description: Base addresses that stand in for official hosts}
  only_check: {type: bool, default: false, description: Just say what is missing}
"""

_CHECKOUT = Path(__file__).resolve().parents[2]
_KEPT_LINES = 60


class ActionModule(ActionBase):
    """The task `bundle_build`."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the task; the result holds the bundle's `folder` and `source`, and missing `packages`."""
        result = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "source": {"default": "auto", "choices": ["auto", "upstream", "modules"]},
                "cache": {"required": True},
                "mirrors": {"type": "dict", "default": {}},
                "only_check": {"type": "bool", "default": False},
            }
        )
        args = plain(args)
        command = [sys.executable, "-m", "bundle.build", "build", "--source", args["source"]]
        for host, base in args["mirrors"].items():
            command += ["--mirror", f"{host}={base}"]
        if self._task.check_mode or args["only_check"]:
            command.append("--check")
        lines = self._follow(command, {**os.environ, "CROFT_CACHE": args["cache"]})
        found: dict[str, Any] = json.loads(lines[-1])
        if args["only_check"]:
            found["changed"] = False
        return {**result, **found}

    def _follow(self, command: list[str], environment: dict[str, str]) -> list[str]:
        """Run the builder, show its progress, return its last lines; raises AnsibleActionFail."""
        display = Display()
        lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        with subprocess.Popen(
            command,
            cwd=_CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            for line in process.stdout:
                lines.append(line.rstrip())
                if not line.startswith("{"):
                    display.display(f"  {line.rstrip()}")
        if process.returncode != 0:
            message = "\n".join(lines)
            raise AnsibleActionFail(
                message[message.rfind("bundle: ") :] if "bundle: " in message else message
            )
        return list(lines)
