"""Check a project against the cluster and work out the values of its chart. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any, ClassVar

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.cluster import Cluster
from plugins.module_utils.cluster_action import Arguments, ClusterAction
from plugins.module_utils.project_plan import plan_project
from plugins.module_utils.request_file import validate

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


class ActionModule(ClusterAction):
    """The task `project_plan`."""

    ARGUMENTS: ClassVar[Arguments] = {
        "spec": {"type": "dict", "required": True},
        "protected_cidrs": {"type": "list", "elements": "str", "default": []},
    }

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task; `values` in the result are those of charts/project."""
        spec = validate(args["spec"], "project")
        return {"values": plan_project(cluster, spec, args["protected_cidrs"])}
