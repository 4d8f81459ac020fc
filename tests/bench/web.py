"""The processes that the portal's benchmark measures: a real web process on a filled database."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from tests.bench.apiserver import kubeconfig
from webapp.app import create_app
from webapp.config import load_config
from webapp.openapi import Portal as Application

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Web:
    """A web process at `url`. `environment`: its settings; `pid`: its process."""

    url: str
    environment: dict[str, str]
    pid: int

    def memory_mb(self) -> float:
        """Return the resident memory of the process and its children, in MB."""
        return sum(_resident_kb(pid) for pid in _family(self.pid)) / 1024


@contextmanager
def stand_in() -> Iterator[int]:
    """Run the stand-in for the Kubernetes API; yield its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.apiserver"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def settings(folder: Path, database_url: str, api_port: int, port: int) -> dict[str, str]:
    """Return the settings of a portal with keys of its own, whose cluster is the stand-in."""
    (folder / "kubeconfig").write_text(kubeconfig(api_port))
    (folder / "password").write_text(secrets.token_urlsafe(20))
    return {
        "CROFT_DATABASE_URL": database_url,
        "CROFT_SECRET_KEY": secrets.token_urlsafe(48),
        "CROFT_JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "CROFT_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "CROFT_EXTERNAL_URL": f"http://localhost:{port}",
        "CROFT_BIND": f"127.0.0.1:{port}",
        "CROFT_KUBECONFIG": str(folder / "kubeconfig"),
        "CROFT_ADMIN_PASSWORD_FILE": str(folder / "password"),
        "CROFT_JOB_DIR": str(folder),
    }


def prepare(environment: dict[str, str]) -> Application:
    """Migrate the database and return an application on it, to fill it with."""
    subprocess.run(
        [sys.executable, "-m", "webapp.prepare"], cwd=ROOT, env=os.environ | environment, check=True
    )
    return create_app(load_config(environment))


@contextmanager
def serve(environment: dict[str, str], log: Path, limit: float = 30) -> Iterator[Web]:
    """Run the web process as the container does; yield it once it answers. Raises TimeoutError."""
    url = environment["CROFT_EXTERNAL_URL"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp.wsgi"],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=output,
            stderr=output,
        )
        try:
            _wait(url, process, log, limit)
            yield Web(url, environment, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, limit: float) -> None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the web process has ended:\n{log.read_text()[-3000:]}")
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # It does not listen yet.
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer after {limit:.0f} s")


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
