"""Portal and jobs; and the monitoring itself."""

from grafana import series as s
from grafana.board import Board, Row
from grafana.panels import Query, lines, number_now
from grafana.series import RANGE


def _rate(metric: str, by: str, where: str = "") -> str:
    return s.grouped("sum", by, s.rate(f"croft_{metric}", "portal", where))


def _grown(metric: str, where: str = "") -> str:
    """How much a counter has grown over the chosen time."""
    return f"sum(increase({s.series(f'croft_{metric}', 'portal', where)}[{RANGE}]))"


def _recorded(of: str, share: str, by: str = "cluster") -> str:
    """The time within which a share ("p95") of all is done, as it is recorded."""
    return s.recorded_mean(f"{by}:croft_{of}_seconds:{share}_rate5m")


# The worker and every web process read the same job table, so the largest of their numbers is the number.
JOBS = f"max by (state) ({s.series('croft_jobs', 'portal')})"
AGE = f"max by (state) ({s.series('croft_job_oldest_age_seconds', 'portal')})"
ERRORS = _rate("http_requests_total", "", 'status=~"5.."')
REQUESTS = _rate("http_requests_total", "")
ANSWERS = s.recorded_mean("endpoint_status:croft_http_requests:rate5m")
SERIES = s.series("prometheus_tsdb_head_series", "prometheus")


def _jobs(state: str) -> str:
    where = f'state="{state}"'
    return f"max({s.series('croft_jobs', 'portal', where)})"


def _oldest(state: str) -> str:
    where = f'state="{state}"'
    return f"max({s.series('croft_job_oldest_age_seconds', 'portal', where)})"


# No series before the first one that fails.
FAILED = _grown("job_duration_seconds_count", 'result="failed"')

NOW = Row(
    "Now",
    (
        number_now(
            "Portal processes",
            "Web and worker processes that answer Prometheus, beside all that there are.",
            "short",
            Query(f"sum({s.series('up', 'portal')})", "up"),
            Query(f"count({s.series('up', 'portal')})", "all"),
            decimals=0,
        ),
        number_now(
            "Jobs waiting",
            "Jobs that wait for a worker, and how long the oldest has waited.",
            "short",
            Query(_jobs("queued"), "waiting"),
            limits=(10, 50),
            decimals=0,
        ),
        number_now(
            "Jobs running",
            "Jobs that a worker is carrying out.",
            "short",
            Query(_jobs("running"), "running"),
            decimals=0,
        ),
        number_now(
            "Oldest waiting job",
            "How long the job that has waited longest has been waiting.",
            "s",
            Query(_oldest("queued"), "waits"),
            limits=(60, 300),
            empty="none waits",
        ),
        number_now(
            "Oldest running job",
            "How long the job that has run longest has been running.",
            "s",
            Query(_oldest("running"), "runs"),
            limits=(900, 1800),
            empty="none runs",
        ),
        number_now(
            "Portal errors now",
            "The share of the portal's answers with a status of 500 or above.",
            "percentunit",
            Query(f"({ERRORS} or 0 * {REQUESTS}) / ({REQUESTS} > 0)", "errors"),
            limits=(0.01, 0.05),
            decimals=2,
            empty="no requests",
        ),
    ),
)

JOB = Row(
    "Jobs",
    (
        lines(
            "Jobs by state",
            "Jobs in the table that wait, run or have ended, by state.",
            "short",
            Query(JOBS, "{{state}}"),
            decimals=0,
            colours={
                "queued": "purple",
                "running": "blue",
                "succeeded": "green",
                "failed": "red",
                "cancelled": "gray",
            },
        ),
        lines(
            "Jobs ended by result",
            "Jobs per second that ended, by kind and result.",
            "ops",
            Query(_rate("job_duration_seconds_count", "kind, result"), "{{kind}} {{result}}"),
            stack=True,
        ),
        lines(
            "Time of jobs",
            "The time within which 50 and 95 of 100 jobs end, by kind.",
            "s",
            Query(_recorded("job_duration", "p50", "kind"), "{{kind}} p50"),
            Query(_recorded("job_duration", "p95", "kind"), "{{kind}} p95"),
        ),
        lines(
            "Waiting time of jobs",
            "The time within which 50 and 95 of 100 jobs are taken by a worker.",
            "s",
            Query(_recorded("job_wait", "p50"), "p50"),
            Query(_recorded("job_wait", "p95"), "p95"),
        ),
        lines(
            "Oldest jobs",
            "The age of the oldest job that waits or runs.",
            "s",
            Query(AGE, "{{state}}"),
        ),
        number_now(
            "Jobs failed in this time",
            "Jobs that have failed, over the chosen time.",
            "short",
            Query(f"{FAILED} or vector(0)", "failed"),
            decimals=0,
        ),
    ),
)

