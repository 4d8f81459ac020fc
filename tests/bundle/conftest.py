from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle.build import process
from bundle.build.lock import Lock, load
from bundle.build.settings import REPOSITORY
from tests.bundle.release_server import ReleaseServer


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with ReleaseServer() as running:
        yield running


@pytest.fixture(scope="session")
def lock() -> Lock:
    return load(REPOSITORY / "bundle" / "lock.yml")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "step.log"


@pytest.fixture(autouse=True)
def _no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs root on a real run is done to the tests' own folders here, as whoever runs the tests."""
    monkeypatch.setattr(process, "privileged", list)
