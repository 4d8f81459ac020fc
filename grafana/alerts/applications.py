"""What users of applications feel: errors, latency, nobody there."""

from grafana import series as s
from grafana.rulebook import OF_THE_NAMESPACE, PROJECT, Alert, Group

GROUP = Group(
    "application-alerts",
    (
        Alert(
            "ApplicationErrors",
            "namespace_workload:request_errors:ratio_rate5m > 0.05 "
            "and on (namespace, workload) namespace_workload:requests:rate5m > 0.1",
            "5m",
            "warning",
            "{{ $labels.workload }} in {{ $labels.namespace }} answers "
            "{{ $value | humanizePercentage }} of its requests with errors",
            "More than 5 % of the requests to {{ $labels.workload }} have ended with 5xx for 5 minutes.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ApplicationSlow",
            "namespace_workload:request_latency_ms:p95_rate5m > 2000 "
            "and on (namespace, workload) namespace_workload:requests:rate5m > 0.1",
            "10m",
            "warning",
            "{{ $labels.workload }} in {{ $labels.namespace }} is slow",
            '5 of 100 requests to {{ $labels.workload }} take longer than {{ printf "%.0f" $value }} ms.',
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ApplicationDown",
            "namespace_workload:replicas_available:ratio == 0",
            "5m",
            "critical",
            "{{ $labels.workload }} in {{ $labels.namespace }} is down",
            "None of the replicas of {{ $labels.workload }} has been available for 5 minutes.",
            audience=OF_THE_NAMESPACE,
        ),
        Alert(
            "ApplicationMetricsUnreadable",
            f"max by (namespace, workload, pod) ({s.series('up', 'application')}) == 0",
            "15m",
            "info",
            "The metrics of {{ $labels.workload }} in {{ $labels.namespace }} cannot be read",
            "Pod {{ $labels.pod }} of {{ $labels.workload }} asks to have its metrics read, and has not "
            "answered "
            "for 15 minutes, or with too many or broken ones.",
            audience=PROJECT,
        ),
    ),
)
