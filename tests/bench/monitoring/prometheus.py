"""The processes that the benchmark asks: a Prometheus on made-up blocks, and the label proxy before it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from tests.bench.web import ROOT
from tests.ports import free_port

CHART = ROOT / "charts" / "monitoring"
NAMESPACE_HEADER = "X-Croft-Namespace"


@dataclass(frozen=True)
class Server:
    """A process at `url` that speaks Prometheus's HTTP API."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """Return the processor's seconds that the process has used."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory_mb(self) -> float:
        """Return the process's resident memory without the pages of mapped files, in MB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024


def binary(name: str) -> Path:
    """Return a binary of the bundle, or of the folder that BENCH_BIN names. Raises SystemExit without it."""
    if "BENCH_BIN" in os.environ:
        found = Path(os.environ["BENCH_BIN"], name)
    else:
        command = (sys.executable, "-m", "bundle.build", "path")
        bundle = subprocess.run(command, cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE).stdout
        found = Path(bundle.strip(), "bin", name)
    if not found.exists():
        raise SystemExit(f"croft: {found} does not exist: run make bundle first")
    return found


def chart_options() -> tuple[str, ...]:
    """Return the limits of queries that charts/monitoring installs."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())["prometheus"]["query"]
    return (
        f"--query.timeout={values['timeout']}",
        f"--query.max-samples={values['maxSamples']}",
        f"--query.max-concurrency={values['concurrency']}",
    )


@contextmanager
def prometheus(folder: Path, data: Path, *options: str) -> Iterator[Server]:
    """Run Prometheus on the blocks in `data`, without targets; yield it once it answers."""
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 15s}\n")
    port = free_port()
    own = (
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=15d",
        # Blocks stay as they are, so that no compaction runs beside what is measured.
        "--storage.tsdb.min-block-duration=2h",
        "--storage.tsdb.max-block-duration=2h",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with _process(
        (binary("prometheus"), *own, *options), folder / "prometheus.log", port, "/-/ready"
    ) as server:
        yield server


@contextmanager
def label_proxy(folder: Path, upstream: Server) -> Iterator[Server]:
    """Run the label proxy before a Prometheus, with the options of charts/monitoring."""
    port = free_port()
    options = (
        "-label=namespace",
        f"-header-name={NAMESPACE_HEADER}",
        "-enable-label-apis",
        "-error-on-replace",
        f"-upstream={upstream.url}",
        f"-insecure-listen-address=127.0.0.1:{port}",
    )
    path = "/api/v1/query?query=vector(1)"
    with _process((binary("prom-label-proxy"), *options), folder / "label-proxy.log", port, path) as server:
        yield server


@contextmanager
def _process(command: tuple[str | Path, ...], log: Path, port: int, path: str) -> Iterator[Server]:
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            _wait(url + path, process, log)
            yield Server(url, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, limit: float = 180) -> None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{log.stem} has ended:\n{log.read_text()[-3000:]}")
        try:
            if httpx.get(url, headers={NAMESPACE_HEADER: "any"}, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # It does not listen yet.
        time.sleep(0.1)
    raise TimeoutError(f"{log.stem} does not answer after {limit:.0f} s")
