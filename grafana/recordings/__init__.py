"""Series that are computed beforehand, of many containers or buckets: of workloads, nodes, the portal.

Members see of nodes and the cluster what is recorded for their namespace; dashboards over many workloads and
days are quick because of it; and alerts ask it.
"""

from grafana.recordings import control_plane, nodes, portal, requests, workloads

GROUPS = (
    nodes.GROUP,
    workloads.USAGE,
    workloads.STATES,
    workloads.NAMESPACES,
    requests.GROUP,
    control_plane.GROUP,
    portal.GROUP,
)
