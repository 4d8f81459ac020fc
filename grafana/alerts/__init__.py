"""Alerts, one module per part of the platform."""

from grafana.alerts import applications, certificates, control_plane, monitoring, nodes, portal, workloads
from grafana.rulebook import Alert, Group

GROUPS: tuple[Group, ...] = (
    nodes.GROUP,
    certificates.GROUP,
    control_plane.GROUP,
    workloads.GROUP,
    applications.GROUP,
    portal.GROUP,
    monitoring.GROUP,
)
ALERTS: tuple[Alert, ...] = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert))
