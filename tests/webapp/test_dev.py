"""`make portal`: what it tells web and worker."""

from pathlib import Path

import pytest

from webapp.config import load_config
from webapp.dev import settings


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a cluster."""
    (tmp_path / "cluster.yml").write_text("http_port: 9080\n")
    return tmp_path


def test_keys_are_kept_and_only_the_owner_reads_them(state: Path) -> None:
    found = settings(state, 8000)
    again = settings(state, 8000)
    files = [Path(value) for name, value in found.items() if name.endswith("_FILE")]
    assert len(files) == 4
    assert found == again
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_text()) >= 20


def test_web_and_worker_can_start_with_them(state: Path) -> None:
    config = load_config(settings(state, 8123))
    assert config.external_url == "http://localhost:8123"
    assert config.kubeconfig == str(state / "kubeconfig")
    assert config.helm == str(state / "bundle/bin/helm")
    assert config.application_url("web.shop.localhost") == "http://web.shop.localhost:9080"
