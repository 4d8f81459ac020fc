"""Check an application against the cluster and work out the values of its chart. See DOCUMENTATION."""

import sys
from pathlib import Path
from typing import Any, ClassVar

# ansible-playbook does not put the checkout on Python's path.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from plugins.module_utils.application_plan import Address, ApplicationPlan
from plugins.module_utils.catalog_plan import find_entry, plan_values
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
    description: >-
      The application as webapp.applications.schemas.ApplicationSpec has it, or as CatalogSpec of
      webapp.catalog.schemas
  domain: {type: str, required: true, description: Domain below which applications get their host names}
  http_port: {type: int, required: true, description: Port of the ingress}
  https_port: {type: int, required: true, description: Port of the ingress for HTTPS}
  cert_issuer: {type: str, default: '', description: ClusterIssuer of cert-manager; empty when there is none}
  ingress_class: {type: str, required: true, description: Class of the Ingress}
  storage_class: {type: str, default: '', description: Storage class of volumes; empty for the cluster's own}
  charts: {type: path, required: true, description: Folder that holds the charts}
  catalog: {type: path, default: '', description: The catalog's file, for an application that comes from it}
  kubeconfig: {type: path, description: File that leads to the cluster; empty for the pod's service account}
"""


class ActionModule(ClusterAction):
    """The task `application_plan`."""

    ARGUMENTS: ClassVar[Arguments] = {
        "spec": {"type": "dict", "required": True},
        "domain": {"required": True},
        "http_port": {"type": "int", "required": True},
        "https_port": {"type": "int", "required": True},
        "cert_issuer": {"default": ""},
        "ingress_class": {"required": True},
        "storage_class": {"default": ""},
        "charts": {"required": True},
        "catalog": {"default": ""},
    }

    def work(self, cluster: Cluster, args: dict[str, Any]) -> dict[str, Any]:
        """Do the task.

        The result holds `chart` (its folder) and its `values`, the `url` of the application, and `quota`: for
        each resource whether the project's quota suffices. A rehearsal goes on where it does not. An
        application from the catalog has neither url nor quota: Kubernetes tells when its objects do not fit.
        """
        address = Address(
            args["domain"], args["http_port"], args["https_port"], args["ingress_class"], args["cert_issuer"]
        )
        spec = validate(args["spec"], "application")
        if "catalog" in spec:
            entry = find_entry(args["catalog"], spec["catalog"])
            return self._planned(plan_values(cluster, spec, entry), str(entry.chart), [], "")
        plan = ApplicationPlan(cluster, spec, address)
        values, quota = plan.values(args["storage_class"], rehearsal=self._task.check_mode)
        if self._task.check_mode:
            for verdict in quota:
                self.tell(verdict["words"])
        return self._planned(values, f"{args['charts']}/application", quota, address.url(spec))

    def _planned(
        self, values: dict[str, Any], chart: str, quota: list[dict[str, Any]], url: str
    ) -> dict[str, Any]:
        # The values hold secrets: later tasks get them, logs and events do not.
        return {"values": values, "chart": chart, "quota": quota, "url": url, "_ansible_no_log": True}
