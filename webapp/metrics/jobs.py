"""How many jobs there are, and for how long they wait and run, read from the database when asked.

Each process that reads it tells the same: add nothing up over pods.
"""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import datetime

from flask import Flask
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.db import db, utcnow
from webapp.jobs.models import STATES, Job

log = logging.getLogger(__name__)

# Seconds for which an answer serves whoever asks again.
KEPT_FOR = 5.0
# So many jobs of one state are counted at most: the question stays cheap, however long jobs are kept.
MOST_COUNTED = 10_000


class JobCollector:
    """Reads `croft_jobs` and `croft_job_oldest_age_seconds`; a database that is silent gives no samples."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._kept: list[GaugeMetricFamily] = []
        self._until = 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = self._read()
                self._until = time.monotonic() + KEPT_FOR
            kept = self._kept
        yield from kept

    def _read(self) -> list[GaugeMetricFamily]:
        try:
            with self._app.app_context(), Session(db.engine) as session:
                return _metrics(session)
        except SQLAlchemyError:
            log.exception("the jobs cannot be counted")
            return []


def _metrics(session: Session) -> list[GaugeMetricFamily]:
    # Each part is answered from the index of state and time of creation.
    counts = [
        select(func.count())
        .select_from(select(literal(1)).where(Job.state == state).limit(MOST_COUNTED).subquery())
        .scalar_subquery()
        for state in STATES
    ]
    oldest = {
        "queued": select(func.min(Job.created_at)).where(Job.state == "queued"),
        "running": select(func.min(Job.started_at)).where(Job.state == "running"),
    }
    row = session.execute(select(*counts, *(query.scalar_subquery() for query in oldest.values()))).one()
    jobs = GaugeMetricFamily(
        "croft_jobs",
        f"Jobs that are kept, by state; at most {MOST_COUNTED} of each are counted",
        labels=["state"],
    )
    for state, count in zip(STATES, row, strict=False):
        jobs.add_metric([state], count)
    ages = GaugeMetricFamily(
        "croft_job_oldest_age_seconds",
        "For how long the oldest job has waited (queued) or run (running); 0 when there is none",
        labels=["state"],
    )
    for state, moment in zip(oldest, row[len(STATES) :], strict=True):
        ages.add_metric([state], _age(moment))
    return [jobs, ages]


def _age(moment: datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (utcnow() - moment).total_seconds())
