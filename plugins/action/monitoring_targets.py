"""Look which of Prometheus' targets do not answer. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.results import plain
from plugins.module_utils.targets import TargetsError, forwarded, wait_for_answers

DOCUMENTATION = """
name: monitoring_targets
short_description: Look which of Prometheus' targets do not answer
description:
  - Returns sentences about them in `troubles`, and does not fail because of them; only a Prometheus that does
    not answer at all is a failure.
options:
  kubeconfig: {type: path, required: true, description: File that leads to the cluster}
  kubectl: {type: path, description: The binary; default is the variable croft_kubectl or kubectl on the PATH}
  namespace: {type: str, required: true, description: Namespace of Prometheus}
  jobs: {type: list, elements: str, default: [], description: Jobs that need a target; empty for all targets}
  timeout: {type: int, default: 0, description: Seconds to wait until all answer}
"""
_SPEC: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path", "required": True},
    "kubectl": {"type": "path", "default": ""},
    "namespace": {"required": True},
    "jobs": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 0},
}


class ActionModule(ActionBase):
    """The task `monitoring_targets`."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the task; the result holds `troubles`. In check mode of a cluster to come there are none."""
        result = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(_SPEC)
        if self._task.check_mode:
            return {**result, "changed": False, "troubles": []}
        kubectl = args["kubectl"] or self._templar.template((task_vars or {}).get("croft_kubectl", ""))
        try:
            with forwarded(str(kubectl or "kubectl"), args["kubeconfig"], args["namespace"]) as address:
                left = wait_for_answers(address, plain(args["jobs"]), args["timeout"])
        except (TargetsError, OSError) as error:
            raise AnsibleActionFail(str(error)) from None
        return {**result, "changed": False, "troubles": left}
