"""The portal on PostgreSQL: web and worker apart, two of each, on a server that runs on one of the nodes."""

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.podman import podman
from tests.e2e.waiting import eventually
from tests.playbook import ROOT
from tests.portal import Portal

pytestmark = pytest.mark.e2e

# Debian's package starts a server; it has to listen to the cluster, and to let its own user in by password.
SET_UP = """
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! command -v psql >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
fi
conf=$(ls -d /etc/postgresql/*/main)
echo "listen_addresses = '*'" > "$conf/conf.d/croft.conf"
grep -q croft "$conf/pg_hba.conf" || echo "host croft croft 0.0.0.0/0 scram-sha-256" >> "$conf/pg_hba.conf"
systemctl restart postgresql
su postgres -c "psql --quiet --set ON_ERROR_STOP=1"
"""


def install(state_dir: Path, variables: dict[str, Any], folder: Path) -> None:
    """Run playbooks/portal.yml with variables that are in no command line."""
    file = folder / "variables.json"
    file.write_text(json.dumps(variables))
    file.chmod(0o600)
    done = subprocess.run(
        [
            ROOT / ".venv/bin/ansible-playbook",
            "-i",
            "inventories/local",
            "playbooks/portal.yml",
            "-e",
            f"@{file}",
        ],
        cwd=state_dir.parents[1],
        env=os.environ | {"CLUSTER": state_dir.name},
        text=True,
        capture_output=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    for value in variables.values():
        assert not (isinstance(value, str) and value in done.stdout), "a secret is in the playbook's output"


def reachable(portal_url: str) -> Portal:
    """Return the portal once Envoy leads to its new pods."""
    client = Portal(portal_url)
    eventually(lambda: client.request("GET", "/readyz").is_success, 60, "Envoy does not lead to the portal")
    return client


@pytest.fixture
def portal_on_postgresql(
    kubectl: Callable[..., str],
    state_dir: Path,
    portal_url: str,
    admin: tuple[str, str],
    tmp_path: Path,
) -> Iterator[Portal]:
    """The cluster's portal, moved to PostgreSQL for this test, and back to SQLite afterwards."""
    node = json.loads(kubectl("get", "nodes", "-o", "json"))["items"][-1]
    addresses = node["status"]["addresses"]
    address = next(item["address"] for item in addresses if item["type"] == "InternalIP")
    password = secrets.token_urlsafe(20)
    statements = (
        f"DROP DATABASE IF EXISTS croft;\nDROP ROLE IF EXISTS croft;\n"
        f"CREATE ROLE croft LOGIN PASSWORD '{password}';\nCREATE DATABASE croft OWNER croft;\n"
    )
    podman("exec", "--interactive", node["metadata"]["name"], "sh", "-c", SET_UP, stdin=statements)
    url = f"postgresql+psycopg://croft:{password}@{address}:5432/croft"
    try:
        more = {"portal_database_url": url, "portal_web_replicas": 2, "portal_worker_replicas": 2}
        install(state_dir, more, tmp_path)
        client = reachable(portal_url)
        client.sign_in(*admin)
        yield client
    finally:
        install(state_dir, {}, tmp_path)
        reachable(portal_url)


def test_two_of_each_share_a_database(
    portal_on_postgresql: Portal, kubectl: Callable[..., str], agnhost_settings: dict[str, Any]
) -> None:
    portal = portal_on_postgresql
    deployments = json.loads(kubectl("get", "deployment", "-n", "croft", "-o", "json"))["items"]
    ready = {item["metadata"]["name"]: item["status"].get("readyReplicas") for item in deployments}
    assert ready == {"portal-web": 2, "portal-worker": 2}

    made = portal.submit("POST", "/api/v1/projects", {"name": "on-postgres"})
    assert made.job["state"] == "succeeded", made.text()
    created = portal.submit(
        "POST", "/api/v1/projects/on-postgres/applications", {"name": "web", **agnhost_settings}
    )
    assert created.job["state"] == "succeeded", created.text()
    gone = portal.submit("DELETE", "/api/v1/projects/on-postgres")
    assert gone.job["state"] == "succeeded", gone.text()
    assert gone.job["result"]["left"] == []
