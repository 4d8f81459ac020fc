"""charts/grafana: who may sign in, and what it reads. It is not run: few bundles have its image."""

import base64
from typing import Any

import pytest
import yaml

from tests.charts.conftest import Json, RefusedError, Render

ROOM = {"name": "grafana", "namespace": "croft-monitoring"}
OIDC = {
    "authUrl": "https://login.example.org/auth",
    "tokenUrl": "https://login.example.org/token",
    "userinfoUrl": "https://login.example.org/userinfo",
    "clientId": "croft",
    "existingSecret": "oidc",
    "adminGroup": "operators",
}
DASHBOARD = '{"uid": "croft-pods", "title": "{{ no }} template", "templating": "$pod"}'


def environment(objects: dict[tuple[str, str], Json]) -> dict[str, str]:
    """Grafana's settings."""
    (container,) = objects["Deployment", "grafana"]["spec"]["template"]["spec"]["containers"]
    return {item["name"]: item["value"] for item in container["env"]}


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("grafana", {"oidc": OIDC, "dashboards": {"a.json": "{}"}})


def test_without_a_provider_there_is_one_password_from_a_secret(render: Render) -> None:
    objects = render("grafana", {}, **ROOM)
    found = environment(objects)
    assert found["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/admin/admin-password"
    assert not [name for name in found if "OAUTH" in name or name == "GF_SECURITY_ADMIN_PASSWORD"]
    volumes = objects["Deployment", "grafana"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "admin", "secret": {"secretName": "grafana-admin"}} in volumes


def test_with_a_provider_only_the_administrators_group_comes_in(render: Render) -> None:
    found = environment(render("grafana", {"oidc": OIDC}, **ROOM))
    assert found["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert found["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH"] == "contains(groups[*], 'operators') && 'Admin'"
    assert found["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT"] == "true"
    assert found["GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET__FILE"] == "/run/secrets/oidc/client-secret"
    # The password of the Secret holds all the same: without, it would be Grafana's own `admin`.
    assert found["GF_SECURITY_ADMIN_PASSWORD__FILE"]


def test_operators_read_all_and_projects_through_the_label_proxy(render: Render) -> None:
    data = render("grafana", {"projects": ["shop", "on"]}, **ROOM)["ConfigMap", "grafana-provisioning"][
        "data"
    ]
    sources = {source["name"]: source for source in yaml.safe_load(data["datasources.yaml"])["datasources"]}
    assert sources["Prometheus"]["url"] == "http://prometheus:9090"
    assert [name for name, source in sources.items() if source.get("isDefault")] == ["Prometheus"]
    for project in ("shop", "on"):
        source = sources[f"Project {project}"]
        assert source["url"] == "http://label-proxy:8080"
        assert source["jsonData"]["httpHeaderName1"] == "X-Croft-Namespace"
        assert source["secureJsonData"]["httpHeaderValue1"] == project


def test_dashboards_go_through_as_they_are(render: Render) -> None:
    objects = render("grafana", {"dashboards": {"croft-pods.json": DASHBOARD}}, **ROOM)
    assert objects["ConfigMap", "grafana-croft-pods"]["data"] == {"croft-pods.json": DASHBOARD}
    volumes = {
        item["name"]: item for item in objects["Deployment", "grafana"]["spec"]["template"]["spec"]["volumes"]
    }
    assert volumes["dashboards"]["projected"]["sources"] == [{"configMap": {"name": "grafana-croft-pods"}}]


def test_only_the_ingress_comes_in_and_nothing_calls_home(render: Render) -> None:
    objects = render("grafana", {"url": "https://grafana.example.org:8443"}, **ROOM)
    (rule,) = objects["NetworkPolicy", "grafana"]["spec"]["ingress"]
    (source,) = rule["from"]
    assert source["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "croft-ingress"}
    (host,) = objects["Ingress", "grafana"]["spec"]["rules"]
    assert host["host"] == "grafana.example.org"
    found = environment(objects)
    assert found["GF_SECURITY_COOKIE_SECURE"] == "true"
    assert {value for name, value in found.items() if name.startswith("GF_ANALYTICS")} == {"false"}


def test_pod_fits_the_restricted_level(render: Render) -> None:
    pod = render("grafana", {}, **ROOM)["Deployment", "grafana"]["spec"]["template"]["spec"]
    security = pod["containers"][0]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"colour": "red"}, "colour"),
        ({"url": "grafana.example.org"}, "/url"),
        ({"oidc": {**OIDC, "adminGroup": ""}}, "/oidc"),
        ({"oidc": {**OIDC, "adminGroup": "a') || contains('a', 'a"}}, "/oidc/adminGroup"),
        ({"oidc": {**OIDC, "clientSecret": base64.b64encode(b"x").decode()}}, "clientSecret"),
        ({"projects": ["a b"]}, "/projects/0"),
        ({"dashboards": {"../x.json": "{}"}}, "propertyName .../x.json"),
    ],
)
def test_schema_refuses(render: Render, values: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedError, match=where):
        render("grafana", values, **ROOM)
