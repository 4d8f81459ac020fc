"""What an application can be asked for beside its first release, by ansible-playbook on the real cluster."""

import json
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.e2e.conftest import Change, Kubectl
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]


@pytest.fixture(scope="module")
def project(new_project: Callable[..., str]) -> str:
    """A project that the module's applications share."""
    return new_project("c-apps", quota={"cpu": "500m", "memory": "512Mi", "storage": "1Gi", "pods": 6})


@pytest.fixture
def web(project: str, agnhost: str) -> Json:
    """The request of a small application that answers HTTP."""
    return small_application(agnhost, project=project, name="web", runAsUser=1000)


def test_a_plan_tells_what_would_change_and_changes_nothing(
    change: Change, kubectl: Kubectl, web: Json
) -> None:
    web = {**web, "name": "planned", "secrets": [{"name": "PASSWORD", "value": "first-secret-one"}]}
    planned = change("application", web, "--check", "--diff")
    assert planned.code == 0, planned.output
    assert "first-secret-one" not in planned.output
    plan = planned.result["plan"]
    assert plan["fits"] is True
    assert {"resource": "cpu", "fits": True, "words": "asks for 10m CPU, 500m left"} in plan["quota"]
    assert {"kind": "Deployment", "name": "planned", "action": "created", "changes": []} in plan["objects"]
    where = ("-n", web["project"])
    assert "NotFound" in kubectl("get", "deployment", "planned", *where, check=False)

    made = change("application", web)
    assert made.code == 0, made.output
    assert "creates Deployment planned" in made.progress
    larger = {**web, "replicas": 9, "secrets": [{"name": "PASSWORD", "value": "second-secret-two"}]}
    planned = change("application", larger, "--check", "--diff")
    assert planned.code == 0, planned.output
    assert "secret-two" not in planned.output
    plan = planned.result["plan"]
    assert plan["fits"] is False
    assert {"resource": "pods", "fits": False, "words": "asks for 9 pods, 6 left"} in plan["quota"]
    changes = {item["kind"]: item["changes"] for item in plan["objects"]}
    assert {"field": "spec.replicas", "before": 1, "after": 9} in changes["Deployment"]
    (secret,) = changes["Secret"]
    assert secret["field"] == "data.PASSWORD"
    refused = change("application", larger)
    assert "this application asks for 9" in refused.message
    assert change("application", {"project": web["project"], "name": "planned"}, state="absent").code == 0


def test_stop_keeps_all_but_the_pods_and_a_restart_makes_new_ones(
    change: Change, kubectl: Kubectl, web: Json
) -> None:
    label = ("-n", web["project"], "-l", "croft.dev/application=web", "-o", "name")
    assert change("application", {**web, "replicas": 2}).code == 0
    before = set(kubectl("get", "pods", *label).split())
    restarted = change("application", {**web, "replicas": 2, "restartedAt": "2026-01-31T12:00:00Z"})
    assert restarted.code == 0, restarted.output
    end = time.monotonic() + 60
    # The new pods answer while the old ones still end.
    while left := before & set(kubectl("get", "pods", *label).split()):
        assert time.monotonic() < end, left
        time.sleep(1)

    stopped = change("application", {**web, "replicas": 2, "stopped": True})
    assert (stopped.code, stopped.result["ready"]) == (0, 0), stopped.output
    assert kubectl("get", "service,ingress", *label).split() != []
    started = change("application", {**web, "replicas": 2})
    assert (started.code, started.result["ready"]) == (0, 2), started.output
    assert change("application", {"project": web["project"], "name": "web"}, state="absent").code == 0


def test_a_volume_grows_while_it_is_in_use_and_never_shrinks(
    change: Change, kubectl: Kubectl, web: Json
) -> None:
    web = {**web, "name": "data", "volume": {"size": "64Mi", "mountPath": "/data"}}
    where = ("-n", web["project"])
    assert change("application", web).code == 0
    label = ("-l", "croft.dev/application=data", "-o", "jsonpath={.items[*].metadata.uid}")
    before = kubectl("get", "pods,pvc", *where, *label)
    larger = {**web, "volume": {"size": "128Mi", "mountPath": "/data"}}
    grown = change("application", larger)
    assert grown.code == 0, grown.output
    claim: Json = {}
    end = time.monotonic() + 40
    while claim.get("status", {}).get("capacity", {}).get("storage") != "128Mi":
        assert time.monotonic() < end, claim
        time.sleep(0.5)
        claim = json.loads(kubectl("get", "pvc", "data", *where, "-o", "json"))
    volume = json.loads(kubectl("get", "pv", claim["spec"]["volumeName"], "-o", "json"))
    assert volume["spec"]["capacity"]["storage"] == "128Mi"
    assert kubectl("get", "pods,pvc", *where, *label) == before, "it grew under the running pod"
    shrunk = change("application", web)
    assert "has 128Mi, which cannot become 64Mi" in shrunk.message
    assert change("application", {"project": web["project"], "name": "data"}, state="absent").code == 0


def test_https_with_a_certificate_of_ones_own(
    change: Change, kubectl: Kubectl, web: Json, settings: Json, tmp_path: Path
) -> None:
    host, authority = "shop.c-apps.example.org", Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    def ask() -> tuple[str, str]:
        """Return the status line of a request over TLS, and the certificate's serial number."""
        with (
            socket.create_connection(("127.0.0.1", settings["https_port"]), timeout=10) as plain,
            trusting.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            serial = (secure.getpeercert() or {})["serialNumber"]
            return secure.recv(4096).decode().splitlines()[0], str(serial)

    def wait_for_answer(other_than: str = "") -> str:
        """Ask until the ingress has taken the change over; return the serial number."""
        end = time.monotonic() + 30
        while True:
            try:
                line, serial = ask()
                if line == "HTTP/1.1 200 OK" and serial != other_than:
                    return serial
            except (ssl.SSLError, ConnectionError):
                line = "no TLS yet"
            assert time.monotonic() < end, line
            time.sleep(0.5)

    certificate, key = authority.sign(host)
    web = {**web, "name": "secure", "host": host, "tls": {"certificate": certificate, "key": key}}
    made = change("application", web)
    assert made.code == 0, made.output
    assert made.result["url"] == f"https://{host}:{settings['https_port']}"
    assert key.splitlines()[1] not in made.output
    first = wait_for_answer()

    # The key is write-only, so an exported file has none: the cluster's own stays.
    kept = change("application", {**web, "tls": {"certificate": certificate}, "replicas": 2})
    assert kept.code == 0, kept.output
    renewed, other_key = authority.sign(host)
    mixed = change("application", {**web, "tls": {"certificate": renewed}})
    assert "application.tls.key: The key does not belong to the certificate" in mixed.message
    replaced = change("application", {**web, "tls": {"certificate": renewed, "key": other_key}})
    assert replaced.code == 0, replaced.output
    wait_for_answer(other_than=first)

    plain = change("application", {**web, "tls": None})
    assert plain.code == 0, plain.output
    assert "NotFound" in kubectl("get", "secret", "secure-tls", "-n", web["project"], check=False)
    assert change("application", {"project": web["project"], "name": "secure"}, state="absent").code == 0
