"""The portal as it is started: commands, the server, and how much memory it takes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.ports import free_port
from webapp.metrics import serving

HOME = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"
# Far above what `make bench` measures: this test is for a leak or a heavy import, not for the number.
MEMORY_MB = 180


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a portal with a migrated database and one administrator."""
    folder = tmp_path_factory.mktemp("portal")
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HOME),
        "CROFT_DATABASE_URL": f"sqlite:///{folder}/portal.db",
        "CROFT_SECRET_KEY": "s" * 40,
        "CROFT_JWT_SECRET_KEY": "j" * 40,
        "CROFT_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "CROFT_KUBECONFIG": str(folder / "kubeconfig"),
        "CROFT_BIND": f"unix:{folder}/socket",
        "CROFT_METRICS_PORT": str(free_port()),
    }
    done = flask(environ, "db", "upgrade")
    assert done.returncode == 0, done.stderr
    return environ


def flask(environ: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "--app", "webapp.wsgi", *arguments]
    return subprocess.run(
        command, cwd="/", env=environ, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def made_root(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The end of the command that makes the administrator."""
    return flask(environ, "users", "create", "root", "--admin", "--password-file", "-", stdin=f"{PASSWORD}\n")


def test_a_user_is_made_by_command(made_root: subprocess.CompletedProcess[str]) -> None:
    assert made_root.returncode == 0
    assert made_root.stdout == "User 'root' can sign in as an administrator.\n"


@pytest.fixture
def server(environ: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """The portal as `python -m webapp.wsgi` starts it, and a client of it."""
    process = subprocess.Popen([sys.executable, "-m", "webapp.wsgi"], cwd="/", env=environ)
    transport = httpx.HTTPTransport(uds=environ["CROFT_BIND"].removeprefix("unix:"))
    with httpx.Client(transport=transport, base_url="http://croft.localhost", timeout=20) as client:
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    client.get("/healthz").raise_for_status()
                    break
                except httpx.TransportError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            yield process, client
        finally:
            process.terminate()
            process.wait(20)


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children, shared pages counted once (PSS)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(memory_mb(int(child)) for child in children)


@pytest.mark.usefixtures("made_root")
def test_the_server_stays_small(server: tuple[subprocess.Popen[bytes], httpx.Client]) -> None:
    process, client = server
    assert client.get("/readyz").json() == {"status": "ok"}
    assert client.get("/sign-in").status_code == 200
    answer = client.post("/api/v1/auth/token", json={"name": "root", "password": PASSWORD})
    headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    assert client.get("/api/v1/projects", headers=headers).json()["items"] == []
    # This loads the Kubernetes client, and tells what cannot be reached.
    answer = client.post("/api/v1/projects", headers=headers, json={"name": "shop"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/cluster-unreachable")
    assert client.get("/api/v1/openapi.json").status_code == 200
    used = memory_mb(process.pid)
    assert used < MEMORY_MB, f"web takes {used:.0f} MB"


def test_metrics_come_from_a_port_of_their_own_and_from_nowhere_else(
    server: tuple[subprocess.Popen[bytes], httpx.Client], environ: dict[str, str]
) -> None:
    _, client = server
    assert client.get("/metrics").status_code == 404
    url = f"http://127.0.0.1:{environ['CROFT_METRICS_PORT']}/metrics"
    text = httpx.get(url, trust_env=False).text
    assert 'croft_http_requests_total{endpoint="none",method="GET",status="404"} 1.0' in text
    assert 'croft_http_requests_total{endpoint="healthz",method="GET",status="200"} ' in text
    assert 'croft_jobs{state="queued"} 0.0' in text
    assert "process_resident_memory_bytes" in text


def test_a_port_that_is_taken_is_taken_when_it_gets_free() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        serving.serve(serving.worker_registry(), port)
        time.sleep(0.2)
    deadline = time.monotonic() + 30
    while True:
        try:
            assert "process_cpu_seconds_total" in httpx.get(f"http://127.0.0.1:{port}", trust_env=False).text
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_what_is_not_needed_is_not_loaded(environ: dict[str, str]) -> None:
    code = "import sys, webapp.wsgi; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "flask" in loaded
    assert not loaded & {
        "aiohttp",
        "ansible",
        "ansible_runner",
        "kubernetes",
        "pyhelm3",
        "requests",
        "pytest",
    }


def test_the_server_does_not_start_without_secrets(environ: dict[str, str]) -> None:
    lacking = {name: value for name, value in environ.items() if name != "CROFT_JWT_SECRET_KEY"}
    done = subprocess.run(
        [sys.executable, "-m", "webapp.wsgi"],
        cwd="/",
        env=lacking,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert "CROFT_JWT_SECRET_KEY is not set" in done.stderr
