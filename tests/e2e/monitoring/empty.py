"""What finds nothing on a cluster where all is well, and why: all the rest has to find something."""

_WAITS = "only while a container does not run; test_faults provokes it"
_MEMORY = "only after a container has run out of memory; test_faults provokes it"
_ALERTS = "only while an alert waits or fires; test_faults makes some"
_EVICTED = "no node is so short of anything that it evicts a pod"
_ALONE = "a cluster with one member of etcd has no round trips between members"

# Queries of dashboards, as "<dashboard> / <panel> / <letter>".
QUERIES: dict[str, str] = {
    "croft-application / Containers that do not run, by reason / A": _WAITS,
    "croft-application / Out of memory by pod / A": _MEMORY,
    "croft-cluster / Containers that do not run, by reason (cluster) / A": _WAITS,
    "croft-cluster / Evicted pods by namespace / A": _EVICTED,
    "croft-cluster / Out of memory by namespace / A": _MEMORY,
    "croft-control-plane / API requests turned away / A": "only when the API server has too much to do",
    "croft-control-plane / etcd: round trips between members / A": _ALONE,
    "croft-namespaces / Alerts of the namespaces / A": _ALERTS,
    "croft-namespaces / Containers that do not run, by workload and reason / A": _WAITS,
    "croft-namespaces / Out of memory by workload / A": _MEMORY,
    "croft-pods / Containers that do not run, with their reason / A": _WAITS,
    "croft-pods / Containers that were started again / A": "only after a restart; test_faults provokes them",
    "croft-pods / Out of memory by container / A": _MEMORY,
    "croft-project / Alerts / A": _ALERTS,
    "croft-project / Containers that do not run, by application and reason / A": _WAITS,
    "croft-project / Out of memory by application / A": _MEMORY,
}
# Labels that a panel names and its query's series may lack, by query and label.
LABELS: dict[str, dict[str, str]] = {
    "croft-cluster / Firing alerts / A": {
        "node": "only while an alert about a node fires; test_node_loss makes some",
    },
    "croft-project / Alerts / A": {
        "pod": "the alert that fires here, ApplicationErrors, is about no single pod",
    },
}
# Recording rules by name, and selectors of alerts as "<alert>: <metric>".
RULES: dict[str, str] = {
    "ContainerOutOfMemory: namespace_pod_container:container_oom_kills:increase30s": _MEMORY,
    "CoreDnsErrors: coredns_dns_responses_total": "no name server has failed",
    "PodUnschedulable: k8s_pod_phase": "every pod has found a node",
    "namespace:pods_evicted:count": _EVICTED,
    "namespace_pod_container:container_oom_kills:increase30s": _MEMORY,
    "namespace_workload:container_oom_kills:increase30s": _MEMORY,
    "namespace_workload_reason:containers_not_running:sum": _WAITS,
    "PortalErrors: croft_http_requests_total": "the portal has answered without errors",
}


def panel_is_empty(uid: str, title: str) -> bool:
    """Tell whether every query of a panel may find nothing, as far as one of its queries is excused."""
    return any(name.startswith(f"{uid} / {title} / ") for name in QUERIES)
