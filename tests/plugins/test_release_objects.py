"""What a release changes: told by object and field, and never with a secret."""

import base64
import json

from plugins.module_utils.release_objects import (
    MAX_TOLD,
    ansible_diff,
    changes_between,
    pack,
    sentences,
    summary,
    unpack,
)

BEFORE = """
kind: Deployment
metadata: {name: web}
spec: {replicas: 1, template: {spec: {containers: [{name: application, image: web:1}]}}}
---
kind: Secret
metadata: {name: web}
data: {PASSWORD: b25l, GONE: eA==, SAME: c2FtZQ==}
---
kind: HorizontalPodAutoscaler
metadata: {name: web}
---
# nothing
"""
AFTER = """
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, template: {spec: {containers: [{name: application, image: web:2}]}}}
---
kind: Secret
metadata: {name: web}
data: {PASSWORD: dHdv, NEW: bmV3, SAME: c2FtZQ==}
---
kind: Service
metadata: {name: web}
"""


def test_objects_are_told_by_what_happens_to_them() -> None:
    found = changes_between(BEFORE, AFTER)
    assert sentences(found) == [
        "changes Deployment web: spec.replicas, spec.template.spec.containers.application.image",
        "changes Secret web: data.PASSWORD, data.GONE, data.NEW",
        "creates Service web",
        "removes HorizontalPodAutoscaler web",
    ]
    assert summary(found)[0]["changes"][1] == {
        "field": "spec.template.spec.containers.application.image",
        "before": "web:1",
        "after": "web:2",
    }
    assert changes_between(BEFORE, BEFORE) == []


def test_values_of_secrets_are_never_in_it() -> None:
    found = changes_between(BEFORE, AFTER)
    told = json.dumps([found, ansible_diff(found)])
    for secret in (b"one", b"two", b"new", b"same"):
        assert base64.b64encode(secret).decode() not in told
    assert [item["after"] for item in found[1]["changes"]] == ["•••••• replaced", None, "••••••"]
    shown = ansible_diff(found)[1]
    assert "PASSWORD: •••••• replaced" in shown["after"]
    assert "PASSWORD: ••••••\n" in shown["before"]


def test_many_objects_end_in_a_number() -> None:
    many = "\n---\n".join(
        f"{{kind: Service, metadata: {{name: s{number}}}}}" for number in range(MAX_TOLD + 3)
    )
    assert sentences(changes_between("", many))[-1] == "and 3 more objects"


def test_a_stored_release_is_read_and_written() -> None:
    release = {"info": {"status": "pending-upgrade"}, "version": 3}
    assert unpack({"data": {"release": pack(release)}}) == release
