"""Which series a PromQL expression reads, found in its text: the metric and the job of each selector."""

import re
from dataclasses import dataclass

SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^{}]*)\}")
JOB = re.compile(r'\bjob\s*(=~?)\s*"([^"]*)"')


@dataclass(frozen=True, order=True)
class Metric:
    """A metric of a scrape job."""

    job: str
    name: str


def metrics(expression: str, jobs: tuple[str, ...]) -> set[Metric]:
    """Return the metrics that an expression reads; a pattern or a selector without a job means all `jobs`.

    Raises ValueError for a metric without a job that is none of the scrape's own (up, scrape_…).
    """
    found = set()
    for name, labels in SELECTOR.findall(expression):
        if ":" in name or name in ("ALERTS", "ALERTS_FOR_STATE"):
            continue
        match = JOB.search(labels)
        if match is None and not (name == "up" or name.startswith("scrape_")):
            raise ValueError(f"{name} names no job in: {expression}")
        operator, value = match.groups() if match else ("=~", ".*")
        for job in jobs if operator == "=~" else (value,):
            if operator == "=" or re.fullmatch(value, job):
                found.add(Metric(job, name))
    return found
