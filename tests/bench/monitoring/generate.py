"""A day of samples for the made-up cluster, made into blocks by a program around Prometheus' own code.

The program (blocks/main.go) is compiled against the very modules that the bundle's Prometheus is made of.
"""

import json
import os
import subprocess
import zlib
from pathlib import Path

from bundle.build.golang import GoToolchain
from bundle.build.lock import load
from bundle.build.settings import Settings
from tests.bench.monitoring import rules
from tests.bench.monitoring.catalogue import RECORDED, series
from tests.bench.monitoring.selectors import Metric

BLOCK_S = 2 * 3600
BLOCKS = 12
# As in charts/monitoring, in seconds: these are scraped more often than all others.
OFTEN = ("cadvisor", "node", "envoy", "portal", "application")
OFTEN_S, SCRAPE_S = 15, 30
SOURCE = Path(__file__).parent / "blocks" / "main.go"


def lines(metrics: set[Metric]) -> list[str]:
    """Return a line of JSON for each series of the metrics. Raises KeyError for an unknown job."""
    recorded = rules.records()
    return [
        json.dumps(
            {
                "labels": {"__name__": metric.name, **one.labels},
                "kind": one.kind,
                "size": one.size,
                "whole": "seconds" not in metric.name or metric.name.endswith(("_bucket", "_count")),
                "seed": _seed(metric.name, one.labels),
                "every": int(recorded[metric.name] if metric.job == RECORDED else _scraped(metric.job))
                // OFTEN_S,
            }
        )
        for metric in sorted(metrics)
        for one in series(metric.job, metric.name)
    ]


def _scraped(job: str) -> int:
    """Return the seconds between two scrapes of a job."""
    return OFTEN_S if job in OFTEN else SCRAPE_S


def _seed(metric: str, labels: dict[str, str]) -> int:
    """Return one number for all buckets of a histogram, another one for any other series."""
    names = [value for name, value in sorted(labels.items()) if name != "le"]
    return zlib.crc32("|".join([metric, *names]).encode())


def compiled(folder: Path) -> Path:
    """Compile the program into `folder`. Raises BuildError when there is no Go."""
    settings = Settings()
    go = GoToolchain(settings, load(settings.definitions / "lock.yml"))
    program = folder / "blocks"
    command = ("nice", go.executable(folder / "go.log"), "build", "-trimpath", "-o", program, SOURCE)
    module = settings.definitions / "go" / "prometheus"
    subprocess.run(command, cwd=module, env=os.environ | go.environment(), check=True)
    return program


def make_blocks(found: list[str], folder: Path, end: int, resolution: int) -> int:
    """Write blocks of the day before `end` (seconds, a multiple of BLOCK_S) into folder/data.

    `resolution`: seconds of a step. Returns the number of samples.
    """
    data = folder / "data"
    data.mkdir()
    command = (
        "nice", compiled(folder), f"-out={data}", f"-end={end}", f"-blocks={BLOCKS}", f"-step={resolution}",
    )  # fmt: skip
    subprocess.run(command, input="\n".join(found), text=True, check=True)
    return sum(BLOCKS * BLOCK_S // (resolution * json.loads(line)["every"]) for line in found)
