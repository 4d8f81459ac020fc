"""Let everything in a project sleep, or wake it. See DOCUMENTATION."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils import asleep
from plugins.module_utils.cluster import Cluster
from plugins.module_utils.cluster_action import Arguments, ClusterAction
from plugins.module_utils.helm import HelmCommand, HelmError, secret_texts
from plugins.module_utils.release import Release

DOCUMENTATION = """
name: applications_asleep
short_description: Let everything in a project sleep, or wake it
description:
  - Releases each Helm release of the project's namespace anew with its own values and `asleep`, if its chart
    has that value, and waits until no pod is left; fails naming those that are.
  - The other way round, releases those that sleep without it and waits until they are ready; fails naming
    those that are not. What a run that was cut off has left is done.
options:
  project: {type: str, required: true, description: Name of the project}
  asleep: {type: bool, required: true, description: What is wanted}
  charts: {type: path, required: true, description: Folder of charts, for releases whose own chart is too old}
  helm: {type: path, default: '', description: The helm binary; default is helm on the PATH}
  timeout: {type: int, default: 120, description: Seconds to wait}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
"""


class ActionModule(ClusterAction):
    """The task `applications_asleep`."""

    ARGUMENTS: ClassVar[Arguments] = {
        "project": {"required": True},
        "asleep": {"type": "bool", "required": True},
        "charts": {"type": "path", "required": True},
        "helm": {"type": "path", "default": ""},
        "timeout": {"type": "int", "default": 120},
    }
    FAILURES: ClassVar[tuple[type[Exception], ...]] = (asleep.NotAsleep, HelmError)

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task; `applications` in the result are those that were changed."""
        project, wanted = args["project"], args["asleep"]
        found = asleep.releases_of(cluster, project)
        changed = [
            stored.name
            for stored in found
            if asleep.has_to_turn(cluster, project, stored, wanted) and self._release(stored, wanted, args)
        ]
        if not self._task.check_mode:
            if wanted:
                asleep.wait_until_asleep(cluster, project, args["timeout"], self.tell)
            else:
                lately = [item.name for item in found if asleep.woken_lately(cluster, project, item)]
                names = sorted({*changed, *lately})
                asleep.wait_until_awake(cluster, project, names, args["timeout"], self.tell)
        result: dict[str, Any] = {"changed": bool(changed), "applications": changed}
        if changed:
            result["croft_result"] = {"asleep" if wanted else "awake": changed}
        return result

    def _release(self, stored: asleep.Stored, wanted: bool, args: dict[str, Any]) -> bool:
        values = stored.values(wanted)
        helm = args["helm"] or shutil.which("helm") or "helm"
        # The chart is the one that was released before.
        command = HelmCommand(helm, args["kubeconfig"], args["timeout"], secret_texts(values), validate=False)
        release = Release(command, stored.name, args["project"], args["timeout"])
        with asleep.chart_of(stored, Path(args["charts"])) as chart:
            if chart is None:
                self.tell(f"{stored.name}: its chart does not know how to sleep, so it stays as it is")
                return False
            self.tell(f"{stored.name}: {'goes to sleep' if wanted else 'wakes'}")
            outcome = asyncio.run(
                release.deploy(chart, values, create_namespace=False, wait=False, check=self._task.check_mode)
            )
        return outcome.changed
