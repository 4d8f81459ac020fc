"""`make portal`: what it tells web and worker."""

from pathlib import Path

import pytest

from webapp.config import load_config
from webapp.dev import forwards, settings


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


def test_monitoring_is_brought_to_this_machine(state: Path) -> None:
    found = forwards(state)
    config = load_config({**settings(state, 8000), **{name: address for name, (address, _) in found.items()}})
    assert config.prometheus_url.startswith("http://127.0.0.1:")
    assert len({config.prometheus_url, config.label_proxy_url}) == 2
    command = found["CROFT_LABEL_PROXY_URL"][1]
    assert command[0] == str(state / "bundle/bin/kubectl")
    assert command[-2:] == ["service/label-proxy", f"{config.label_proxy_url.rpartition(':')[2]}:8080"]
