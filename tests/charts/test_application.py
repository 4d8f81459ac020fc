"""charts/application: what an application is made of."""

import base64
from typing import Any

import pytest

from tests.charts.conftest import Json, RefusedError, Render

WEB: Json = {
    "image": "registry.example.org/web:1",
    "ports": [{"name": "http", "targetPort": 8080, "port": 80}],
}


def deployment(render: Render, values: Json, **more: str) -> Json:
    """The rendered Deployment's spec."""
    spec: Json = render("application", {**WEB, **values}, **more)["Deployment", more.get("name", "web")][
        "spec"
    ]
    return spec


def container(render: Render, values: Json) -> Json:
    """The rendered container."""
    (found,) = deployment(render, values)["template"]["spec"]["containers"]
    return dict(found)


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("application", WEB)


def test_smallest_application(render: Render) -> None:
    objects = render("application", WEB)
    assert set(objects) == {("ServiceAccount", "web"), ("Service", "web"), ("Deployment", "web")}
    for item in objects.values():
        assert item["metadata"]["namespace"] == "shop"
        assert item["metadata"]["labels"] == {
            "app.kubernetes.io/name": "web",
            "app.kubernetes.io/managed-by": "Helm",
            "app.kubernetes.io/part-of": "croft",
            "croft.dev/project": "shop",
            "croft.dev/application": "web",
        }
    assert objects["Service", "web"]["spec"]["ports"] == [
        {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    ]


@pytest.mark.parametrize("name", ["on", "null", "true", "yes", "y"])
def test_names_that_yaml_takes_for_something_else_stay_names(render: Render, name: str) -> None:
    values = {**WEB, "ports": [{"name": name, "targetPort": 1}], "host": "a.example.org"}
    values |= {
        "env": [{"name": name.upper(), "value": name}],
        "secrets": [{"name": f"S_{name}", "value": "1"}],
    }
    objects = render("application", values, name=name)
    assert objects["ConfigMap", name]["data"] == {name.upper(): name}
    assert objects["Deployment", name]["spec"]["template"]["spec"]["serviceAccountName"] == name
    assert objects["Service", name]["spec"]["ports"][0]["targetPort"] == name
    (rule,) = objects["Ingress", name]["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": name, "port": {"name": name}}


def test_pod_fits_pod_security_restricted(render: Render) -> None:
    pod = deployment(render, {})["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert (
        deployment(render, {"runAsUser": 2000000000})["template"]["spec"]["securityContext"]["runAsUser"]
        == 2 * 10**9
    )


def test_variables_travel_untouched_and_change_the_pods(render: Render) -> None:
    text = '{{ .Values.image }} "quoted" \\ $(HOME) #no\nsecond: line\n'
    values = {**WEB, "env": [{"name": "TEXT", "value": text}], "secrets": [{"name": "KEY", "value": text}]}
    objects = render("application", values)
    assert objects["ConfigMap", "web"]["data"] == {"TEXT": text}
    assert base64.b64decode(objects["Secret", "web"]["data"]["KEY"]).decode() == text
    before = objects["Deployment", "web"]["spec"]["template"]["metadata"]["annotations"]
    for kind in ("env", "secrets"):
        changed = {**values, kind: [{"name": values[kind][0]["name"], "value": "other"}]}
        after = deployment(render, changed)["template"]["metadata"]["annotations"]
        assert after[f"checksum/{kind}"] != before[f"checksum/{kind}"]
        assert {key for key in after if after[key] != before[key]} == {f"checksum/{kind}"}


def test_fingerprint_of_secrets_depends_on_the_salt(render: Render) -> None:
    secret = {"secrets": [{"name": "PIN", "value": "1234"}]}
    prints = {
        deployment(render, {**secret, "secretsSalt": salt})["template"]["metadata"]["annotations"][
            "checksum/secrets"
        ]
        for salt in ("one", "two")
    }
    assert len(prints) == 2


def test_probes_ask_the_health_path_or_the_port(render: Render) -> None:
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(render, {})[kind]["tcpSocket"] == {"port": "http"}
        probe = container(render, {"healthPath": "/healthz?a=1"})[kind]
        assert probe["httpGet"] == {"path": "/healthz?a=1", "port": "http"}
        assert "tcpSocket" not in probe


def test_ingress_leads_the_host_to_the_first_port(render: Render) -> None:
    ports = [{"name": "http", "targetPort": 8080}, {"name": "dns", "targetPort": 53, "protocol": "UDP"}]
    objects = render("application", {**WEB, "ports": ports, "host": "web.shop.localhost"})
    spec = objects["Ingress", "web"]["spec"]
    assert spec["ingressClassName"] == "contour"
    assert spec["rules"][0]["host"] == "web.shop.localhost"
    assert spec["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] == {"name": "http"}
    assert [port["port"] for port in objects["Service", "web"]["spec"]["ports"]] == [8080, 53]


def test_volume_is_claimed_mounted_and_never_shared_by_two_versions(render: Render) -> None:
    objects = render(
        "application", {**WEB, "volume": {"size": "2Gi", "mountPath": "/data"}, "storageClass": "fast"}
    )
    claim = objects["PersistentVolumeClaim", "web"]["spec"]
    assert claim["resources"]["requests"]["storage"] == "2Gi"
    assert claim["storageClassName"] == "fast"
    spec = objects["Deployment", "web"]["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["template"]["spec"]["securityContext"]["fsGroup"] == 1000
    assert spec["template"]["spec"]["containers"][0]["volumeMounts"] == [
        {"name": "data", "mountPath": "/data"}
    ]
    assert (
        "storageClassName"
        not in render("application", {**WEB, "volume": {"size": "1Gi", "mountPath": "/d"}})[
            "PersistentVolumeClaim", "web"
        ]["spec"]
    )


def test_replicas_are_fixed_or_left_to_the_autoscaler(render: Render) -> None:
    assert deployment(render, {"replicas": 0})["replicas"] == 0
    scaling = {"minReplicas": 2, "maxReplicas": 4, "cpuPercent": 70}
    objects = render("application", {**WEB, "autoscaling": scaling})
    assert "replicas" not in objects["Deployment", "web"]["spec"]
    scaler = objects["HorizontalPodAutoscaler", "web"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


def test_pods_are_replaced_one_more_or_one_less_at_a_time(render: Render) -> None:
    more = deployment(render, {})["strategy"]["rollingUpdate"]
    less = deployment(render, {"surge": False})["strategy"]["rollingUpdate"]
    assert (more, less) == ({"maxSurge": 1, "maxUnavailable": 0}, {"maxSurge": 0, "maxUnavailable": 1})


def test_project_of_level_baseline_may_run_images_as_root(render: Render) -> None:
    pod = deployment(render, {"runAsNonRoot": False})["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is False
    assert pod["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"colour": "red"}, "colour"),
        ({"image": "a b"}, "/image"),
        ({"image": "{{x}}"}, "/image"),
        ({"ports": []}, "/ports"),
        ({"ports": [{"name": "http", "targetPort": 65536}]}, "/ports/0/targetPort"),
        ({"ports": [{"name": "http", "targetPort": 1, "nodePort": 2}]}, "nodePort"),
        ({"replicas": -1}, "/replicas"),
        ({"resources": {"requests": {"cpu": "much"}}}, "/resources/requests/cpu"),
        ({"env": [{"name": "NOT-A-NAME", "value": "x"}]}, "/env/0/name"),
        ({"env": [{"name": "A", "value": 1}]}, "/env/0/value"),
        ({"healthPath": "healthz"}, "/healthPath"),
        ({"volume": {"size": "1Gi", "mountPath": "data"}}, "/volume/mountPath"),
        ({"autoscaling": {"minReplicas": 0, "maxReplicas": 1, "cpuPercent": 50}}, "/autoscaling/minReplicas"),
        ({"runAsUser": 0}, "/runAsUser"),
        ({"host": "not a host"}, "/host"),
    ],
)
def test_schema_refuses(render: Render, values: Json, where: str) -> None:
    with pytest.raises(RefusedError, match=where):
        render("application", {**WEB, **values})


SCALED: Json = {"replicas": 3, "autoscaling": {"minReplicas": 2, "maxReplicas": 4, "cpuPercent": 80}}


@pytest.mark.parametrize("rest", ["stopped", "asleep"])
def test_a_stopped_or_sleeping_application_has_no_pods_and_keeps_the_rest(render: Render, rest: str) -> None:
    volume = {"size": "1Gi", "mountPath": "/data"}
    objects = render("application", {**WEB, **SCALED, "volume": volume, rest: True})
    assert objects["Deployment", "web"]["spec"]["replicas"] == 0
    assert ("HorizontalPodAutoscaler", "web") not in objects
    assert ("PersistentVolumeClaim", "web") in objects
    awake = render("application", {**WEB, **SCALED})
    assert "replicas" not in awake["Deployment", "web"]["spec"]
    assert ("HorizontalPodAutoscaler", "web") in awake


def test_a_restart_changes_the_pods_alone(render: Render) -> None:
    before, after = (
        render("application", {**WEB, "restartedAt": moment}) for moment in ("", "2026-01-31T12:00:00Z")
    )
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {("Deployment", "web")}
    annotations = after["Deployment", "web"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["kubectl.kubernetes.io/restartedAt"] == "2026-01-31T12:00:00Z"


def test_https_with_a_certificate_of_ones_own(render: Render) -> None:
    values = {**WEB, "host": "a.example.org", "tls": {"certificate": "chain", "secretKey": "private"}}
    objects = render("application", values)
    secret = objects["Secret", "web-tls"]
    assert secret["type"] == "kubernetes.io/tls"
    assert {name: base64.b64decode(text) for name, text in secret["data"].items()} == {
        "tls.crt": b"chain",
        "tls.key": b"private",
    }
    assert secret["metadata"]["labels"]["croft.dev/application"] == "web"
    ingress = objects["Ingress", "web"]
    assert ingress["spec"]["tls"] == [{"hosts": ["a.example.org"], "secretName": "web-tls"}]
    assert "annotations" not in ingress["metadata"]


def test_https_with_the_platforms_issuer(render: Render) -> None:
    tls = {"issuer": "letsencrypt", "redirect": True}
    objects = render("application", {**WEB, "host": "a.example.org", "tls": tls})
    assert ("Secret", "web-tls") not in objects
    ingress = objects["Ingress", "web"]
    assert ingress["spec"]["tls"] == [{"hosts": ["a.example.org"], "secretName": "web-tls"}]
    assert ingress["metadata"]["annotations"] == {
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "ingress.kubernetes.io/force-ssl-redirect": "true",
    }


PORTS: Json = {"ports": [*WEB["ports"], {"name": "internal", "targetPort": 9000}]}


@pytest.mark.parametrize(("port", "number"), [("internal", "9000"), (9000, "9000"), ("http", "8080")])
def test_metrics_are_told_at_the_pod_with_the_port_s_number(
    render: Render, port: str | int, number: str
) -> None:
    metadata = deployment(render, {**PORTS, "metrics": {"port": port}})["template"]["metadata"]
    assert metadata["labels"]["croft.dev/metrics"] == "true"
    assert metadata["annotations"]["croft.dev/metrics-port"] == number
    assert metadata["annotations"]["croft.dev/metrics-path"] == "/metrics"


def test_metrics_have_a_path_and_are_no_part_of_what_selects_the_pods(render: Render) -> None:
    spec = deployment(render, {**PORTS, "metrics": {"port": 8080, "path": "/-/metrics"}})
    assert spec["template"]["metadata"]["annotations"]["croft.dev/metrics-path"] == "/-/metrics"
    assert "croft.dev/metrics" not in spec["selector"]["matchLabels"]
    silent = deployment(render, PORTS)["template"]["metadata"]
    assert not [name for name in (*silent["labels"], *silent["annotations"]) if "metrics" in name]


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"port": "admin"}, "metrics.port admin is none of the ports"),
        ({"port": 9}, "metrics.port 9 is none of the ports"),
        ({"port": "dns"}, "metrics.port dns is none of the ports"),
        ({"port": 70000}, "/metrics/port"),
        ({"port": "http", "path": "metrics"}, "/metrics/path"),
        ({"port": "http", "path": "/m?target=http://x"}, "/metrics/path"),
        ({"port": "http", "host": "prometheus"}, "host"),
        ({"path": "/metrics"}, "port"),
    ],
)
def test_metrics_are_only_those_of_the_application(render: Render, metrics: Json, message: str) -> None:
    ports = [*PORTS["ports"], {"name": "dns", "targetPort": 53, "protocol": "UDP"}]
    with pytest.raises(RefusedError, match=message):
        render("application", {**WEB, "ports": ports, "metrics": metrics})
