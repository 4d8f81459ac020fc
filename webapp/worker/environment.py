"""The environment of everything that Ansible runs in: an allow-list, so that no secret of the portal's gets
there.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from webapp.config import HOME

# On every process below the launcher, since they inherit it: how a new worker finds what an earlier one
# left running.
WORKER_TAG = "CROFT_WORKER_ID"
# Set for one job's processes: ansible-runner's child hands it to all that Ansible starts.
JOB_TAG = "CROFT_JOB_ID"

_PASSED_ON = (
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "PYTHONDONTWRITEBYTECODE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TZ",
)


def launcher_environment(
    worker: str, folder: Path, home: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the launcher's environment, which is Ansible's configuration too.

    `worker` is the worker's name, `folder` its private HOME, `home` the folder with ansible.cfg and the
    playbooks.
    """
    config = home / "ansible.cfg"
    return {
        **{name: environ[name] for name in _PASSED_ON if name in environ},
        # ansible-playbook of the Python that runs us, before any other.
        "PATH": f"{Path(sys.executable).parent}:{environ.get('PATH', os.defpath)}",
        # The action plugins use the portal's models.
        "PYTHONPATH": str(HOME),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        WORKER_TAG: worker,
        **({"ANSIBLE_CONFIG": str(config)} if config.exists() else {}),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_NOCOLOR": "True",
        # A value that was not meant as a template, and looks like one, ends the job instead of being passed
        # on.
        "_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR": "error",
    }
