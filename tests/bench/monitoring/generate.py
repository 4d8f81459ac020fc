"""A day of samples for the made-up cluster, written as OpenMetrics text and made into blocks by promtool.

One text of two hours at a time, as promtool reads a whole text once for every block that it makes.
"""

import math
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.monitoring.catalogue import Series, series
from tests.bench.monitoring.selectors import Metric

BLOCK_S = 2 * 3600
BLOCKS = 12
PATTERNS = 23


@dataclass
class Line:
    """One series on its way: `before` is its text up to the value, `total` what its counter has reached."""

    before: str
    kind: str
    size: float
    whole: bool
    pattern: int
    total: float = field(default=0.0)


def lines(metrics: set[Metric]) -> list[Line]:
    """Return every series of the metrics, one metric after another. Raises KeyError for an unknown job."""
    found: list[Line] = []
    for metric in sorted(metrics):
        for one in series(metric.job, metric.name):
            found.append(_line(metric.name, one, len(found)))
    return found


def _line(name: str, one: Series, number: int) -> Line:
    labels = ",".join(f'{key}="{value}"' for key, value in one.labels.items())
    whole = "seconds" not in name or name.endswith(("_bucket", "_count"))
    return Line(f"{name}{{{labels}}} ", one.kind, one.size, whole, number % PATTERNS)


def make_blocks(found: list[Line], data: Path, end: int, resolution: int, promtool: Path) -> int:
    """Write blocks for the day before `end` (seconds, a multiple of BLOCK_S); return the number of samples.

    The text of two hours lies beside the folder `data` while promtool reads it, and is removed then.
    """
    text = data.parent / "block.txt"
    numbers = random.Random(1)  # noqa: S311
    for block in range(BLOCKS):
        start = end - (BLOCKS - block) * BLOCK_S
        times = range(start, start + BLOCK_S, resolution)
        with text.open("w", buffering=2**22) as output:
            output.writelines(_text(found, times, numbers))
            output.write("# EOF\n")
        command = ("nice", promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, data)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        text.unlink()
        print(f"croft: {block + 1} of {BLOCKS} blocks are made", flush=True)
    return len(found) * BLOCKS * len(times)


def _text(found: list[Line], times: range, numbers: random.Random) -> Iterator[str]:
    """Yield the text of each series."""
    ends = [f" {time}\n" for time in times]
    rises = [_rises(len(times), times.step, numbers) for _ in range(PATTERNS)]
    walks = [_walk(len(times), numbers) for _ in range(PATTERNS)]
    for line in found:
        before, size = line.before, line.size
        if line.kind == "constant":
            yield "".join([f"{before}{size:.0f}{end}" for end in ends])
            continue
        if line.kind == "counter":
            total = line.total
            values = [total + size * rise for rise in rises[line.pattern]]
            line.total = values[-1]
        else:
            values = [size * level for level in walks[line.pattern]]
        if line.whole:
            yield "".join([f"{before}{value:.0f}{end}" for value, end in zip(values, ends, strict=True)])
        else:
            yield "".join([f"{before}{value:.9g}{end}" for value, end in zip(values, ends, strict=True)])


def _rises(count: int, step: int, numbers: random.Random) -> list[float]:
    """Return what a counter has grown by at each time: some 0.1 a second, unsteadily."""
    total, found = 0.0, []
    for _ in range(count):
        total += step * 0.2 * numbers.random()
        found.append(total)
    return found


def _walk(count: int, numbers: random.Random) -> list[float]:
    """Return a gauge's levels, between 0.5 and 1.5 around a slow wave."""
    start = numbers.random() * math.tau
    return [
        1 + 0.4 * math.sin(start + place / count * math.pi) + 0.1 * numbers.uniform(-1, 1)
        for place in range(count)
    ]
