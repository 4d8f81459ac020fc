"""Applications from the catalog on the real cluster: they run from the bundle alone, and keep their data."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.portal import Portal

pytestmark = pytest.mark.e2e

PROJECT = "e2e-catalog"
PATH = f"/api/v1/projects/{PROJECT}/applications"
PASSWORD = "it's-a\"long\\one"
ANOTHER = "quite-another-1"


@pytest.fixture(scope="module")
def project(portal: Portal) -> Iterator[str]:
    """A project, gone afterwards."""
    made = portal.submit("POST", "/api/v1/projects", {"name": PROJECT})
    assert made.job["state"] == "succeeded", made.text()
    yield PROJECT
    gone = portal.submit("DELETE", f"/api/v1/projects/{PROJECT}")
    assert gone.job["state"] == "succeeded", gone.text()


@pytest.fixture
def psql(kubectl: Callable[..., str]) -> Callable[..., str]:
    """Run a statement in the database as its user, with a password that travels by standard input."""

    def run(statement: str, password: str, check: bool = True) -> str:
        command = [
            "sh",
            "-c",
            "read -r PGPASSWORD; export PGPASSWORD; "
            # The Service leads to a new pod a moment after that is ready.
            "for _ in 1 2 3 4 5 6 7 8 9 10; do pg_isready -q -h db && break; sleep 1; done; "
            f'psql -h db -U orders orders -Atc "{statement}"',
        ]
        return kubectl(
            "exec", "-i", "-n", PROJECT, "deploy/db", "--", *command, stdin=f"{password}\n", check=check
        ).strip()

    return run


def test_a_database_from_the_catalog(portal: Portal, project: str, psql: Callable[..., str]) -> None:
    new: dict[str, Any] = {
        "name": "db",
        "catalog": "postgresql",
        "values": {"database": "orders", "user": "orders", "password": PASSWORD},
    }
    made = portal.submit("POST", f"{PATH}/from-catalog", new)
    assert made.job["state"] == "succeeded", made.text()
    assert PASSWORD not in made.text()
    assert psql("create table t (n int); insert into t values (42); select n from t", PASSWORD).endswith("42")

    changed = {"values": {**new["values"], "password": ANOTHER, "maxConnections": 20}}
    done = portal.submit("PUT", f"{PATH}/db/values", changed)
    assert done.job["state"] == "succeeded", done.text()
    # The data outlived the pod, the new password holds and the old one does not.
    assert psql("select n from t", ANOTHER) == "42"
    assert psql("show max_connections", ANOTHER) == "20"
    assert "authentication failed" in psql("select 1", PASSWORD, check=False)

    back = portal.submit("POST", f"{PATH}/db/revisions/1/rollback")
    assert back.job["state"] == "succeeded", back.text()
    assert psql("select n from t", PASSWORD) == "42"

    stopped = portal.submit("POST", f"{PATH}/db/stop")
    assert stopped.job["state"] == "succeeded", stopped.text()
    assert portal.call("GET", f"{PATH}/db")["pods"] == []
    started = portal.submit("POST", f"{PATH}/db/start")
    assert started.job["state"] == "succeeded", started.text()
    assert psql("select n from t", PASSWORD) == "42"


def test_a_cache_from_the_catalog(portal: Portal, project: str, kubectl: Callable[..., str]) -> None:
    new = {"name": "cache", "catalog": "valkey", "values": {"password": PASSWORD}}
    made = portal.submit("POST", f"{PATH}/from-catalog", new)
    assert made.job["state"] == "succeeded", made.text()
    commands = (
        "read -r REDISCLI_AUTH; export REDISCLI_AUTH; "
        "for _ in 1 2 3 4 5 6 7 8 9 10; do valkey-cli -h cache ping >/dev/null 2>&1 && break; sleep 1; done; "
        "valkey-cli -h cache set a b; valkey-cli -h cache get a"
    )
    said = kubectl(
        "exec", "-i", "-n", project, "deploy/cache", "--", "sh", "-c", commands, stdin=f"{PASSWORD}\n"
    )
    assert said.split() == ["OK", "b"]
    gone = portal.submit("DELETE", f"{PATH}/cache")
    assert gone.job["state"] == "succeeded", gone.text()
    assert gone.job["result"]["left"] == []
