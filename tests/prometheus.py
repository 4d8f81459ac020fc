"""A real Prometheus and a real prom-label-proxy on this machine, with measurements made for a test."""

import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bundles import bundled
from tests.ports import free_port

STEP_S = 30
AHEAD_S = 1800


def binary(name: str) -> Path:
    """Return the path of a binary of the bundle's: below CROFT_BIN, or in the newest finished bundle."""
    given = os.environ.get("CROFT_BIN")
    if given:
        assert (Path(given) / name).is_file(), f"CROFT_BIN names {given}, where no {name} is"
        return Path(given) / name
    return bundled(name)


@dataclass(frozen=True)
class Measured:
    """One series: its name and labels as in a selector, and its values, one each STEP_S."""

    name: str
    labels: dict[str, str]
    values: list[float]

    def lines(self, end: int) -> Iterator[str]:
        """Yield it in OpenMetrics; the last value is at `end` (seconds since 1970)."""
        pairs = ",".join(f"{key}={json.dumps(value)}" for key, value in self.labels.items())
        start = end - STEP_S * (len(self.values) - 1)
        for index, value in enumerate(self.values):
            yield f"{self.name}{{{pairs}}} {value:.10g} {start + index * STEP_S}"


@dataclass(frozen=True)
class Monitored:
    """Where both answer. `until`: the moment of the last values."""

    prometheus: str
    label_proxy: str
    until: int

    @property
    def settings(self) -> dict[str, str]:
        """The fields of webapp.config.Config for them."""
        return {"prometheus_url": self.prometheus, "label_proxy_url": self.label_proxy}


@contextmanager
def running(folder: Path, series: Iterable[Measured], until: int | None = None) -> Iterator[Monitored]:
    """Serve these series until the block ends; both processes end with it.

    Without `until` they go on for some minutes, so that "now" has values while the tests last.
    """
    until = int(time.time() + AHEAD_S) // STEP_S * STEP_S if until is None else until
    _make_blocks(folder, series, until)
    with prometheus(folder) as address, label_proxy(address) as proxy:
        yield Monitored(address, proxy, until)


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """Run Prometheus on the blocks in `folder`/data; yields its address."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = [
        str(binary("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--storage.tsdb.retention.time=15d",
        "--log.level=warn",
    ]
    with _process(command, folder / "prometheus.log", f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextmanager
def label_proxy(upstream: str) -> Iterator[str]:
    """Run prom-label-proxy in front of Prometheus, as charts/monitoring does; yields its address."""
    address = f"127.0.0.1:{free_port()}"
    internal = f"127.0.0.1:{free_port()}"
    command = [
        str(binary("prom-label-proxy")),
        "-label=namespace",
        "-header-name=X-Croft-Namespace",
        "-enable-label-apis",
        "-error-on-replace",
        f"-upstream={upstream}",
        f"-insecure-listen-address={address}",
        f"-internal-listen-address={internal}",
    ]
    with _process(command, None, f"http://{address}/healthz"):
        yield f"http://{address}"


def _make_blocks(folder: Path, series: Iterable[Measured], until: int) -> None:
    text = folder / "series.txt"
    with text.open("w") as file:
        # One family of no type after the other: what matters are names, labels and values.
        for one in sorted(series, key=lambda item: item.name):
            file.writelines(f"{line}\n" for line in one.lines(until))
        file.write("# EOF\n")
    command = [str(binary("promtool")), "tsdb", "create-blocks-from", "openmetrics"]
    made = subprocess.run(
        [*command, str(text), str(folder / "data")],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert made.returncode == 0, made.stdout + made.stderr


@contextmanager
def _process(command: list[str], log: Path | None, ready: str) -> Iterator[None]:
    with log.open("wb") if log else open(os.devnull, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            _wait(process, ready)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], ready: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, f"{process.args} has ended with {process.returncode}"
        try:
            if httpx.get(ready, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{process.args} is not ready after a minute")
