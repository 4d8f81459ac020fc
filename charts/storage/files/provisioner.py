"""Makes and deletes the local volumes of one node. Runs on every node, as the DaemonSet `provisioner`.

A claim whose pod the scheduler has put on this node gets a new, empty folder `<claim's uid>` and a
PersistentVolume that leads to it. When the claim is gone, the folder is deleted with all that is in it, and
only then the PersistentVolume; a folder is never used twice, so no later claim can see the data. Sizes are
not enforced by the file system, so a volume grows as soon as its claim asks for more.

Environment: NODE_NAME, PROVISIONER (name in the StorageClass), FOLDER (as the node sees it), VOLUMES (the
same folder as this process sees it), METRICS_PORT (where usage.py tells what the volumes hold).
"""

import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from kubernetes.client.exceptions import ApiException, ConflictException, NotFoundException
from urllib3.exceptions import HTTPError

FINALIZER = "croft.dev/local-volume"
NODE_LABEL = "croft.dev/node"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
ASKED_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
# Seconds after which everything is looked at even when nothing seems to have changed.
INTERVAL = 30
# Seconds that one watch lasts before it is asked for anew.
WATCH_SECONDS = 300

log = logging.getLogger("provisioner")


@dataclass(frozen=True)
class Provisioner:
    """The volumes of one node; `api` is a CoreV1Api of the kubernetes client."""

    api: Any
    node: str
    name: str
    folder: str
    volumes: Path

    def reconcile(self) -> None:
        """Make what claims wait for, let grow what shall grow, delete what is released.

        Raises what the API or the disk raises.
        """
        growing = {}
        for claim in self.api.list_persistent_volume_claim_for_all_namespaces().items:
            if self._waits_for_us(claim):
                self._make(claim)
            elif _has_to_grow(claim):
                growing[claim.spec.volume_name] = claim
        for volume in self.api.list_persistent_volume(label_selector=f"{NODE_LABEL}={self.node}").items:
            if self._is_released(volume):
                self._delete(volume)
            elif volume.metadata.name in growing:
                self._grow(volume, growing[volume.metadata.name])

    def _waits_for_us(self, claim: Any) -> bool:
        wishes = claim.metadata.annotations or {}
        return (
            claim.status.phase == "Pending"
            and not claim.spec.volume_name
            and not claim.metadata.deletion_timestamp
            and wishes.get(ASKED_PROVISIONER) == self.name
            and wishes.get(SELECTED_NODE) == self.node
        )

    def _is_released(self, volume: Any) -> bool:
        ours = (volume.metadata.annotations or {}).get(PROVISIONED_BY) == self.name
        keeps = volume.spec.persistent_volume_reclaim_policy != "Delete"
        return ours and not keeps and volume.status.phase in ("Released", "Failed")

    def _make(self, claim: Any) -> None:
        refused = _refusal(claim)
        if refused:
            self._tell(claim, refused)
            return
        path = self.volumes / str(UUID(claim.metadata.uid))
        path.mkdir(mode=0o777, exist_ok=True)
        # The parent lets nobody but root in; inside its volume a pod may run as any user.
        path.chmod(0o777)
        try:
            self.api.create_persistent_volume(self._volume(claim))
        except ConflictException:
            # Made already; claims and volumes are not read at the same moment.
            return
        log.info("made %s for %s/%s", path.name, claim.metadata.namespace, claim.metadata.name)

    def _volume(self, claim: Any) -> dict[str, Any]:
        uid = str(UUID(claim.metadata.uid))
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [self.node]}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": f"croft-{uid}",
                "labels": {NODE_LABEL: self.node, "app.kubernetes.io/part-of": "croft"},
                "annotations": {PROVISIONED_BY: self.name},
                "finalizers": [FINALIZER],
            },
            "spec": {
                "storageClassName": claim.spec.storage_class_name,
                "capacity": {"storage": claim.spec.resources.requests["storage"]},
                "accessModes": ["ReadWriteOnce"],
                "volumeMode": "Filesystem",
                "persistentVolumeReclaimPolicy": "Delete",
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": claim.metadata.namespace,
                    "name": claim.metadata.name,
                    "uid": claim.metadata.uid,
                },
                "local": {"path": f"{self.folder}/{uid}"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            },
        }

    def _grow(self, volume: Any, claim: Any) -> None:
        """Let volume and claim have the size that is asked for; the folder takes what it is given anyway."""
        if (volume.metadata.annotations or {}).get(PROVISIONED_BY) != self.name:
            return
        size = {"storage": claim.spec.resources.requests["storage"]}
        name, namespace = claim.metadata.name, claim.metadata.namespace
        try:
            self.api.patch_persistent_volume(volume.metadata.name, {"spec": {"capacity": size}})
            self.api.patch_namespaced_persistent_volume_claim_status(
                name, namespace, {"status": {"capacity": size}}
            )
        except NotFoundException:
            return  # deleted just now
        log.info("%s/%s has %s now", namespace, name, size["storage"])

    def _delete(self, volume: Any) -> None:
        folder = self.volumes / str(UUID(Path(volume.spec.local.path).name))
        if folder.exists():
            shutil.rmtree(folder)
        name = volume.metadata.name
        try:
            if not volume.metadata.deletion_timestamp:
                self.api.delete_persistent_volume(name)
                volume = self.api.read_persistent_volume(name)
            left = [entry for entry in volume.metadata.finalizers or [] if entry != FINALIZER]
            change = {"finalizers": left, "resourceVersion": volume.metadata.resource_version}
            # A strategic merge, the client's default, only ever adds finalizers.
            kind = "application/merge-patch+json"
            self.api.patch_persistent_volume(name, {"metadata": change}, _content_type=kind)
        except NotFoundException:
            pass
        log.info("deleted %s", folder.name)

    def _tell(self, claim: Any, message: str) -> None:
        now = datetime.now(UTC).isoformat()
        namespace = claim.metadata.namespace
        self.api.create_namespaced_event(
            namespace,
            {
                "metadata": {"generateName": f"{claim.metadata.name}.", "namespace": namespace},
                "involvedObject": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": claim.metadata.namespace,
                    "name": claim.metadata.name,
                    "uid": claim.metadata.uid,
                },
                "type": "Warning",
                "reason": "ProvisioningFailed",
                "message": message,
                "source": {"component": self.name, "host": self.node},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            },
        )


