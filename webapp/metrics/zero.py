"""Everything that a worker counts is there from its start: Prometheus sees a first event as a rise from zero.

A series that appears with its first event holds 1 from the beginning, so that `increase()` never tells it,
and no alert would hear of the first notification that is lost.
"""

from itertools import product

from webapp.jobs.models import END_STATES
from webapp.jobs.models import KINDS as JOB_KINDS
from webapp.metrics.series import JOB_DURATION, JOB_WAIT, NOTIFICATIONS
from webapp.notifications.models import KINDS as CHANNEL_KINDS

ATTEMPT_RESULTS = ("delivered", "retried", "failed")


def start_at_zero() -> None:
    """Make every series of jobs and notifications; call it once when a worker starts."""
    for kind in JOB_KINDS:
        JOB_WAIT.labels(kind)
    for kind, outcome in product(JOB_KINDS, END_STATES):
        JOB_DURATION.labels(kind, outcome)
    for channel, result in product(CHANNEL_KINDS, ATTEMPT_RESULTS):
        NOTIFICATIONS.labels(channel, result)
