"""Why an application is not ready, in the words that users read. The JSON is what Kubernetes 1.36 says."""

from typing import Any

import pytest

from plugins.module_utils import readiness, troubles
from tests.plugins.conftest import StatedCluster

Json = dict[str, Any]
IMAGE = "registry.example.org/web:1"


def pod(
    state: Json | None = None, *, name: str = "web-1", conditions: list[Json] | None = None, **more: Any
) -> Json:
    """A pod with one container in this state."""
    container = {"name": "application", "image": IMAGE, "state": state or {}, "ready": False, **more}
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    return {
        "metadata": {"name": name, "labels": {"pod-template-hash": "1"}},
        "spec": {"nodeName": "node-2", "containers": [limits]},
        "status": {
            "conditions": conditions or [],
            "containerStatuses": [container] if state is not None else [],
        },
    }


def event(reason: str, message: str, *, kind: str = "Pod", name: str = "web-1", count: int = 1) -> Json:
    """An event about an object."""
    return {
        "involvedObject": {"kind": kind, "name": name},
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }


def waiting(reason: str, message: str = "") -> Json:
    """The state of a container that waits."""
    return {"waiting": {"reason": reason, "message": message}}


ENDED = {"terminated": {"exitCode": 3, "reason": "Error"}}
CASES: dict[str, tuple[Json, list[Json], str, float]] = {
    "first failed pull": (
        pod(waiting("ErrImagePull", f'failed to pull and unpack image "{IMAGE}": no such host')),
        [event("Failed", f'Failed to pull image "{IMAGE}": no such host')],
        f"image '{IMAGE}' cannot be pulled (no such host); check its name",
        15,
    ),
    "second failed pull": (
        pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')),
        [event("Failed", f'Failed to pull image "{IMAGE}": not found', count=2)],
        f"image '{IMAGE}' cannot be pulled (not found)",
        2,
    ),
    "no image name": (pod(waiting("InvalidImageName")), [], f"'{IMAGE}' is not the name of an image", 0),
    "root": (
        pod(waiting("CreateContainerConfigError", "has runAsNonRoot and image will run as root (pod: x)")),
        [],
        f"image '{IMAGE}' runs as root, which is not allowed here: set runAsUser",
        5,
    ),
    "named user": (
        pod(
            waiting(
                "CreateContainerConfigError",
                "container has runAsNonRoot and image has non-numeric user (nginx), cannot verify",
            )
        ),
        [],
        "runs as user 'nginx', who may be root: set runAsUser to that user's number",
        5,
    ),
    "crash": (
        pod(waiting("CrashLoopBackOff"), restartCount=1, lastState=ENDED),
        [],
        "it ends with exit code 3 each time it starts",
        15,
    ),
    "out of memory": (
        pod(
            waiting("CrashLoopBackOff"),
            restartCount=1,
            lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        ),
        [],
        "it needs more memory than its limit of 64Mi",
        15,
    ),
    "ends by itself": (
        pod(waiting("CrashLoopBackOff"), restartCount=1, lastState={"terminated": {"exitCode": 0}}),
        [],
        "it ends by itself (exit code 0)",
        15,
    ),
    "wrong health path": (
        pod({"running": {}}),
        [event("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404")],
        "its startup probe fails: the health path answers with status 404",
        20,
    ),
    "slow start": (
        pod({"running": {}}),
        [event("Unhealthy", "Startup probe failed: dial tcp 10.0.0.1:80: connect: connection refused")],
        "its startup probe fails: dial tcp 10.0.0.1:80: connect: connection refused",
        float("inf"),
    ),
    "killed by its probe": (
        pod({"running": {}}, restartCount=1, lastState={"terminated": {"exitCode": 137, "reason": "Error"}}),
        [
            event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
            event("Killing", "Container application failed liveness probe, will be restarted"),
        ],
        "it is restarted because its liveness probe fails: the health path answers with status 500",
        10,
    ),
    "no room": (
        pod(
            conditions=[
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are.",
                }
            ]
        ),
        [],
        "no node has room for it: 0/2 nodes are available: 2 Insufficient cpu",
        15,
    ),
    "no storage": (
        pod(
            conditions=[
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 node(s) didn't find available persistent volumes.",
                }
            ]
        ),
        [],
        "volume 'web' (1Gi, storage class 'local') waits: no node has storage for it",
        15,
    ),
    "mount": (
        pod(waiting("ContainerCreating")),
        [event("FailedMount", "MountVolume.SetUp failed: no such device")],
        "FailedMount: MountVolume.SetUp failed: no such device",
        float("inf"),
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_pod(case: str) -> None:
    found, events, text, patience = CASES[case]
    claim = {
        "metadata": {"name": "web"},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "local"},
    }
    trouble = troubles.of_pod(found, events, troubles.of_claim(claim, events))
    assert trouble is not None
    assert text in trouble.text
    assert trouble.patience == patience


