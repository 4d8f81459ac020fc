"""charts/portal: web and worker in one pod on SQLite, apart on PostgreSQL, and what the worker may do."""

from typing import Any

import pytest

from tests.charts.conftest import RefusedError, Render

ROOM = {"name": "portal", "namespace": "croft"}


def containers(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return a Deployment's containers, those that run first included, by name."""
    spec = deployment["spec"]["template"]["spec"]
    return {item["name"]: item for item in (*spec.get("initContainers", []), *spec["containers"])}


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("portal", {})


def test_sqlite_has_one_pod_on_one_volume_that_outlives_the_release(render: Render) -> None:
    objects = render("portal", {}, **ROOM)
    deployment = objects["Deployment", "portal"]
    assert set(containers(deployment)) == {"migrate", "web", "worker"}
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    claim = objects["PersistentVolumeClaim", "portal-data"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_postgresql_has_two_deployments_and_no_volume(render: Render) -> None:
    values = {"database": {"external": True}, "web": {"replicas": 2}, "worker": {"replicas": 3}}
    objects = render("portal", values, **ROOM)
    assert set(containers(objects["Deployment", "portal-web"])) == {"migrate", "web"}
    assert set(containers(objects["Deployment", "portal-worker"])) == {"worker"}
    assert objects["Deployment", "portal-web"]["spec"]["replicas"] == 2
    assert objects["Deployment", "portal-worker"]["spec"]["replicas"] == 3
    assert not [name for kind, name in objects if kind == "PersistentVolumeClaim"]
    web = objects["Deployment", "portal-web"]["spec"]["template"]["spec"]
    assert web["serviceAccountName"] == "portal-web"


def test_only_what_migrates_knows_of_the_backup(render: Render) -> None:
    values = {"database": {"external": True, "backup": "0001"}}
    objects = render("portal", values, **ROOM)
    for name in ("portal-web", "portal-worker"):
        for container, found in containers(objects["Deployment", name]).items():
            told = {item["name"]: item.get("value") for item in found["env"]}.get("CROFT_DATABASE_BACKUP")
            assert told == ("0001" if container == "migrate" else None)


def test_no_secret_is_in_the_environment(render: Render) -> None:
    for container in containers(render("portal", {}, **ROOM)["Deployment", "portal"]).values():
        for variable in container["env"]:
            assert "valueFrom" not in variable
            if "KEY" in variable["name"] or "PASSWORD" in variable["name"]:
                assert variable["name"].endswith("_FILE")


def test_pods_fit_the_restricted_level(render: Render) -> None:
    deployment = render("portal", {}, **ROOM)["Deployment", "portal"]
    assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    for container in containers(deployment).values():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_only_the_worker_writes_and_nobody_holds_a_wildcard(render: Render) -> None:
    objects = render("portal", {}, **ROOM)
    reading = {"get", "list", "watch"}
    writing = [
        rule
        for rule in objects["ClusterRole", "croft-portal-web"]["rules"]
        if not set(rule["verbs"]) <= reading
    ]
    accounts = ["croft-owner", "croft-developer", "croft-viewer"]
    tokens = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    assert writing == [{**tokens, "resourceNames": accounts}]
    for role in ("croft-portal-web", "croft-portal-worker"):
        for rule in objects["ClusterRole", role]["rules"]:
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
    secrets = [
        rule for rule in objects["ClusterRole", "croft-portal-web"]["rules"] if "secrets" in rule["resources"]
    ]
    assert secrets == []


@pytest.mark.parametrize(
    "values",
    [
        {"colour": "red"},
        {"externalUrl": "croft.example.org"},
        {"httpPort": 70000},
        {"web": {"replicas": 0}},
        {"image": "no-tag"},
        {"database": {"size": "much"}},
        {"database": {"backup": "maybe"}},
        {"smtp": {"host": "mail.example.org"}},
        {"smtp": {"security": "ssl"}},
        {"smtp": {"host": "mail.example.org", "from": "croft@example.org", "user": "croft"}},
        {"caCertificates": "/etc/ssl/ca.pem"},
        {"caCertificates": "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----"},
        {"webhooks": {"allowedCidrs": ["everything"]}},
        {"retention": {"jobs": 0}},
        {"monitoring": {"retentionDays": 0}},
    ],
)
def test_wrong_values_are_refused(render: Render, values: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        render("portal", values, **ROOM)


def test_streams_and_sockets_pass_the_ingress_and_find_threads(render: Render) -> None:
    objects = render("portal", {}, **ROOM)
    ingress = objects["Ingress", "portal"]
    paths = [path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    annotations = ingress["metadata"]["annotations"]
    assert annotations["projectcontour.io/websocket-routes"].split(",") == paths
    assert annotations["projectcontour.io/response-timeout"] == "infinity"
    web = containers(objects["Deployment", "portal"])["web"]
    assert {"name": "MALLOC_ARENA_MAX", "value": "2"} in web["env"]


def test_the_mail_servers_password_is_a_file_of_the_worker_alone(render: Render) -> None:
    smtp = {"host": "mail.example.org", "security": "starttls", "user": "croft", "from": "croft@example.org"}
    values = {
        "smtp": smtp | {"port": 587, "existingSecret": "mail"},
        "webhooks": {"allowedCidrs": ["10.20.0.0/16"], "clusterCidrs": ["10.96.0.0/16", "fd00::/8"]},
        "retention": {"jobs": 7, "audit": 30},
    }
    found = containers(render("portal", values, **ROOM)["Deployment", "portal"])
    settings = {
        name: {item["name"]: item.get("value") for item in container["env"]}
        for name, container in found.items()
    }
    for name in ("web", "worker"):
        # The page says at once what can be, the worker sends.
        assert settings[name]["CROFT_SMTP_HOST"] == "mail.example.org"
        assert settings[name]["CROFT_WEBHOOK_ALLOWED_CIDRS"] == "10.20.0.0/16"
        assert settings[name]["CROFT_CLUSTER_CIDRS"] == "10.96.0.0/16,fd00::/8"
    worker = settings["worker"]
    assert worker["CROFT_SMTP_PASSWORD_FILE"] == "/run/secrets/smtp/password"
    assert (worker["CROFT_SMTP_SECURITY"], worker["CROFT_SMTP_PORT"]) == ("starttls", "587")
    assert (worker["CROFT_JOB_RETENTION_DAYS"], worker["CROFT_AUDIT_RETENTION_DAYS"]) == ("7", "30")
    assert "CROFT_SMTP_PASSWORD_FILE" not in settings["web"]
    mounts = {mount["name"] for mount in found["web"]["volumeMounts"]}
    assert "smtp" not in mounts


def test_the_operators_authorities_are_a_file_and_a_change_starts_the_pods_anew(render: Render) -> None:
    def with_authorities(text: str, external: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        objects = render("portal", {"caCertificates": text, "database": {"external": external}}, **ROOM)
        (authorities,) = [item for (kind, _name), item in objects.items() if kind == "ConfigMap"]
        return authorities, [item for (kind, _name), item in objects.items() if kind == "Deployment"]

    pem = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
    for external in (False, True):
        authorities, deployments = with_authorities(pem, external)
        assert authorities["data"] == {"ca.pem": pem}
        found = {name: part for item in deployments for name, part in containers(item).items()}
        assert {"web", "worker"} <= set(found)
        for name in ("web", "worker"):
            assert {"name": "CROFT_CA_FILE", "value": "/run/authorities/ca.pem"} in found[name]["env"]
            assert "/run/authorities" in [mount["mountPath"] for mount in found[name]["volumeMounts"]]
        for item in deployments:
            volumes = {volume["name"]: volume for volume in item["spec"]["template"]["spec"]["volumes"]}
            assert volumes["authorities"]["configMap"]["name"] == authorities["metadata"]["name"]
        assert with_authorities(pem * 2, external)[0]["metadata"]["name"] != authorities["metadata"]["name"]
    plain = render("portal", {}, **ROOM)
    assert "CROFT_CA_FILE" not in str(plain["Deployment", "portal"])
    assert not [kind for kind, _name in plain if kind == "ConfigMap"]


def test_openid_connect_gets_its_secret_as_a_file(render: Render) -> None:
    oidc = {"issuer": "https://login.example.org", "clientId": "croft", "existingSecret": "portal-oidc"}
    deployment = render("portal", {"oidc": oidc, "selfRegistration": True}, **ROOM)["Deployment", "portal"]
    web = containers(deployment)["web"]
    env = {item["name"]: item["value"] for item in web["env"]}
    assert env["CROFT_SELF_REGISTRATION"] == "true"
    assert env["CROFT_OIDC_ISSUER"] == "https://login.example.org"
    assert env["CROFT_OIDC_CLIENT_SECRET_FILE"] == "/run/secrets/oidc/client-secret"
    assert "CROFT_OIDC_CLIENT_SECRET" not in env
    assert "/run/secrets/oidc" in [mount["mountPath"] for mount in web["volumeMounts"]]
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes["oidc"]["secret"]["secretName"] == "portal-oidc"
    plain = containers(render("portal", {}, **ROOM)["Deployment", "portal"])["web"]
    assert not [item for item in plain["env"] if item["name"].startswith("CROFT_OIDC")]


def test_web_reads_logs_and_runs_no_commands(render: Render) -> None:
    rules = render("portal", {}, **ROOM)["ClusterRole", "croft-portal-web"]["rules"]
    verbs = {resource: rule["verbs"] for rule in rules for resource in rule["resources"]}
    assert verbs["pods/log"] == ["get"]
    assert not {"pods/exec", "pods/attach", "secrets", "*"} & set(verbs), (
        "shells use tokens of the project's accounts"
    )


def test_only_the_ingress_alertmanager_and_prometheus_come_in(render: Render) -> None:
    (policy,) = [item for (kind, _), item in render("portal", {}, **ROOM).items() if kind == "NetworkPolicy"]
    doors = {}
    for rule in policy["spec"]["ingress"]:
        (source,) = rule["from"]
        namespace = source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        name = source.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name", "*")
        doors[f"{namespace}/{name}"] = [port["port"] for port in rule["ports"]]
    assert doors == {
        "croft-ingress/*": ["http"],
        "croft-monitoring/alertmanager": ["http"],
        "croft-monitoring/prometheus": [9101, 9102],
    }


def test_metrics_have_ports_that_no_service_leads_to(render: Render) -> None:
    objects = render("portal", {}, **ROOM)
    found = containers(objects["Deployment", "portal"])
    for name, port in (("web", 9101), ("worker", 9102)):
        ports = {item["name"]: item["containerPort"] for item in found[name]["ports"]}
        assert ports[f"metrics-{name}"] == port
        told = {item["name"]: item.get("value") for item in found[name]["env"]}
        assert told["CROFT_METRICS_PORT"] == str(port)
    assert "CROFT_METRICS_PORT" not in {item["name"] for item in found["migrate"]["env"]}
    assert [port["targetPort"] for port in objects["Service", "portal"]["spec"]["ports"]] == ["http"]


def test_web_is_told_of_monitoring_and_has_the_token_of_the_alerts_as_a_file(render: Render) -> None:
    urls = {"alertmanagerUrl": "http://alertmanager.croft-monitoring:9093"}
    for external in (False, True):
        monitoring = {**urls, "alertsSecret": "alert-webhook", "retentionDays": 30}
        values = {"database": {"external": external}, "monitoring": monitoring}
        objects = render("portal", values, **ROOM)
        deployment = objects["Deployment", "portal-web" if external else "portal"]
        web = containers(deployment)["web"]
        told = {item["name"]: item.get("value") for item in web["env"]}
        assert told["CROFT_ALERTMANAGER_URL"] == urls["alertmanagerUrl"]
        assert told["CROFT_METRICS_RETENTION_DAYS"] == "30"
        assert told["CROFT_ALERTS_TOKEN_FILE"] == "/run/secrets/alerts/token"
        assert "/run/secrets/alerts" in {item["mountPath"] for item in web["volumeMounts"]}
        volumes = {item["name"]: item for item in deployment["spec"]["template"]["spec"]["volumes"]}
        assert volumes["alerts"]["secret"]["secretName"] == "alert-webhook"
        if not external:
            worker = containers(deployment)["worker"]
            assert "alerts" not in {item["name"] for item in worker["volumeMounts"]}
    without = render("portal", {}, **ROOM)["Deployment", "portal"]
    assert "alerts" not in {item["name"] for item in without["spec"]["template"]["spec"]["volumes"]}
    told = {item["name"] for item in containers(without)["web"]["env"]}
    assert "CROFT_ALERTS_TOKEN_FILE" not in told
