"""Wait until an application is ready, or tell why it is not. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any, ClassVar

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.cluster import Cluster
from plugins.module_utils.cluster_action import Arguments, ClusterAction
from plugins.module_utils.readiness import NotReady, wait_until_ready

DOCUMENTATION = """
name: application_ready
short_description: Wait until an application is ready, or tell why it is not
description:
  - Watches the pods of the latest revision. Shows progress in lines that begin with "croft".
  - Fails as soon as something is wrong that does not pass by itself (image, crash, quota, room on the nodes),
    and when the time is over, always with the reason.
options:
  project: {type: str, required: true, description: Name of the project}
  application: {type: str, required: true, description: Name of the application}
  revision: {type: int, description: Revision of the release, for the result}
  url: {type: str, default: '', description: Address of the application, for the result}
  plan:
    type: dict
    description: What a rehearsal found out, `quota` and `objects`, for its result
  timeout: {type: int, default: 120, description: Seconds to wait}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
"""


class ActionModule(ClusterAction):
    """The task `application_ready`."""

    ARGUMENTS: ClassVar[Arguments] = {
        "project": {"required": True},
        "application": {"required": True},
        "revision": {"type": "int"},
        "url": {"default": ""},
        "plan": {"type": "dict"},
        "timeout": {"type": "int", "default": 120},
    }
    FAILURES = (NotReady,)

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task; `croft_result` holds `url`, `revision`, `ready` and `replicas`.

        That of a rehearsal holds `plan` instead: what it found out, and whether that `fits` the quota.
        """
        result = {"url": args["url"], "revision": args["revision"]}
        if self._task.check_mode:
            plan = args["plan"] or {"quota": [], "objects": []}
            fits = all(verdict["fits"] for verdict in plan["quota"])
            return {"croft_result": {**result, "plan": {"url": args["url"], "fits": fits, **plan}}}
        snapshot = wait_until_ready(cluster, args["project"], args["application"], args["timeout"], self.tell)
        return {"croft_result": {**result, "ready": len(snapshot.pods), "replicas": snapshot.wanted}}
