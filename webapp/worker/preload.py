"""Load into the launcher what every job needs, so that no job waits for it."""

import os
import pkgutil
import warnings
from importlib import import_module
from pathlib import Path

# What ansible-playbook imports on its way, as far as it is not loaded with the first of them.
_MODULES = (
    "ansible.cli.playbook",
    "ansible.playbook.handler_task_include",
    "ansible.plugins.doc_fragments",
    "multiprocessing.popen_fork",
    "multiprocessing.shared_memory",
    "pyhelm3",
    "webapp.worker.play",
)
# Ansible loads all plugins of these kinds at every start (connection, shell, become, callback), or in every
# task (filter, test), with their documentation, which holds their options.
_PLUGIN_KINDS = ("become", "connection", "filter", "inventory", "shell", "strategy", "test", "vars")
# ansible-runner's own callback looks at the job's environment when it is loaded, so every job loads that one.
_RUNNER_CALLBACK = "awx_display"


def load() -> None:
    """Import everything, with the settings that ansible-runner will ask for. Raises ImportError."""
    runner = import_module("ansible_runner.utils")
    # Ansible takes its settings from the environment once, at import; webapp.worker.play checks that they
    # fit.
    os.environ.update(
        {
            "ANSIBLE_CALLBACK_PLUGINS": runner.get_callback_dir(),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_STDOUT_CALLBACK": _RUNNER_CALLBACK,
        }
    )
    for name in _MODULES:
        import_module(name)
    _load_builtin_collection()
    _load_ansible_plugins()
    _load_own_plugins()


def _load_builtin_collection() -> None:
    """The names of all modules there have ever been, which the first task of every playbook looks through."""
    import_module("ansible.plugins.loader").init_plugin_loader()
    import_module("ansible_collections.ansible.builtin")
    # ansible-playbook does it once more, and finds it done.
    warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")


def _load_ansible_plugins() -> None:
    loaders = import_module("ansible.plugins.loader")
    for kind in _PLUGIN_KINDS:
        for _plugin in getattr(loaders, f"{kind}_loader").all(class_only=True):
            # Loading is all; the loader keeps it.
            continue
    for path in list(loaders.callback_loader.all(path_only=True)):
        if (name := Path(path).stem) != _RUNNER_CALLBACK:
            loaders.callback_loader.get(name, class_only=True)


def _load_own_plugins() -> None:
    """What the tasks of Croft's playbooks share. The tasks themselves are small, and loaded by Ansible."""
    package = import_module("plugins.module_utils")
    for module in pkgutil.iter_modules(package.__path__, "plugins.module_utils."):
        import_module(module.name)