PAGES = Row(
    "Pages and API",
    (
        lines(
            "Answers by status",
            "Answers of the portal per second, by status.",
            "reqps",
            Query(f"sum by (status) ({ANSWERS})", "{{status}}"),
            stack=True,
        ),
        lines(
            "Time of answers",
            "The time within which 50, 95 and 99 of 100 requests are answered.",
            "s",
            *(Query(_recorded("http_latency", share), share) for share in ("p50", "p95", "p99")),
        ),
        lines(
            "Slowest endpoints",
            "The time within which 95 of 100 requests are answered, the ten slowest endpoints.",
            "s",
            Query(f"topk(10, {_recorded('http_latency', 'p95', 'endpoint')})", "{{endpoint}}"),
        ),
        lines(
            "Busiest endpoints",
            "Requests per second, the ten busiest endpoints.",
            "reqps",
            Query(f"topk(10, sum by (endpoint) ({ANSWERS}))", "{{endpoint}}"),
        ),
        lines(
            "Open streams",
            "Browsers that follow a job or a log.",
            "short",
            Query(f"sum({s.series('croft_streams_open', 'portal')})", "open"),
            decimals=0,
        ),
        lines(
            "Sign-ins by result",
            "Sign-ins per second; many refused ones are somebody guessing passwords.",
            "ops",
            Query(_rate("sign_ins_total", "result"), "{{result}}"),
        ),
        lines(
            "Notifications by result",
            "E-mails and webhooks per second, by channel and result.",
            "ops",
            Query(_rate("notifications_total", "channel, result"), "{{channel}} {{result}}"),
        ),
        lines(
            "CPU of the portal",
            "Cores that the portal's processes use.",
            "short",
            Query(
                s.grouped("sum", "component", s.rate("process_cpu_seconds_total", "portal")), "{{component}}"
            ),
        ),
        lines(
            "Memory of the portal",
            "Memory that the portal's processes use.",
            "bytes",
            Query(
                s.grouped("sum", "component", s.series("process_resident_memory_bytes", "portal")),
                "{{component}}",
            ),
        ),
    ),
)

MONITORING = Row(
    "The monitoring itself",
    (
        lines(
            "Targets by job",
            "The share of targets that answer Prometheus, by scrape job.",
            "percentunit",
            Query('avg by (job) (up{job=~".+"})', "{{job}}"),
            top=1,
        ),
        lines(
            "Series in memory",
            "Time series that Prometheus holds; they decide how much memory it takes.",
            "short",
            Query(f"sum({SERIES})", "series"),
            decimals=0,
        ),
        lines(
            "Samples taken in",
            "Samples per second that Prometheus stores.",
            "ops",
            Query(f"sum({s.rate('prometheus_tsdb_head_samples_appended_total', 'prometheus')})", "samples"),
        ),
        lines(
            "Prometheus: bytes on disk",
            "What Prometheus' blocks and its log of the last hours take on disk.",
            "bytes",
            Query(f"sum({s.series('prometheus_tsdb_storage_blocks_bytes', 'prometheus')})", "blocks"),
            Query(f"sum({s.series('prometheus_tsdb_wal_storage_size_bytes', 'prometheus')})", "log"),
        ),
        lines(
            "Prometheus and Alertmanager: memory",
            "Memory that the monitoring's own processes use.",
            "bytes",
            *(
                Query(f"sum({s.series('process_resident_memory_bytes', job)})", job)
                for job in ("prometheus", "alertmanager", "label-proxy")
            ),
        ),
        lines(
            "Rules: time of a round",
            "How long the slowest group of rules takes; a round longer than its interval skips the next one.",
            "s",
            Query(
                f"max({s.series('prometheus_rule_group_last_duration_seconds', 'prometheus')})",
                "slowest group",
            ),
        ),
        lines(
            "Alerts sent on",
            "Notifications per second that Alertmanager sends to its receivers, and those that fail.",
            "ops",
            Query(f"sum({s.rate('alertmanager_notifications_total', 'alertmanager')})", "sent"),
            Query(f"sum({s.rate('alertmanager_notifications_failed_total', 'alertmanager')})", "failed"),
        ),
        lines(
            "Alerts known to Alertmanager",
            "Alerts by state: active ones are passed on, suppressed ones are silenced or follow from "
            "another.",
            "short",
            Query(f"sum by (state) ({s.series('alertmanager_alerts', 'alertmanager')})", "{{state}}"),
            decimals=0,
        ),
    ),
    collapsed=True,
)

BOARD = Board(
    uid="croft-portal",
    description="The portal's jobs, pages, sign-ins and notifications; and how the monitoring itself does.",
    rows=(NOW, JOB, PAGES, MONITORING),
)
