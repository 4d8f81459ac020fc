"""Links from one level to the next: cluster, namespace, application, pod; and to the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardLinkType


@dataclass(frozen=True)
class Link:
    """A way to another dashboard.

    `labels` maps its variables to labels of the series that was clicked; `variables` are passed on.
    """

    title: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()

    def url(self, labels: str) -> str:
        """The address; `labels` is how Grafana reaches labels in this type of panel."""
        asked = [f"var-{variable}=${{{labels}.{label}}}" for variable, label in self.labels.items()]
        asked += [f"var-{variable}=${{{variable}}}" for variable in self.variables]
        return f"/d/{self.uid}?" + "&".join([*asked, "${__url_time_range}"])

    def builder(self, labels: str) -> dashboard.DashboardLink:
        return dashboard.DashboardLink(self.title).type(DashboardLinkType.LINK).url(self.url(labels))


def board_link(title: str, uid: str, *, variables: bool = False) -> dashboard.DashboardLink:
    """A link in a dashboard's head, which keeps the time range and, if asked, its variables."""
    built = dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(f"/d/{uid}")
    return built.keep_time(True).include_vars(variables)


TO_NAMESPACE = Link("Open the namespace", "croft-namespaces", {"namespace": "namespace"})
TO_PROJECT = Link("Open the project", "croft-project", {"namespace": "namespace"})
TO_NODE = Link("Open the node", "croft-nodes", {"node": "node"})
TO_WORKLOAD = Link(
    "Open the application", "croft-application", {"namespace": "namespace", "application": "workload"}
)
TO_DEPLOYMENT = Link(
    "Open the application", "croft-application", {"namespace": "namespace", "application": "deployment"}
)
TO_APPLICATION = Link(
    "Open the application", "croft-application", {"application": "workload"}, ("namespace",)
)
TO_POD = Link("Open the pod", "croft-pods", {"pod": "pod"}, ("namespace",))
TO_ANY_POD = Link("Open the pod", "croft-pods", {"namespace": "namespace", "pod": "pod"})
