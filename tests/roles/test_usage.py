"""What the storage provisioner tells Prometheus: how much each volume of its node holds."""

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.playbook import ROOT

UID = "5e2f1c0e-9d5c-4f0e-8f6a-0d6f3f1b2a3c"
MIB = 1024 * 1024


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("usage", ROOT / "charts/storage/files/usage.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


usage = load()


def claim(name: str = "web", uid: str = UID, **labels: str) -> Any:
    metadata = SimpleNamespace(namespace="shop", name=name, uid=uid, labels=labels or None)
    return SimpleNamespace(metadata=metadata)


def volume(name: str = "web", uid: str = UID, size: str = "1Gi", folder: str = UID) -> Any:
    owner = SimpleNamespace(namespace="shop", name=name, uid=uid)
    local = SimpleNamespace(path=f"/var/lib/croft/volumes/{folder}")
    return SimpleNamespace(spec=SimpleNamespace(claim_ref=owner, local=local, capacity={"storage": size}))


class Api:
    """As much of CoreV1Api as is used; volumes are those of node-1."""

    def __init__(self, claims: list[Any], volumes: list[Any]) -> None:
        self.claims, self.volumes = claims, volumes

    def list_persistent_volume_claim_for_all_namespaces(self) -> Any:
        return SimpleNamespace(items=self.claims)

    def list_persistent_volume(self, label_selector: str) -> Any:
        assert label_selector == "croft.dev/node=node-1"
        return SimpleNamespace(items=self.volumes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A volume that holds two files of 1 MiB each, one of them deep."""
    (tmp_path / UID / "deep/deeper").mkdir(parents=True)
    for name in ("a", "deep/deeper/b"):
        (tmp_path / UID / name).write_bytes(b"x" * MIB)
    return tmp_path / UID


def test_files_count_as_often_as_they_take_room(folder: Path) -> None:
    total = usage.count(folder)
    assert 2 * MIB <= total < 2 * MIB + 64 * 1024
    os.link(folder / "a", folder / "same")
    assert usage.count(folder) == total, "another name takes no room"
    with (folder / "sparse").open("wb") as file:
        file.truncate(100 * MIB)
    assert usage.count(folder) < total + MIB, "a hole takes no room"
    (folder / "a").unlink()
    (folder / "same").unlink()
    assert usage.count(folder) < 2 * MIB


def test_links_lead_nowhere(folder: Path, tmp_path: Path) -> None:
    total = usage.count(folder)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"x" * 4 * MIB)
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "file").symlink_to(tmp_path / "outside/secret")
    (folder / "round").symlink_to(folder)
    assert usage.count(folder) < total + MIB


def test_what_is_too_deep_or_too_much_ends_the_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST_FOLDERS_DEEP", 1)
    assert MIB <= usage.count(folder) < 2 * MIB
    monkeypatch.undo()
    for number in range(20):
        (folder / f"deep/deeper/{number}").write_bytes(b"x" * 4096)
    monkeypatch.setattr(usage, "MOST_FILES", 1)
    assert usage.count(folder) < 2 * MIB


def test_each_claim_has_its_two_sizes(folder: Path) -> None:
    claims = [claim(**{"croft.dev/application": "web", "app.kubernetes.io/name": "other"})]
    (found,) = usage.measure(Api(claims, [volume(size="1500M")]), "node-1", folder.parent)
    assert (found.namespace, found.claim, found.workload) == ("shop", "web", "web")
    assert found.capacity == 1_500_000_000
    assert found.used == usage.count(folder)


@pytest.mark.parametrize(
    ("labels", "workload"),
    [({"app.kubernetes.io/name": "prometheus"}, "prometheus"), ({}, "prometheus-data")],
)
def test_claims_of_the_platform_belong_to_its_parts(
    folder: Path, labels: dict[str, str], workload: str
) -> None:
    api = Api([claim("prometheus-data", **labels)], [volume("prometheus-data")])
    (found,) = usage.measure(api, "node-1", folder.parent)
    assert found.workload == workload


def test_volumes_without_their_claim_are_left_out(folder: Path) -> None:
    # Released, or the claim is a new one of the same name.
    for claims in ([], [claim(uid="11111111-1111-1111-1111-111111111111")]):
        assert usage.measure(Api(claims, [volume()]), "node-1", folder.parent) == []


def test_a_folder_that_cannot_be_read_takes_only_its_own_number_away(folder: Path) -> None:
    other = "22222222-2222-2222-2222-222222222222"
    api = Api([claim(), claim("db", other)], [volume("db", other, folder="missing"), volume()])
    told = usage.text(usage.measure(api, "node-1", folder.parent))
    samples = {
        (family.name, sample.labels["persistentvolumeclaim"]): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert set(samples) == {
        ("croft_volume_used_bytes", "web"),
        ("croft_volume_capacity_bytes", "web"),
        ("croft_volume_capacity_bytes", "db"),
    }
    assert samples["croft_volume_used_bytes", "web"] == usage.count(folder)


def test_prometheus_is_told_what_was_counted(folder: Path) -> None:
    port = usage.Usage(Api([claim()], [volume()]), "node-1", folder.parent).start(0)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while "web" not in (answer := httpx.get(f"{address}/metrics", trust_env=False)).text:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert f"croft_volume_used_bytes{{{LABELS}}} {usage.count(folder)}\n" in answer.text
    assert httpx.get(f"{address}/", trust_env=False).status_code == 404


LABELS = 'namespace="shop",persistentvolumeclaim="web",workload="web"'
