"""The portal: there, without errors, and its jobs move."""

from grafana import series as s
from grafana.alerts.control_plane import absent
from grafana.rulebook import Alert, Group


def _age(state: str) -> str:
    where = f'state="{state}"'
    return f"max by (job) ({s.series('croft_job_oldest_age_seconds', 'portal', where)})"


def _requests(where: str = "") -> str:
    return f"sum by (job) ({s.rate('croft_http_requests_total', 'portal', where, '5m')})"


def _ended(where: str = "") -> str:
    counted = s.series("croft_job_duration_seconds_count", "portal", where)
    return f"sum by (job) (increase({counted}[30m]))"


_FAILED = 'result="failed"'
_LOST = s.series("croft_notifications_total", "portal", _FAILED)
_REFUSED = s.series("croft_sign_ins_total", "portal", 'result=~"failed|throttled"')

GROUP = Group(
    "portal-alerts",
    (
        Alert(
            "PortalDown",
            absent("portal", 'component="web"'),
            "3m",
            "critical",
            "The portal does not answer",
            "No web process of the portal has answered for 3 minutes.",
        ),
        Alert(
            "PortalWorkerDown",
            absent("portal", 'component="worker"'),
            "5m",
            "critical",
            "No worker of the portal answers",
            "Without a worker no job is carried out: changes that members make wait.",
        ),
        Alert(
            "PortalErrors",
            "{} / ({} > 0) > 0.05".format(_requests('status=~"5.."'), _requests()),
            "5m",
            "warning",
            "The portal answers {{ $value | humanizePercentage }} of its requests with errors",
            "More than 5 % of the requests to the portal have ended with 5xx for 5 minutes.",
        ),
        Alert(
            "JobsWaiting",
            f"{_age('queued')} > 300",
            "2m",
            "warning",
            "A job has waited for {{ $value | humanizeDuration }}",
            "The oldest job in the portal's queue has waited for more than 5 minutes: no worker takes it.",
        ),
        Alert(
            "JobStuck",
            f"{_age('running')} > 1800",
            "5m",
            "warning",
            "A job has been running for {{ $value | humanizeDuration }}",
            "A job of the portal has been running for more than 30 minutes. Other jobs of its project "
            "wait for it.",
        ),
        Alert(
            "JobsFailing",
            f"{_ended(_FAILED)} / ({_ended()} > 0) > 0.5 and on (job) {_ended(_FAILED)} > 3",
            "5m",
            "warning",
            "{{ $value | humanizePercentage }} of the portal's jobs fail",
            "More than half of the jobs that ended within the last 30 minutes have failed.",
        ),
        Alert(
            "NotificationsLost",
            f"sum by (channel) (increase({_LOST}[30m])) > 0",
            "0m",
            "warning",
            "Notifications by {{ $labels.channel }} are not delivered",
            "The portal has given up on {{ $value | humanize }} notifications by {{ $labels.channel }} "
            "within the "
            "last 30 minutes.",
        ),
        Alert(
            "SignInsRefused",
            f"sum by (job) (increase({_REFUSED}[10m])) > 50",
            "0m",
            "warning",
            "{{ $value | humanize }} sign-ins were refused in 10 minutes",
            "Somebody may be guessing passwords.",
        ),
    ),
)
