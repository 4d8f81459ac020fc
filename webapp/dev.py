"""`make portal`: web and worker on this machine against a cluster's kubeconfig, for development.

Keys, database and the first administrator's password live below the cluster's state folder, so that a restart
keeps everyone signed in. Monitoring answers inside the cluster alone, so kubectl brings it here. Ctrl-C ends
all of these processes.
"""

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from cryptography.fernet import Fernet

HOME = Path(__file__).resolve().parent.parent
KEYS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "JWT_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": lambda: Fernet.generate_key().decode(),
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(15),
}
# What monitoring's services are called, by the settings that say where they answer.
SERVICES = {
    "CROFT_PROMETHEUS_URL": ("prometheus", 9090),
    "CROFT_LABEL_PROXY_URL": ("label-proxy", 8080),
    "CROFT_ALERTMANAGER_URL": ("alertmanager", 9093),
}
NAMESPACE = "croft-monitoring"
# Seconds until a connection to monitoring that was cut is made anew.
PAUSE_S = 5


def forwards(state: Path) -> dict[str, tuple[str, list[str]]]:
    """Return, by setting, an address on this machine and the command that brings a service there."""
    found = {}
    for setting, (service, port) in SERVICES.items():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            here = free.getsockname()[1]
        kubectl = [str(state / "bundle" / "bin" / "kubectl"), f"--kubeconfig={state / 'kubeconfig'}"]
        forward = ["port-forward", f"--namespace={NAMESPACE}", f"service/{service}", f"{here}:{port}"]
        found[setting] = f"http://127.0.0.1:{here}", [*kubectl, *forward]
    return found


def settings(state: Path, port: int) -> dict[str, str]:
    """Return the CROFT_ variables for a cluster's state folder; makes missing keys as files of mode 0600."""
    folder = state / "portal"
    made_with = yaml.safe_load((state / "cluster.yml").read_text())
    (folder / "jobs").mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {
        "CROFT_DATABASE_URL": f"sqlite:///{folder / 'portal.db'}",
        "CROFT_EXTERNAL_URL": f"http://localhost:{port}",
        "CROFT_BIND": f"127.0.0.1:{port}",
        "CROFT_KUBECONFIG": str(state / "kubeconfig"),
        "CROFT_HELM": str(state / "bundle" / "bin" / "helm"),
        "CROFT_HTTP_PORT": str(made_with["http_port"]),
        "CROFT_HTTPS_PORT": str(made_with.get("https_port", 8443)),
        "CROFT_BROWSER_FILES": str(state / "bundle" / "browser"),
        # Hundreds of threads would otherwise keep a heap of their own each.
        "MALLOC_ARENA_MAX": "2",
        "CROFT_JOB_DIR": str(folder / "jobs"),
    }
    for name, make in KEYS.items():
        path = folder / name.lower()
        if not path.exists():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(make())
        found[f"CROFT_{name}_FILE"] = str(path)
    return found


def run(environment: Mapping[str, str], commands: list[list[str]]) -> int:
    """Prepare the database, then run web and worker until one ends or Ctrl-C; return the exit code.

    `commands` run beside them, and again when they have ended; what they say is of no use to anybody.
    """
    subprocess.run([sys.executable, "-m", "webapp.prepare"], env=environment, cwd=HOME, check=True)
    processes = [
        subprocess.Popen([sys.executable, "-m", module], env=environment, cwd=HOME)
        for module in ("webapp.wsgi", "webapp.worker")
    ]
    beside = [_quiet(command) for command in commands]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pid, status = os.wait()
        while pid in [process.pid for process in beside]:
            time.sleep(PAUSE_S)
            beside = [process if process.pid != pid else _quiet(process.args) for process in beside]
            pid, status = os.wait()
        ended = next(process.args for process in processes if process.pid == pid)
        print(f"croft: {ended} has ended", file=sys.stderr)  # type: ignore[str-bytes-safe]
        return os.waitstatus_to_exitcode(status)
    except KeyboardInterrupt:
        return 0
    finally:
        # A second Ctrl-C, or make's own signal, must not cut the orderly end short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for process in (*processes, *beside):
            process.terminate()
        for process in (*processes, *beside):
            process.wait(timeout=60)


def _quiet(command: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Run the portal on this machine against a cluster.")
    parser.add_argument(
        "--state", type=Path, required=True, help="state folder of the cluster, like .croft/croft"
    )
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1 (default: 8000)")
    arguments = parser.parse_args()
    state = arguments.state.resolve()
    if not (state / "kubeconfig").exists():
        sys.exit(f"croft: {state / 'kubeconfig'} is missing: make the cluster first, with `make up`")
    found = settings(state, arguments.port)
    print(f"croft: portal at {found['CROFT_EXTERNAL_URL']}, sign in as admin", flush=True)
    print(f"croft: the password is in {found['CROFT_ADMIN_PASSWORD_FILE']}", flush=True)
    monitoring = forwards(state)
    addresses = {setting: address for setting, (address, _) in monitoring.items()}
    sys.exit(run(os.environ | addresses | found, [command for _, command in monitoring.values()]))


if __name__ == "__main__":
    main()
