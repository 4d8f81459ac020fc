"""charts/cadvisor: one on each node, which looks and touches nothing."""

from typing import Any

import pytest

from tests.charts.conftest import Json, RefusedError, Render

ROOM = {"name": "cadvisor", "namespace": "croft-monitoring"}


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("cadvisor", {})


def test_it_runs_on_every_node_and_changes_nothing_there(render: Render) -> None:
    pod: Json = render("cadvisor", {}, **ROOM)["DaemonSet", "cadvisor"]["spec"]["template"]["spec"]
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["automountServiceAccountToken"] is False
    assert not pod.get("hostNetwork")
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["DAC_READ_SEARCH", "SYS_PTRACE"]}
    assert "privileged" not in security
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_labels_are_those_that_prometheus_turns_into_namespace_pod_and_container(render: Render) -> None:
    (container,) = render("cadvisor", {}, **ROOM)["DaemonSet", "cadvisor"]["spec"]["template"]["spec"][
        "containers"
    ]
    flags = dict(flag.removeprefix("--").partition("=")[::2] for flag in container["args"])
    assert flags["store_container_labels"] == "false"
    assert set(flags["whitelisted_container_labels"].split(",")) == {
        f"io.kubernetes.{name}" for name in ("container.name", "pod.name", "pod.namespace")
    }
    assert flags["enable_metrics"] == "cpu,memory,network,diskIO"


def test_only_prometheus_comes_in(render: Render) -> None:
    policy = render("cadvisor", {}, **ROOM)["NetworkPolicy", "cadvisor"]["spec"]
    prometheus = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
    assert policy["ingress"] == [{"from": [prometheus], "ports": [{"protocol": "TCP", "port": "metrics"}]}]


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"colour": "red"}, "colour"),
        ({"metrics": ["cpu", "weather"]}, "/metrics/1"),
        ({"interval": 1}, "/interval"),
        ({"image": "a b"}, "/image"),
    ],
)
def test_schema_refuses(render: Render, values: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedError, match=where):
        render("cadvisor", values, **ROOM)
