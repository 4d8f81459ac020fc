"""Load into the launcher what every job needs, so that no job waits for it."""

import os
from importlib import import_module

# What ansible-playbook, the project's and the application's plugins import on their way.
_MODULES = (
    "ansible.cli.playbook",
    "ansible.executor.playbook_executor",
    "ansible.executor.task_executor",
    "ansible.plugins.action.normal",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.inventory.host_list",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
    "pyhelm3",
    "webapp.applications.schemas",
    "webapp.projects.schemas",
    "webapp.worker.play",
)


def load() -> None:
    """Import everything, with the settings that ansible-runner will ask for. Raises ImportError."""
    runner = import_module("ansible_runner.utils")
    # Ansible takes its settings from the environment once, at import; webapp.worker.play checks that they
    # fit.
    os.environ.update(
        {
            "ANSIBLE_CALLBACK_PLUGINS": runner.get_callback_dir(),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        }
    )
    for name in _MODULES:
        import_module(name)
