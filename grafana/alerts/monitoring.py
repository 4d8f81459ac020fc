"""The monitoring itself: who watches it."""

from grafana import series as s
from grafana.alerts.control_plane import absent
from grafana.rulebook import Alert, Group


def _grown(metric: str, job: str, window: str) -> str:
    return f"sum by (job) (increase({s.series(metric, job)}[{window}]))"


def _any_grown(metrics: tuple[str, ...], window: str) -> str:
    return "\nor ".join(f"{_grown(metric, 'prometheus', window)} > 0" for metric in metrics)


_KNOWN = s.series("prometheus_notifications_alertmanagers_discovered", "prometheus")
# These have alerts of their own, which say what it means that they are down.
_OWN_ALERTS = 'job!~"node|kubelet|etcd|application"'
_SENT = f"sum by (integration) ({s.rate('alertmanager_notifications_total', 'alertmanager', '', '10m')})"
_UNSENT = (
    f"sum by (integration) ({s.rate('alertmanager_notifications_failed_total', 'alertmanager', '', '10m')})"
)

GROUP = Group(
    "monitoring-alerts",
    (
        Alert(
            "Watchdog",
            "vector(1)",
            "0m",
            "info",
            "Alerting works",
            "This alert always fires. A receiver that does not see it any more knows that alerts do not "
            "reach it.",
        ),
        Alert(
            "TargetDown",
            f"max by (job, instance) (up{{{_OWN_ALERTS}}}) == 0",
            "10m",
            "warning",
            "A target of {{ $labels.job }} does not answer Prometheus",
            "{{ $labels.instance }} ({{ $labels.job }}) has not answered for 10 minutes: its dashboards and "
            "alerts see nothing.",
        ),
        Alert(
            "ScraperMissing",
            "\nor ".join(absent(job) for job in ("cadvisor", "kube-state", "node", "storage")),
            "10m",
            "critical",
            "There are no metrics of {{ $labels.job }}",
            "Nothing has been read from {{ $labels.job }} for 10 minutes. Alerts that need its metrics "
            "cannot fire.",
        ),
        Alert(
            "ScrapeLimitExceeded",
            _any_grown(
                (
                    "prometheus_target_scrapes_exceeded_sample_limit_total",
                    "prometheus_target_scrapes_exceeded_body_size_limit_total",
                ),
                "10m",
            ),
            "10m",
            "warning",
            "A target gives more metrics than are allowed",
            "Prometheus throws away everything that a target says when it says too much.",
        ),
        Alert(
            "PrometheusConfigReloadFailed",
            f"max by (job) ({s.series('prometheus_config_last_reload_successful', 'prometheus')}) == 0",
            "5m",
            "critical",
            "Prometheus could not load its configuration",
            "Prometheus goes on with the configuration that it had before. It would not start again with "
            "the new one.",
        ),
        Alert(
            "PrometheusRulesFail",
            f"{_grown('prometheus_rule_evaluation_failures_total', 'prometheus', '5m')} > 0",
            "10m",
            "critical",
            "Prometheus cannot evaluate some of its rules",
            "Rules have failed for 10 minutes. Alerts may be missing.",
        ),
        Alert(
            "PrometheusRulesLate",
            f"{_grown('prometheus_rule_group_iterations_missed_total', 'prometheus', '5m')} > 0",
            "15m",
            "warning",
            "Prometheus does not evaluate its rules in time",
            "Rounds of rules have been skipped for 15 minutes: alerts fire late.",
        ),
        Alert(
            "PrometheusStorageFails",
            _any_grown(
                (
                    "prometheus_tsdb_compactions_failed_total",
                    "prometheus_tsdb_reloads_failures_total",
                    "prometheus_tsdb_wal_corruptions_total",
                ),
                "3h",
            ),
            "10m",
            "warning",
            "Prometheus has trouble with its storage",
            "Prometheus could not write, load or compact its data within the last 3 hours. Its disk may "
            "be full "
            "or broken.",
        ),
        Alert(
            "PrometheusNotIngesting",
            # When nothing is stored, no sample can say so: what every scrape writes is missing.
            'absent(up{job!=""})',
            "10m",
            "critical",
            "Prometheus stores nothing",
            "Not a single sample has been stored for 10 minutes.",
        ),
        Alert(
            "PrometheusWithoutAlertmanager",
            f"max by (job) ({_KNOWN}) < 1",
            "10m",
            "critical",
            "Prometheus knows no Alertmanager",
            "Alerts are computed and reach nobody.",
        ),
        Alert(
            "PrometheusAlertsLost",
            _any_grown(
                ("prometheus_notifications_dropped_total", "prometheus_notifications_errors_total"), "5m"
            ),
            "15m",
            "warning",
            "Prometheus cannot hand its alerts to Alertmanager",
            "Alerts have been lost on their way to Alertmanager for 15 minutes.",
        ),
        Alert(
            "AlertmanagerDown",
            absent("alertmanager"),
            "5m",
            "critical",
            "Alertmanager does not answer",
            "Alerts reach nobody. That this one is seen in Prometheus or the portal is all there is.",
        ),
        Alert(
            "AlertmanagerConfigReloadFailed",
            f"max by (job) ({s.series('alertmanager_config_last_reload_successful', 'alertmanager')}) == 0",
            "5m",
            "critical",
            "Alertmanager could not load its configuration",
            "Alertmanager goes on with the configuration that it had before. It would not start again "
            "with the new one.",
        ),
        Alert(
            "AlertmanagerNotificationsFail",
            f"{_UNSENT} / ({_SENT} > 0) > 0.01",
            "10m",
            "warning",
            "Alertmanager cannot deliver to {{ $labels.integration }}",
            "{{ $value | humanizePercentage }} of the notifications to {{ $labels.integration }} have "
            "failed for "
            "10 minutes.",
        ),
    ),
)
