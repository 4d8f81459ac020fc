"""The storage provisioner's rules, against an API that lives in memory."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ConflictException, NotFoundException

from tests.playbook import ROOT

UID = "5e2f1c0e-9d5c-4f0e-8f6a-0d6f3f1b2a3c"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("provisioner", ROOT / "charts/storage/files/provisioner.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


provisioner = load()


class Api:
    """As much of CoreV1Api as the provisioner uses."""

    def __init__(self) -> None:
        self.claims: list[Any] = []
        self.volumes: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.removed: list[str] = []

    def list_persistent_volume_claim_for_all_namespaces(self) -> Any:
        return SimpleNamespace(items=self.claims)

    def list_persistent_volume(self, label_selector: str) -> Any:
        key, value = label_selector.split("=")
        found = [item for item in self.volumes.values() if item.metadata.labels.get(key) == value]
        return SimpleNamespace(items=found)

    def create_persistent_volume(self, body: dict[str, Any]) -> None:
        name = body["metadata"]["name"]
        if name in self.volumes:
            raise ConflictException(status=409)
        self.volumes[name] = SimpleNamespace(
            metadata=SimpleNamespace(
                name=name,
                labels=body["metadata"]["labels"],
                annotations=body["metadata"]["annotations"],
                finalizers=body["metadata"]["finalizers"],
                deletion_timestamp=None,
                resource_version="1",
            ),
            spec=SimpleNamespace(
                persistent_volume_reclaim_policy=body["spec"]["persistentVolumeReclaimPolicy"],
                local=SimpleNamespace(path=body["spec"]["local"]["path"]),
                body=body["spec"],
            ),
            status=SimpleNamespace(phase="Bound"),
        )

    def read_persistent_volume(self, name: str) -> Any:
        return self.volumes[name]

    def delete_persistent_volume(self, name: str) -> None:
        if name not in self.volumes:
            raise NotFoundException(status=404)
        self.volumes[name].metadata.deletion_timestamp = "now"

    def patch_persistent_volume(self, name: str, body: dict[str, Any], _content_type: str = "") -> None:
        if "spec" in body:
            self.volumes[name].spec.body |= body["spec"]
            return
        assert _content_type == "application/merge-patch+json", "any other kind leaves the finalizer"
        volume = self.volumes[name]
        assert body["metadata"]["resourceVersion"] == volume.metadata.resource_version
        volume.metadata.finalizers = body["metadata"]["finalizers"]
        if volume.metadata.deletion_timestamp and not volume.metadata.finalizers:
            del self.volumes[name]
            self.removed.append(name)

    def patch_namespaced_persistent_volume_claim_status(
        self, name: str, namespace: str, body: dict[str, Any]
    ) -> None:
        (found,) = [
            item for item in self.claims if (item.metadata.name, item.metadata.namespace) == (name, namespace)
        ]
        found.status.capacity = body["status"]["capacity"]

    def create_namespaced_event(self, namespace: str, body: dict[str, Any]) -> None:
        self.events.append({"namespace": namespace, **body})


def claim(**more: Any) -> Any:
    """A claim that waits for node-1; keywords change it."""
    annotations = {
        provisioner.ASKED_PROVISIONER: "croft.dev/local",
        provisioner.SELECTED_NODE: more.get("node", "node-1"),
    }
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name="data",
            namespace="shop",
            uid=more.get("uid", UID),
            annotations=annotations,
            deletion_timestamp=None,
        ),
        spec=SimpleNamespace(
            volume_name=more.get("volume_name"),
            storage_class_name="croft-local",
            access_modes=more.get("access_modes", ["ReadWriteOnce"]),
            volume_mode=more.get("volume_mode", "Filesystem"),
            data_source_ref=more.get("data_source_ref"),
            resources=SimpleNamespace(requests={"storage": more.get("wanted", "1Gi")}),
        ),
        status=SimpleNamespace(phase=more.get("phase", "Pending"), capacity=more.get("capacity")),
    )


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def node(api: Api, tmp_path: Path) -> Any:
    return provisioner.Provisioner(api, "node-1", "croft.dev/local", "/var/lib/croft/volumes", tmp_path)


def test_a_claim_on_this_node_gets_an_empty_folder_of_its_own(node: Any, api: Api, tmp_path: Path) -> None:
    api.claims = [claim()]
    node.reconcile()
    node.reconcile()
    (volume,) = api.volumes.values()
    assert volume.spec.body["local"]["path"] == f"/var/lib/croft/volumes/{UID}"
    assert volume.spec.body["capacity"] == {"storage": "1Gi"}
    assert volume.spec.body["claimRef"]["uid"] == UID
    assert [path.name for path in tmp_path.iterdir()] == [UID]
    assert list((tmp_path / UID).iterdir()) == []


def test_a_volume_grows_with_its_claim_and_only_with_its_own(node: Any, api: Api) -> None:
    api.claims = [claim()]
    node.reconcile()
    (volume,) = api.volumes.values()
    bound = {"phase": "Bound", "volume_name": volume.metadata.name, "capacity": {"storage": "1Gi"}}
    api.claims = [claim(**bound, wanted="2Gi")]
    node.reconcile()
    assert volume.spec.body["capacity"] == {"storage": "2Gi"}
    assert api.claims[0].status.capacity == {"storage": "2Gi"}

    volume.metadata.annotations = {}
    api.claims = [claim(**{**bound, "capacity": {"storage": "2Gi"}}, wanted="3Gi")]
    node.reconcile()
    assert volume.spec.body["capacity"] == {"storage": "2Gi"}, "somebody else's volume"


@pytest.mark.parametrize("other", [{"node": "node-2"}, {"phase": "Bound"}])
def test_other_claims_are_left_alone(node: Any, api: Api, tmp_path: Path, other: dict[str, Any]) -> None:
    api.claims = [claim(**other)]
    node.reconcile()
    assert not api.volumes
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"access_modes": ["ReadWriteMany"]}, "asks for ReadWriteMany"),
        ({"volume_mode": "Block"}, "asks for volumeMode Block"),
        ({"data_source_ref": object()}, "asks for a copy"),
    ],
)
def test_what_cannot_be_served_is_told_at_the_claim(
    node: Any, api: Api, wish: dict[str, Any], reason: str
) -> None:
    api.claims = [claim(**wish)]
    node.reconcile()
    assert not api.volumes
    assert reason in api.events[0]["message"]
    assert api.events[0]["involvedObject"]["name"] == "data"


def test_the_data_is_gone_before_the_volume_is(node: Any, api: Api, tmp_path: Path) -> None:
    api.claims = [claim()]
    node.reconcile()
    (tmp_path / UID / "deep").mkdir()
    (tmp_path / UID / "deep/secret").write_text("secret")
    outside = tmp_path.with_name("outside")
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (tmp_path / UID / "link").symlink_to(outside)
    api.claims = []
    (volume,) = api.volumes.values()
    volume.status.phase = "Released"
    node.reconcile()
    assert not list(tmp_path.iterdir())
    assert api.removed == [f"croft-{UID}"]
    assert (outside / "kept").read_text() == "kept"


def test_a_disk_that_refuses_keeps_the_volume(
    node: Any, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.claims = [claim()]
    node.reconcile()
    api.claims = []
    (volume,) = api.volumes.values()
    volume.status.phase = "Released"

    def refuse(path: Path) -> None:
        raise OSError(f"cannot remove {path}")

    monkeypatch.setattr(provisioner.shutil, "rmtree", refuse)
    with pytest.raises(OSError, match="cannot remove"):
        node.reconcile()
    assert api.volumes
    assert not api.removed


def test_kept_and_foreign_volumes_are_never_deleted(node: Any, api: Api, tmp_path: Path) -> None:
    api.claims = [claim()]
    node.reconcile()
    api.claims = []
    (volume,) = api.volumes.values()
    volume.status.phase = "Released"
    volume.spec.persistent_volume_reclaim_policy = "Retain"
    node.reconcile()
    volume.spec.persistent_volume_reclaim_policy = "Delete"
    volume.metadata.annotations = {}
    node.reconcile()
    assert (tmp_path / UID).is_dir()
    assert api.volumes


def test_a_path_that_is_no_uid_is_refused(node: Any, api: Api, tmp_path: Path) -> None:
    api.claims = [claim()]
    node.reconcile()
    api.claims = []
    (volume,) = api.volumes.values()
    volume.status.phase = "Released"
    volume.spec.local.path = "/var/lib/croft/volumes/.."
    with pytest.raises(ValueError, match="badly formed"):
        node.reconcile()
    assert (tmp_path / UID).is_dir()
