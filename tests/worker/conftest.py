"""Workers run as they do in production: real processes, real ansible-runner, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.worker.portal import WorkerPortal


@pytest.fixture(params=["sqlite", "postgresql"])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WorkerPortal]:
    """A portal's database, once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'portal.db'}"
    else:
        url = postgres.new_database(request.getfixturevalue("postgres_url"))
    found = WorkerPortal(url, tmp_path)
    yield found
    found.close()


@pytest.fixture
def postgres_portal(postgres_url: str, tmp_path: Path) -> Iterator[WorkerPortal]:
    """A portal on PostgreSQL, for what several workers do."""
    found = WorkerPortal(postgres.new_database(postgres_url), tmp_path)
    yield found
    found.close()


@pytest.fixture
def sqlite_portal(tmp_path: Path) -> Iterator[WorkerPortal]:
    """A portal on SQLite, for what does not depend on the database."""
    found = WorkerPortal(f"sqlite:///{tmp_path / 'portal.db'}", tmp_path)
    yield found
    found.close()