def test_pod_that_only_starts_is_no_trouble() -> None:
    starting = pod(waiting("ContainerCreating"))
    assert troubles.of_pod(starting, [event("Unhealthy", "x", name="another")], None) is None
    assert troubles.waits_for(pod({"running": {}})) == "its first healthy answer"


def test_refused_pods() -> None:
    def deployment(message: str) -> Json:
        return {"status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]}}

    quota = troubles.of_deployment(
        deployment(
            'pods "web-1" is forbidden: exceeded quota: project, requested: requests.cpu=500m, '
            "used: requests.cpu=1800m, limited: requests.cpu=2"
        )
    )
    assert quota is not None
    assert quota.text == (
        "the project's quota is exceeded: a pod asks for requests.cpu=500m; "
        "requests.cpu=1800m of requests.cpu=2 is in use"
    )
    security = troubles.of_deployment(
        deployment('pods "web-1" is forbidden: violates PodSecurity "restricted"')
    )
    assert security is not None
    assert security.text == 'the cluster refuses its pods: violates PodSecurity "restricted"'
    assert troubles.of_deployment({"status": {}}) is None


def test_volume_without_storage_class() -> None:
    claim: Json = {"metadata": {"name": "web"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    trouble = troubles.of_claim(claim, [])
    assert trouble is not None
    assert trouble.text == "volume 'web' (1Gi): the cluster has no default storage class"
    assert troubles.of_claim({**claim, "status": {"phase": "Bound"}}, []) is None


def cluster_of(deployment_status: Json, pods: list[Json], **more: Any) -> StatedCluster:
    """A cluster that runs application shop/web."""
    revision = {"annotations": {"deployment.kubernetes.io/revision": "2"}}
    return StatedCluster(
        {
            "/apis/apps/v1/namespaces/shop/deployments/web": {
                "metadata": {"generation": 2, **revision},
                "spec": {"replicas": 1, "template": {"spec": {}}},
                "status": {"observedGeneration": 2, **deployment_status},
            },
            "/apis/apps/v1/namespaces/shop/replicasets": [
                {"metadata": {"labels": {"pod-template-hash": "1"}, **revision}}
            ],
            "/api/v1/namespaces/shop/pods": pods,
            **more,
        }
    )


def test_wait_ends_when_every_pod_is_ready() -> None:
    ready = pod({"running": {}}, conditions=[{"type": "Ready", "status": "True"}])
    cluster = cluster_of({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, [ready])
    assert readiness.wait_until_ready(cluster, "shop", "web", 0, pytest.fail).wanted == 1


def test_wait_goes_on_while_an_old_pod_or_an_old_report_is_there() -> None:
    for status in ({"replicas": 2}, {"observedGeneration": 1, "replicas": 1}):
        cluster = cluster_of({"updatedReplicas": 1, "availableReplicas": 1, **status}, [])
        with pytest.raises(readiness.NotReady, match=r"'web' is not ready after 0 s: 0 of 1 pods ready"):
            readiness.wait_until_ready(cluster, "shop", "web", 0, lambda line: None)


def test_wait_ends_early_with_the_last_output_of_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    crashed = pod(waiting("CrashLoopBackOff"), restartCount=1, lastState=ENDED)
    log = "/api/v1/namespaces/shop/pods/web-1/log"
    cluster = cluster_of({"replicas": 1}, [crashed], **{log: "one\ntwo: {{ lookup('pipe', 'id') }}\n"})
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    told: list[str] = []
    with pytest.raises(readiness.NotReady) as failure:
        readiness.wait_until_ready(cluster, "shop", "web", 600, told.append)
    assert str(failure.value) == (
        "'web' is not ready: it ends with exit code 3 each time it starts. "
        "Its last lines:\n  one\n  two: {{ lookup('pipe', 'id') }}"
    )
    assert told == ["0 of 1 pods ready; it ends with exit code 3 each time it starts"]


def test_trouble_that_passes_starts_its_patience_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = pod(waiting("ErrImagePull", "no such host"))
    good = pod({"running": {}}, conditions=[{"type": "Ready", "status": "True"}])
    cluster = cluster_of({"replicas": 1}, [bad])
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    states = iter([bad, pod(waiting("ContainerCreating")), bad, pod(waiting("ContainerCreating")), good])

    def next_state(seconds: float) -> None:
        state = next(states)
        cluster.objects["/api/v1/namespaces/shop/pods"] = [state]
        if state is good:
            path = "/apis/apps/v1/namespaces/shop/deployments/web"
            cluster.objects[path]["status"] |= {"updatedReplicas": 1, "availableReplicas": 1}

    monkeypatch.setattr("time.sleep", next_state)
    assert readiness.wait_until_ready(cluster, "shop", "web", 600, lambda line: None).ready
