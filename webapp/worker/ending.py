"""Decide how a job that runs no more has ended, and write it down."""

import logging
import time

from webapp.jobs import queue
from webapp.jobs.kinds import success_of
from webapp.jobs.models import END_STATES
from webapp.metrics.series import JOB_DURATION
from webapp.worker.running import RunningJob, remove

log = logging.getLogger("croft.worker")


def conclude(worker: str, job: RunningJob, timeout: int) -> None:
    """Remove the job's folder and write its end (or its return to the queue) in one transaction.

    `timeout` is the one it ran with, in seconds. May be called again when the database fails. Raises
    DBAPIError.
    """
    try:
        remove(job.folder)
    except OSError:
        log.exception(
            "job %s: its folder %s could not be removed; it holds the request", job.job.id, job.folder
        )
    outcome = _write(worker, job, timeout)
    took = time.monotonic() - job.started
    if outcome in END_STATES:
        JOB_DURATION.labels(job.job.kind, outcome).observe(took)
    log.info("job %s %s after %.1f s", job.job.id, outcome, took)


def _write(worker: str, job: RunningJob, timeout: int) -> str:
    left = job.ended.get("left") if job.ended else ""
    succeeded = job.end is not None and job.end["status"] == "successful"
    if left:
        return _end(worker, job, "failed", f"The job was ended, but {left}; tell the operator")
    if succeeded:
        # Also when a wish to cancel came too late: the change is made.
        return _end(worker, job, "succeeded", "")
    match job.reason:
        case "cancel":
            return _end(worker, job, "cancelled", _cancelled(job))
        case "timeout":
            at = f"at the task '{job.task}'" if job.task else "before its first task"
            return _end(worker, job, "failed", f"The job was ended after {timeout} s, its time limit, {at}")
        case "stop":
            why = "The worker is being stopped; the job starts again later"
            kept = queue.put_back(worker, job.job.id, why, job.events)
            return "put back" if kept else "lost"
        case "lost":
            return "lost"
    if job.end is not None:
        return _end(worker, job, "failed", job.end["message"])
    code = job.ended.get("code") if job.ended else None
    how = f" (signal {-code})" if isinstance(code, int) and code < 0 else ""
    what_happened = f"The process that ran this job ended unexpectedly{how}"
    return queue.recover(worker, job.job.id, what_happened, job.events) or "lost"


def _cancelled(job: RunningJob) -> str:
    where = f" at the task '{job.task}'" if job.task else ""
    return f"Cancelled{where}. What is half done is cured by the next change, or by deleting it"


def _end(worker: str, job: RunningJob, state: str, message: str) -> str:
    result = job.end["result"] if job.end and state == "succeeded" else None
    events = list(job.events)
    if result is not None:
        events.append(queue.NewEvent("result", "", result))
    message = message or success_of(job.job.kind, job.job.application_name or job.job.project_name)
    ended = queue.finish(worker, job.job.id, state, message, result, events)
    return state if ended else "lost"
