"""A Prometheus of the tests' own, over copies of series that the cluster's has scraped."""

import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.monitoring.prometheus import Prometheus
from tests.helm import helm_binary

Json = dict[str, Any]


def _binary(name: str) -> str:
    return str(Path(helm_binary()).with_name(name))


def _line(labels: dict[str, str], moment: float, value: str) -> str:
    """One sample in the OpenMetrics text format."""
    escaped = {
        key: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for key, text in labels.items()
        if key != "__name__"
    }
    inside = ",".join(f'{key}="{text}"' for key, text in escaped.items())
    return f"{labels['__name__']}{{{inside}}} {value} {moment}\n"


@contextmanager
def replica(folder: Path, series: Iterable[Json]) -> Iterator[Prometheus]:
    """Run a Prometheus in a new folder over series, each {"metric": labels, "values": [[time, text], …]}."""
    folder.mkdir()
    samples = folder / "samples"
    with samples.open("w") as file:
        for one in series:
            file.writelines(_line(one["metric"], moment, value) for moment, value in one["values"])
        file.write("# EOF\n")
    blocks = [
        _binary("promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(samples),
        str(folder / "data"),
    ]
    subprocess.run(blocks, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [
                _binary("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=30, trust_env=False) as http:
            end = time.monotonic() + 30
            while not _ready(http):
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, "Prometheus does not get ready"
                time.sleep(0.1)
            yield Prometheus(lambda path, method="GET", **more: http.request(method, path, **more))
    finally:
        server.terminate()
        server.wait(30)


def _ready(http: httpx.Client) -> bool:
    try:
        return http.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False
