"""Check an application against the cluster and work out the values of its chart. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any, ClassVar

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.application_plan import Address, ApplicationPlan
from plugins.module_utils.cluster import Cluster
from plugins.module_utils.cluster_action import Arguments, ClusterAction
from plugins.module_utils.request_file import validate

DOCUMENTATION = """
name: application_plan
short_description: Check an application against the cluster and work out the values of its chart
description:
  - Changes nothing. Fails when the project does not exist, when its quota has no room, when another
    application holds the host name, when a volume would change its size, or when a secret has no value.
options:
  spec:
    type: dict
    required: true
    description: The application as webapp.applications.schemas.ApplicationSpec has it
  domain: {type: str, required: true, description: Domain below which applications get their host names}
  http_port: {type: int, required: true, description: Port of the ingress}
  ingress_class: {type: str, required: true, description: Class of the Ingress}
  storage_class: {type: str, default: '', description: Storage class of volumes; empty for the cluster's own}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
"""


class ActionModule(ClusterAction):
    """The task `application_plan`."""

    ARGUMENTS: ClassVar[Arguments] = {
        "spec": {"type": "dict", "required": True},
        "domain": {"required": True},
        "http_port": {"type": "int", "required": True},
        "ingress_class": {"required": True},
        "storage_class": {"default": ""},
    }

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task; the result holds `values` for charts/application and the `url` of the application."""
        address = Address(args["domain"], args["http_port"], args["ingress_class"])
        spec = validate(args["spec"], "application")
        values = ApplicationPlan(cluster, spec, address).values(args["storage_class"])
        # The values hold secrets: later tasks get them, logs and events do not.
        return {"values": values, "url": address.url(spec), "_ansible_no_log": True}
