"""The variables of the dashboards: what is chosen in their heads."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

# Every query goes to the data source that is chosen in the dashboard's head; for members that is their
# project's own.
DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


def datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def choice(name: str, label: str, query: str, *, multi: bool = False) -> dashboard.QueryVariable:
    """A variable filled by `label_values(...)`. With `multi` several values, or all, can be chosen."""
    built = dashboard.QueryVariable(name).label(label).query(query).datasource(DATASOURCE)
    built = built.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    built = built.multi(multi).include_all(multi)
    if multi:
        built = built.all_value(".*").current(VariableOption(text="All", value="$__all"))
    return built


def namespace(*, multi: bool = False) -> dashboard.QueryVariable:
    query = 'label_values(k8s_namespace_phase{job="kube-state"}, namespace)'
    return choice("namespace", "Namespace", query, multi=multi)


def project() -> dashboard.QueryVariable:
    """The namespaces that have a quota: the projects."""
    return choice(
        "namespace", "Project", 'label_values(k8s_resource_quota_used{job="kube-state"}, namespace)'
    )


def application(*, multi: bool = False) -> dashboard.QueryVariable:
    query = 'label_values(k8s_pod_phase{job="kube-state", namespace="$namespace"}, workload)'
    return choice("application", "Application", query, multi=multi)


def pod() -> dashboard.QueryVariable:
    where = 'job="kube-state", namespace="$namespace", workload=~"$application"'
    return choice("pod", "Pod", f"label_values(k8s_pod_phase{{{where}}}, pod)", multi=True)


def container() -> dashboard.QueryVariable:
    where = 'job="kube-state", namespace="$namespace", pod=~"$pod"'
    return choice(
        "container", "Container", f"label_values(k8s_container_ready{{{where}}}, container)", multi=True
    )


def node() -> dashboard.QueryVariable:
    return choice(
        "node", "Node", 'label_values(k8s_node_condition_ready{job="kube-state"}, node)', multi=True
    )
