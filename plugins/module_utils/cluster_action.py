"""What the action plugins that read the cluster have in common."""

from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from plugins.module_utils.cluster import Cluster, ClusterError, connect
from plugins.module_utils.request_file import RequestError
from plugins.module_utils.results import plain

Arguments = dict[str, dict[str, Any]]


class ClusterAction(ActionBase):
    """A task that reads the cluster.

    A plugin names its arguments in `ARGUMENTS` (`kubeconfig` comes with all of them), its own errors whose
    text is for the user in `FAILURES`, and does its work in `work`.
    """

    _requires_connection = False
    ARGUMENTS: ClassVar[Arguments] = {}
    FAILURES: ClassVar[tuple[type[Exception], ...]] = ()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, open the cluster and do the work; the result is what `work` returns."""
        result = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {**self.ARGUMENTS, "kubeconfig": {"type": "path", "default": ""}}
        )
        args = plain(args)
        failures: tuple[type[Exception], ...] = (RequestError, ClusterError, *self.FAILURES)
        try:
            with connect(args["kubeconfig"]) as cluster:
                return {**result, "changed": False, **self.work(cluster, args)}
        except failures as error:
            raise AnsibleActionFail(str(error)) from None

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task with its checked, inert arguments and return its result."""
        raise NotImplementedError

    def tell(self, line: str) -> None:
        """Show who is waiting how it goes; the portal finds these lines by their prefix."""
        self._display.display(f"croft: {line}")
