"""Apply Kubernetes manifests from files, server-side. See DOCUMENTATION."""

import os
import subprocess
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

DOCUMENTATION = """
name: kube_apply
short_description: Apply Kubernetes manifests from files, server-side
description:
  - Runs kubectl on the controller. The task is changed exactly when an object is new or its resourceVersion
    differs afterwards, that is, when the server really stored something else than before.
  - In check mode the server compares (kubectl diff) and stores nothing.
options:
  files: {type: list, elements: path, required: true, description: Manifest files}
  kubeconfig: {type: path, required: true, description: File that leads to the cluster}
  kubectl: {type: path, description: The binary; default is the variable croft_kubectl or kubectl on the PATH}
  condition: {type: str, description: Wait for this condition of every object, for example Established}
  timeout: {type: int, default: 60, description: Seconds to wait for the condition}
"""
_SPEC: dict[str, dict[str, Any]] = {
    "files": {"type": "list", "elements": "path", "required": True},
    "kubeconfig": {"type": "path", "required": True},
    "kubectl": {"type": "path", "default": ""},
    "condition": {"default": ""},
    "timeout": {"type": "int", "default": 60},
}
_COLUMNS = (
    "custom-columns=:.kind,:.metadata.namespace,:.metadata.name,:.metadata.uid,:.metadata.resourceVersion"
)
_FIELD_MANAGER = "croft"


class KubectlError(Exception):
    """kubectl ended with an error; the message is what it said."""


class Kubectl:
    """The kubectl binary, set to one cluster and one set of manifest files."""

    def __init__(self, binary: str, kubeconfig: str, files: list[str]) -> None:
        self._start = [binary, "--kubeconfig", kubeconfig]
        self._files = [part for file in files for part in ("--filename", file)]

    def _run(self, *arguments: str, good: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self._start, *arguments, *self._files], capture_output=True, text=True, check=False
        )
        if done.returncode not in good:
            raise KubectlError(done.stderr.strip() or f"kubectl {arguments[0]} ended with {done.returncode}")
        return done

    def versions(self) -> dict[str, str]:
        """Return the resourceVersion of each object that exists, by kind, namespace, name and uid."""
        lines = self._run(
            "get", "--ignore-not-found", "--no-headers", "--output", _COLUMNS
        ).stdout.splitlines()
        pairs = (line.rsplit(maxsplit=1) for line in lines if line.strip())
        return {" ".join(key.split()): version for key, version in pairs}

    def apply(self) -> None:
        """Store the objects. Raises KubectlError when the server refuses one."""
        self._run("apply", "--server-side", "--force-conflicts", "--field-manager", _FIELD_MANAGER)

    def differs(self) -> tuple[bool, str]:
        """Return whether the server would store something else, and the difference as text."""
        done = self._run(
            *("diff", "--server-side", "--force-conflicts", "--field-manager", _FIELD_MANAGER), good=(0, 1)
        )
        return done.returncode == 1, done.stdout

    def wait(self, condition: str, timeout: int) -> None:
        """Wait until every object has the condition. Raises KubectlError after `timeout` seconds."""
        self._run("wait", f"--for=condition={condition}", f"--timeout={timeout}s")


class ActionModule(ActionBase):
    """The task `kube_apply`."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Apply the files; returns changed and the names of the objects that changed."""
        result = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(_SPEC)
        files = [str(file) for file in args["files"]]
        missing = [file for file in files if not os.path.exists(file)]
        if missing:
            raise AnsibleActionFail(f"manifest files are missing: {', '.join(missing)}")
        if self._task.check_mode and not os.path.exists(args["kubeconfig"]):
            return {**result, "changed": True, "objects": []}
        binary = (
            args["kubectl"] or self._templar.template((task_vars or {}).get("croft_kubectl", "")) or "kubectl"
        )
        kubectl = Kubectl(str(binary), args["kubeconfig"], files)
        try:
            if self._task.check_mode:
                changed, difference = kubectl.differs()
                return {**result, "changed": changed, "diff": {"prepared": difference}}
            return {**result, **_apply(kubectl, args["condition"], args["timeout"])}
        except (KubectlError, OSError) as error:
            raise AnsibleActionFail(f"{', '.join(files)} could not be applied: {error}") from None


def _apply(kubectl: Kubectl, condition: str, timeout: int) -> dict[str, Any]:
    before = kubectl.versions()
    kubectl.apply()
    if condition:
        kubectl.wait(condition, timeout)
    after = kubectl.versions()
    # A condition that the server sets raises the version of new objects only; these have changed anyway.
    objects = sorted(
        key.rsplit(maxsplit=1)[0] for key, version in after.items() if before.get(key) != version
    )
    return {"changed": bool(objects), "objects": objects}
