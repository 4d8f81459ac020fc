"""charts/storage: its programs, and who may ask what the volumes hold."""

from typing import Any

from tests.charts.conftest import Render
from tests.playbook import ROOT

ROOM = {"name": "storage", "namespace": "croft-storage"}
VALUES = {"image": "localhost/croft/portal-base:1"}


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("storage", VALUES)


def test_the_programs_come_whole_and_a_change_starts_new_pods(render: Render) -> None:
    objects = render("storage", VALUES, **ROOM)
    data = objects["ConfigMap", "provisioner"]["data"]
    for name in ("provisioner.py", "usage.py"):
        assert data[name].rstrip() == (ROOT / "charts/storage/files" / name).read_text().rstrip()
    template = objects["DaemonSet", "provisioner"]["spec"]["template"]
    assert len(template["metadata"]["annotations"]["croft.dev/program"]) == 16


def test_only_prometheus_asks_and_only_at_the_port_of_the_metrics(render: Render) -> None:
    objects = render("storage", VALUES, **ROOM)
    policy = objects["NetworkPolicy", "provisioner"]["spec"]
    assert policy["podSelector"] == {}
    (rule,) = policy["ingress"]
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "croft-monitoring"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        }
    ]
    assert rule["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    (container,) = objects["DaemonSet", "provisioner"]["spec"]["template"]["spec"]["containers"]
    (port,) = container["ports"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert (port["name"], env["METRICS_PORT"]) == ("metrics", str(port["containerPort"]))