def _has_to_grow(claim: Any) -> bool:
    """Whether a claim that has its volume asks for more than that has. Kubernetes lets no claim shrink."""
    has = (claim.status.capacity or {}).get("storage")
    bound = claim.status.phase == "Bound" and not claim.metadata.deletion_timestamp
    return bool(bound and has and has != claim.spec.resources.requests["storage"])


def _refusal(claim: Any) -> str:
    """Why a claim cannot be served; empty when it can."""
    if claim.spec.access_modes != ["ReadWriteOnce"]:
        return f"local volumes are ReadWriteOnce; this claim asks for {', '.join(claim.spec.access_modes)}"
    if claim.spec.volume_mode == "Block":
        return "local volumes are file systems; this claim asks for volumeMode Block"
    if claim.spec.data_source_ref:
        return "local volumes start empty; this claim asks for a copy (dataSourceRef)"
    return ""


def watch_forever(lists: Callable[..., Any], changed: threading.Event) -> None:
    """Set `changed` whenever an object of the list changes."""
    from kubernetes import watch

    while True:
        try:
            for _ in watch.Watch().stream(lists, timeout_seconds=WATCH_SECONDS):
                changed.set()
        except (ApiException, HTTPError) as error:
            # The main loop meets the same trouble and reports it; it also looks without being told.
            log.warning("watch ended: %s", error)
            changed.wait(INTERVAL)


def main() -> None:
    """Serve until the process is ended. An error of API or disk is logged, and all is tried again."""
    from kubernetes import client, config
    from usage import Usage

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
    config.load_incluster_config()
    api = client.CoreV1Api()
    provisioner = Provisioner(
        api,
        node=os.environ["NODE_NAME"],
        name=os.environ["PROVISIONER"],
        folder=os.environ["FOLDER"],
        volumes=Path(os.environ["VOLUMES"]),
    )
    # Only root comes to the volumes, other than through a pod.
    provisioner.volumes.chmod(0o700)
    changed = threading.Event()
    for lists in (api.list_persistent_volume_claim_for_all_namespaces, api.list_persistent_volume):
        threading.Thread(target=watch_forever, args=(lists, changed), daemon=True).start()
    Usage(api, provisioner.node, provisioner.volumes).start(int(os.environ["METRICS_PORT"]))
    log.info("serving claims on node %s", provisioner.node)
    while True:
        changed.clear()
        try:
            provisioner.reconcile()
        except (ApiException, HTTPError, OSError, ValueError) as error:
            log.error("will try again: %s", error)
        changed.wait(INTERVAL)


if __name__ == "__main__":
    main()
