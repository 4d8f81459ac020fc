"""Check a project against the cluster and work out the values of its chart. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.cluster import ClusterError, connect
from plugins.module_utils.project_plan import plan_project
from plugins.module_utils.request_file import RequestError, validate
from plugins.module_utils.results import plain

DOCUMENTATION = """
name: project_plan
short_description: Check a project against the cluster and work out the values of its chart
description:
  - Changes nothing. Fails when the name is taken by a namespace that is not Croft's, when the quota is more
    than the nodes have, or when a network to reach belongs to the cluster itself.
options:
  spec: {type: dict, required: true, description: The project as webapp.projects.schemas.ProjectSpec has it}
  protected_cidrs: {type: list, elements: str, default: [], description: Further networks to keep closed}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
"""


class ActionModule(ActionBase):
    """The task `project_plan`."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the task; `values` in the result are those of charts/project."""
        result = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "spec": {"type": "dict", "required": True},
                "protected_cidrs": {"type": "list", "elements": "str", "default": []},
                "kubeconfig": {"type": "path", "default": ""},
            }
        )
        try:
            spec = validate(plain(args["spec"]), "project")
            with connect(args["kubeconfig"]) as cluster:
                values = plan_project(cluster, spec, plain(args["protected_cidrs"]))
        except (RequestError, ClusterError) as error:
            raise AnsibleActionFail(str(error)) from None
        return {**result, "changed": False, "values": values}
