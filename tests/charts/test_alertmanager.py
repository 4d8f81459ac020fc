"""A real Alertmanager with the configuration of charts/monitoring: who hears, and who is held back."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.alertmanager import AlertmanagerProcess
from tests.charts.conftest import Json, Render
from tests.charts.test_monitoring import ROOM
from tests.worker.receivers import HookServer

pytestmark = pytest.mark.slow

# What alerts are about, with another value for each.
SAME = {
    "job": "node",
    "node": "a",
    "device": "sda",
    "mountpoint": "/",
    "namespace": "shop",
    "workload": "web",
}
WORSE = {
    "CertificateExpiresSoon": "CertificateExpires",
    "KubeletCertificateExpiresSoon": "KubeletCertificateExpires",
    "IngressCertificateExpiresSoon": "IngressCertificateExpires",
    "NodeDiskFull": "NodeDiskNearlyFull",
    "ApplicationDown": "ReplicasMissing",
}
PATIENCE = 40.0


@contextmanager
def running(render: Render, folder: Path, portal: str, watchdog: str) -> Iterator[AlertmanagerProcess]:
    """Start it as in the cluster; what the cluster mounts below /etc lies in `folder`."""
    values = {"portal": {"url": f"{portal}/internal/alerts"}, "watchdog": {"existingSecret": "switch"}}
    objects = render("monitoring", {"alertmanager": values}, **ROOM)
    config: str = objects["ConfigMap", "alertmanager"]["data"]["alertmanager.yml"]
    for name, secret in (("portal/token", "t" * 40), ("watchdog/url", f"{watchdog}/beat")):
        (folder / f"alertmanager-{name}").parent.mkdir()
        (folder / f"alertmanager-{name}").write_text(secret)
    found = AlertmanagerProcess(
        folder / "run", config.replace("/etc/alertmanager-", f"{folder}/alertmanager-")
    )
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def hooks() -> Iterator[tuple[HookServer, HookServer]]:
    """The portal's door and the dead man's switch."""
    found = HookServer(), HookServer()
    yield found
    for hook in found:
        hook.close()


def tell(source: AlertmanagerProcess, *alerts: dict[str, str]) -> None:
    """Post alerts that begin now: of older ones Alertmanager sends the first at once, and looks at what
    holds back the others in a thread of its own. New ones wait for their group's 10 s.
    """
    for labels in alerts:
        source.tell(labels, since=datetime.now(UTC))


def names(hook: HookServer) -> set[str]:
    """Names of the alerts that came."""
    messages: list[Json] = [json.loads(request.body) for request in hook.received]
    return {alert["labels"]["alertname"] for message in messages for alert in message["alerts"]}


def test_the_watchdog_reaches_the_switch_and_a_lesser_alert_nobody(
    render: Render, tmp_path: Path, hooks: tuple[HookServer, HookServer]
) -> None:
    portal, switch = hooks
    with running(render, tmp_path, portal.url, switch.url) as source:
        for worse, lesser in WORSE.items():
            tell(source, {"alertname": worse, **SAME}, {"alertname": lesser, **SAME})
        tell(source, {"alertname": "Watchdog", "severity": "info", "audience": "operator"})
        end = time.monotonic() + PATIENCE
        while not names(switch) or names(portal) < {*WORSE, "Watchdog"}:
            assert time.monotonic() < end, (names(switch), names(portal), source.log.read_text())
            time.sleep(0.2)
        assert source.states() == {
            **dict.fromkeys(WORSE, "active"),
            **dict.fromkeys(WORSE.values(), "suppressed"),
            "Watchdog": "active",
        }
    assert names(switch) == {"Watchdog"}
    assert {request.path for request in switch.received} == {"/beat"}
    assert names(portal) == {*WORSE, "Watchdog"}
    assert {request.headers["Authorization"] for request in portal.received} == {f"Bearer {'t' * 40}"}


@pytest.mark.parametrize("label", SAME)
def test_an_alert_of_something_else_is_held_back_by_none(
    render: Render, tmp_path: Path, hooks: tuple[HookServer, HookServer], label: str
) -> None:
    with running(render, tmp_path, hooks[0].url, hooks[1].url) as source:
        for worse, lesser in WORSE.items():
            tell(source, {"alertname": worse, **SAME}, {"alertname": lesser, **SAME, label: "other"})
        last = {**SAME, "node": "last", "namespace": "last"}
        tell(source, *({"alertname": name, **last} for name in ("ApplicationDown", "ReplicasMissing")))
        end = time.monotonic() + PATIENCE
        # It takes alerts in the order in which they came: what holds back the last one holds back all.
        while source.states(namespace="last")["ReplicasMissing"] != "suppressed":
            assert time.monotonic() < end, source.log.read_text()
            time.sleep(0.05)
        states = {**source.states(namespace="shop"), **source.states(namespace="other")}
        assert states == dict.fromkeys((*WORSE, *WORSE.values()), "active")
