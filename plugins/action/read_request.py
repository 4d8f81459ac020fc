"""Read and validate a request file. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils import request_file
from plugins.module_utils.results import plain

DOCUMENTATION = """
name: read_request
short_description: Read and validate a request file
description:
  - What a user wrote arrives as a task's result, which Ansible never takes for a template, whereas values
    given as extra vars would be. So settings are refused here when they come in any other way.
options:
  path: {type: str, required: true, description: The request file, YAML or JSON}
  kind: {type: str, required: true, choices: [project, application], description: What it describes}
  state:
    type: str
    choices: [present, absent]
    default: present
    description: What is wanted; of something that is to be absent only the names are read
"""


class ActionModule(ActionBase):
    """The task `read_request`."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the task; `spec` in the result holds the settings, completed with defaults."""
        result = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "path": {"required": True},
                "kind": {"required": True, "choices": list(request_file.MODELS)},
                "state": {"choices": ["present", "absent"], "default": "present"},
            }
        )
        args = plain(args)
        kind = args["kind"]
        if f"{kind}_spec" in (task_vars or {}):
            raise AnsibleActionFail(
                f"{kind}_spec is set already: write the settings into a file and add -e request_file=FILE"
            )
        try:
            spec = request_file.read_request(args["path"], kind, args["state"])
        except request_file.RequestError as error:
            raise AnsibleActionFail(str(error)) from None
        # The settings may hold secrets: later tasks get them, logs and events do not.
        return {**result, "changed": False, "spec": spec, "_ansible_no_log": True}
