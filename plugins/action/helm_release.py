"""Release a Helm chart, or remove a release. See DOCUMENTATION."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.helm import HelmCommand, HelmError, secret_texts
from plugins.module_utils.release import Chart, Outcome, Release
from plugins.module_utils.release_objects import ansible_diff, sentences, summary
from plugins.module_utils.results import plain

DOCUMENTATION = """
name: helm_release
short_description: Make, change or remove a Helm release
description:
  - Runs on the controller with Helm 4. A release that a killed Helm left half-way is cured first.
  - Nothing is done when the release has these values and this chart (version and content) already.
options:
  state: {type: str, choices: [present, absent], default: present, description: What is wanted}
  name: {type: str, required: true, description: Name of the release}
  namespace: {type: str, required: true, description: Namespace that holds the release}
  create_namespace: {type: bool, default: false, description: Make that namespace when it is missing}
  chart: {type: path, description: Folder of the chart; required when present}
  values: {type: dict, default: {}, description: Values of the chart}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
  helm: {type: path, description: The helm binary; default is the variable croft_helm or helm on the PATH}
  wait: {type: bool, default: true, description: Wait until all is ready, or all is gone}
  tell:
    type: bool
    default: false
    description:
      - Show what changes, object by object, before it is done, and return it as `objects`.
      - With --diff, that is done anyway.
  validate:
    type: bool
    default: true
    description:
      - Compare the objects with the cluster's OpenAPI document before anything is released, which takes a
        second. A chart whose objects are known to be right needs no such look; check mode always takes it.
  timeout: {type: int, default: 120, description: Seconds to wait}
"""
_SPEC: dict[str, dict[str, Any]] = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "name": {"required": True},
    "namespace": {"required": True},
    "create_namespace": {"type": "bool", "default": False},
    "chart": {"type": "path"},
    "values": {"type": "dict", "default": {}},
    "kubeconfig": {"type": "path", "default": ""},
    "helm": {"type": "path", "default": ""},
    "wait": {"type": "bool", "default": True},
    "tell": {"type": "bool", "default": False},
    "validate": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 120},
}


class ActionModule(ActionBase):
    """The task `helm_release`."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do the task; the result holds `changed`, `status`, `revision` and `objects`."""
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        _, args = self.validate_argument_spec(_SPEC, required_if=[("state", "present", ("chart",))])
        values = plain(args["values"])
        if self._task.check_mode and args["kubeconfig"] and not os.path.exists(args["kubeconfig"]):
            absent: dict[str, Any] = {"status": "absent", "revision": None, "objects": []}
            return {**result, "changed": args["state"] == "present", **absent}
        helm = args["helm"] or self._templar.template(variables.get("croft_helm", "")) or shutil.which("helm")
        command = HelmCommand(
            helm or "helm",
            args["kubeconfig"],
            args["timeout"],
            secret_texts(values),
            validate=args["validate"] or self._task.check_mode,
        )
        release = Release(command, args["name"], args["namespace"], args["timeout"])
        try:
            outcome = asyncio.run(self._settle(release, args, values))
        except HelmError as error:
            what = f"Helm release '{release.name}' in namespace '{release.namespace}'"
            verb = "released" if args["state"] == "present" else "removed"
            raise AnsibleActionFail(f"{what} could not be {verb}: {error}") from None
        return {
            **result,
            "changed": outcome.changed,
            "status": outcome.status,
            "revision": outcome.revision,
            "objects": summary(outcome.objects or []),
            **({"diff": ansible_diff(outcome.objects)} if outcome.objects and self._task.diff else {}),
            "croft_result": {"release": release.name, "revision": outcome.revision},
        }

    def _tell(self, objects: list[dict[str, Any]]) -> None:
        """Show who is waiting what changes; the portal finds these lines by their prefix."""
        for line in sentences(objects):
            self._display.display(f"croft: {line}")

    async def _settle(self, release: Release, args: dict[str, Any], values: dict[str, Any]) -> Outcome:
        if args["state"] == "absent":
            return await release.remove(wait=args["wait"], check=self._task.check_mode)
        return await release.deploy(
            Chart.read(args["chart"]),
            values,
            create_namespace=args["create_namespace"],
            wait=args["wait"],
            check=self._task.check_mode,
            tell=self._tell if args["tell"] or self._task.diff else None,
        )
