"""Print progress lines, and return a result, as the project's and the application's own plugins do."""

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """The task `say`."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the argument `lines`; return the argument `result`."""
        result = super().run(tmp, task_vars)
        for line in self._task.args.get("lines", []):
            self._display.display(f"croft: {line}")
        if "result" in self._task.args:
            result["croft_result"] = self._task.args["result"]
        return result
