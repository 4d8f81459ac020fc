"""List what belongs to a project or an application, or prove that nothing is left. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any, ClassVar

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils import belongings
from plugins.module_utils.cluster import Cluster
from plugins.module_utils.cluster_action import Arguments, ClusterAction

DOCUMENTATION = """
name: belongings
short_description: List what belongs to a project or an application, or prove that nothing is left
description:
  - With state=listed, the result holds what is there (objects) and a project's applications (releases).
  - With state=gone, waits until all is gone and returns a receipt; fails naming what is left and what holds
    it. A namespace that has lost its Helm release is deleted. No finalizer is ever taken away.
options:
  project: {type: str, required: true, description: Name of the project}
  application: {type: str, default: '', description: Name of the application; empty for the whole project}
  state: {type: str, choices: [listed, gone], default: listed, description: What to do}
  before: {type: list, elements: dict, default: [], description: The objects listed before, for the receipt}
  timeout: {type: int, default: 120, description: Seconds to wait}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
"""


class ActionModule(ClusterAction):
    """The task `belongings`."""

    ARGUMENTS: ClassVar[Arguments] = {
        "project": {"required": True},
        "application": {"default": ""},
        "state": {"choices": ["listed", "gone"], "default": "listed"},
        "before": {"type": "list", "elements": "dict", "default": []},
        "timeout": {"type": "int", "default": 120},
    }
    FAILURES: ClassVar[tuple[type[Exception], ...]] = (belongings.NotGone,)

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task; `objects` and `releases`, or `croft_result` with `removed` and `left`."""
        project, application = args["project"], args["application"]
        if args["state"] == "listed":
            if application:
                found, releases = belongings.of_application(cluster, project, application), []
            else:
                found = belongings.of_project(cluster, project)
                releases = belongings.application_releases(cluster, project) if len(found) > 1 else []
            return {"objects": [item.receipt for item in found], "releases": releases}
        if self._task.check_mode:
            return {"croft_result": {"removed": [], "left": args["before"]}}
        if application:
            belongings.wait_for_application_gone(cluster, project, application, args["timeout"])
        else:
            belongings.wait_for_project_gone(cluster, project, args["timeout"], self.tell)
        return {"croft_result": {"removed": args["before"], "left": []}}
