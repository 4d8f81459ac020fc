"""What the benchmark does to the cluster without the portal: make, Helm, playbooks, kubectl, memory."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Cluster:
    """One local cluster, made and removed by `make` with `settings` (CLUSTER, NODES and the ports)."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        self.state = ROOT / ".croft" / settings["CLUSTER"]
        self.bundle = Path(self._plain(sys.executable, "-m", "bundle.build", "path").strip())
        self.url = f"http://croft.localhost:{settings['HTTP_PORT']}"
        self._environment = {
            k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")
        }
        self._environment |= settings | {
            "KUBECONFIG": str(self.state / "kubeconfig"),
            "PATH": f"{self.bundle / 'bin'}:{os.environ['PATH']}",
        }

    @staticmethod
    def _plain(*command: str, environment: dict[str, str] | None = None) -> str:
        return subprocess.run(
            command, cwd=ROOT, env=environment, text=True, check=True, stdout=subprocess.PIPE
        ).stdout

    def image(self, name: str) -> str:
        """Return the full name of one of the bundle's images."""
        return json.loads((self.bundle / "manifest.json").read_text())["images"][name]["name"]

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Run a command at the checkout's root; return its output. Raises RuntimeError."""
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, text=True, capture_output=True, input=stdin, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def timed(self, *command: str, stdin: str | None = None) -> float:
        """Return the seconds that a command took."""
        start = time.monotonic()
        self.run(*command, stdin=stdin)
        return time.monotonic() - start

    def make_up(self) -> tuple[float, int]:
        """Run `make up`; return its seconds and how many changes its plays report."""
        start = time.monotonic()
        output = self.run("make", "--no-print-directory", "up")
        changed = sum(int(number) for number in re.findall(r"changed=(\d+)", output))
        return time.monotonic() - start, changed

    def playbook(self, name: str, request: Path, state: str = "present") -> float:
        """Return the seconds that a playbook takes when an operator runs it by hand."""
        return self.timed(
            ".venv/bin/ansible-playbook", "-i", "localhost,", f"playbooks/{name}.yml",
            "-e", f"request_file={request}", "-e", f"state={state}",
            "-e", f"croft_http_port={self.settings['HTTP_PORT']}",
            "-e", f"croft_helm={self.bundle / 'bin/helm'}",
        )  # fmt: skip

    def helm_install(self, release: str, namespace: str, chart: str, values: Path) -> float:
        """Return the seconds of a plain `helm upgrade --install --wait`."""
        return self.timed(
            "helm", "upgrade", "--install", release, f"charts/{chart}", "--namespace", namespace,
            "--values", str(values), "--wait", "--timeout", "120s",
        )  # fmt: skip

    def save_values(self, release: str, namespace: str, target: Path) -> None:
        """Save the values of a release, for a plain Helm to use."""
        target.write_text(
            self.run("helm", "get", "values", release, "--namespace", namespace, "--output", "json")
        )

    def credentials(self) -> tuple[str, str]:
        """Return the administrator's name and password."""
        secret = self.run("kubectl", "get", "secret", "portal", "--namespace", "croft", "--output", "json")
        data = json.loads(secret)["data"]
        return b64decode(data["admin-name"]).decode(), b64decode(data["admin-password"]).decode()

    def wait_until_gone(self, namespace: str, start: float, limit: float = 180) -> float:
        """Return the seconds from `start` until the namespace is gone; raises TimeoutError after `limit`."""
        while time.monotonic() - start < limit:
            if not self.run(
                "kubectl", "get", "namespace", namespace, "--ignore-not-found", "--output", "name"
            ):
                return time.monotonic() - start
            time.sleep(0.05)
        raise TimeoutError(f"namespace {namespace} is still there after {limit:.0f} s")

    def portal_rss_mb(self) -> float:
        """Return the resident memory of all processes of web and worker, in MB (shared pages count twice)."""
        script = (
            "import pathlib,re;print(sum(int(m.group(1)) for p in pathlib.Path('/proc').glob('[0-9]*/status')"
            " if (m:=re.search(r'VmRSS:\\s+(\\d+)',p.read_text()))))"
        )
        total = 0
        for container in ("web", "worker"):
            own = self.run(
                "kubectl",
                "exec",
                "--namespace",
                "croft",
                "deploy/portal",
                "-c",
                container,
                "--",
                "python3",
                "-c",
                script,
            )
            total += int(own)
        # The measuring interpreters themselves: some 10 MB each, measured the same way alone.
        alone = self.run(
            "python3", "-c", "print(next(l.split()[1] for l in open('/proc/self/status') if 'VmRSS' in l))"
        )
        return (total - 2 * int(alone)) / 1024

    def node_memory_mb(self) -> float:
        """Return the memory of the node container without page cache, in MB (cgroup v1 and v2)."""
        facts = json.loads(self.run("podman", "inspect", f"{self.settings['CLUSTER']}-1"))[0]
        lines = Path(f"/proc/{facts['State']['Pid']}/cgroup").read_text().splitlines()
        groups = {line.split(":")[1]: line.split(":", 2)[2].removesuffix("/init.scope") for line in lines}
        version1 = "memory" in groups
        folder = f"/sys/fs/cgroup/memory{groups['memory']}" if version1 else f"/sys/fs/cgroup{groups['']}"
        counters = dict(line.split() for line in Path(folder, "memory.stat").read_text().splitlines())
        return int(counters["total_rss" if version1 else "anon"]) / 1e6


def cold_bundle_seconds() -> float:
    """Return the seconds that a whole bundle takes to compile from modules, with every cache empty."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as cache:
        start = time.monotonic()
        subprocess.run(
            (sys.executable, "-m", "bundle.build", "build", "--source", "modules"),
            cwd=ROOT,
            env=os.environ | {"CROFT_CACHE": cache},
            check=True,
        )
        seconds = time.monotonic() - start
        # Go makes its module cache read-only.
        subprocess.run(("chmod", "-R", "u+w", cache), check=True)
        return seconds
