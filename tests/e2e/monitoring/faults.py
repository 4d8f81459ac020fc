"""Pods of all kinds, most of which go wrong on purpose."""

from typing import Any

Json = dict[str, Any]
PROJECT = "mon-faults"
QUOTA = {"cpu": "500m", "memory": "512Mi", "storage": "64Mi", "pods": 8}

OUT_OF_MEMORY = "import time; time.sleep(3); kept = bytearray(200 * 2**20); time.sleep(9999)"
CRASH = "import sys; sys.exit('this is the end')"
BUSY = "while True: pass"
# 60 of 64 MiB, and then nothing more.
FILL = (
    "import time; file = open('/data/full', 'wb'); "
    "[file.write(bytes(2**20)) for _ in range(60)]; file.close(); time.sleep(9999)"
)


def pod(name: str, image: str, script: str, **spec: Any) -> Json:
    """The template of a pod that runs a script of Python as a project's fence allows; with `spec` added."""
    container: Json = {
        "name": "application",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", script],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "50m", "memory": "64Mi"},
        },
        "volumeMounts": [
            {"name": volume["name"], "mountPath": "/data"} for volume in spec.get("volumes", [])
        ],
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    whole = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": security,
        "containers": [container],
        **spec,
    }
    return {"metadata": {"labels": {"fault": name}}, "spec": whole}


def deployment(name: str, image: str, script: str, replicas: int = 1, **spec: Any) -> Json:
    """A Deployment of such pods."""
    template = pod(name, image, script, **spec)
    selector = {"matchLabels": template["metadata"]["labels"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }


def job(name: str, image: str, script: str) -> Json:
    """A Job that runs one such pod once."""
    template = pod(name, image, script, restartPolicy="Never")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }


def all_of(image: str) -> list[Json]:
    """Everything that goes wrong in a project with the QUOTA, which has fewer pods than are asked for."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "full"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "full"}}]
    return [
        claim,
        deployment("hungry", image, OUT_OF_MEMORY),
        deployment("crash", image, CRASH),
        deployment("slow", image, BUSY),
        deployment("unknown", "registry.invalid/nothing:1", CRASH),
        deployment("full", image, FILL, volumes=volumes),
        deployment("many", image, "import time; time.sleep(9999)", replicas=4),
    ]
