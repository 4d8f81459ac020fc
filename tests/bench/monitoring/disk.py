"""How many bytes a sample takes on disk: the cluster's own samples, put into a block by promtool.

A server that is younger than three hours has no block yet, so samples are read from it and made into one.
"""

import json
import subprocess
from pathlib import Path

from tests.bench.monitoring.live import Prometheus
from tests.bench.monitoring.prometheus import binary

WINDOW = "30m"
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def save(prometheus: Prometheus, jobs: list[str], text: Path) -> None:
    """Write the last WINDOW of all jobs' samples as OpenMetrics text."""
    with text.open("w") as output:
        for job in jobs:
            for one in prometheus.vector(f'{{job="{job}"}}[{WINDOW}]'):
                before = _series(one["metric"])
                output.writelines(f"{before} {value} {time}\n" for time, value in one["values"])
        output.write("# EOF\n")


def measure(text: Path) -> dict[str, float]:
    """Make blocks of saved samples beside their text; return samples, series and bytes of each sample."""
    data = text.parent / "data"
    command = (binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, data)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    blocks = [path.parent for path in data.glob("*/meta.json")]
    stats = [json.loads((block / "meta.json").read_text())["stats"] for block in blocks]
    samples = sum(one["numSamples"] for one in stats)
    chunks = sum(path.stat().st_size for block in blocks for path in (block / "chunks").iterdir())
    index = sum((block / "index").stat().st_size for block in blocks)
    return {
        "samples": samples,
        "series": max(one["numSeries"] for one in stats),
        "chunk_bytes_per_sample": chunks / samples,
        "index_bytes_per_sample": index / samples,
        "bytes_per_sample": (chunks + index) / samples,
    }


def _series(labels: dict[str, str]) -> str:
    """Return a series as OpenMetrics writes it."""
    pairs = ",".join(
        f'{key}="{value.translate(ESCAPES)}"' for key, value in labels.items() if key != "__name__"
    )
    return f"{labels['__name__']}{{{pairs}}}"
