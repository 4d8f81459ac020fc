"""charts/monitoring: who asks whom, who may ask, and what becomes of what is told."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.conftest import Json, RefusedError, Render
from tests.charts.relabel import series, target
from tests.helm import helm_binary

ROOM = {"name": "monitoring", "namespace": "croft-monitoring"}
ALERTS = Path(__file__).resolve().parents[2] / "grafana" / "rules" / "alerts.yml"
RULES = """groups:
  - name: a
    rules:
      - {alert: Down, expr: up == 0, annotations: {summary: "{{ $value }} of {{ 1 }}"}}
"""
JOBS = {
    *(
        "cadvisor",
        "node",
        "kubelet",
        "apiserver",
        "scheduler",
        "controller-manager",
        "etcd",
        "coredns",
        "kube-state",
    ),
    *("contour", "envoy", "portal", "storage", "application", "prometheus", "alertmanager", "label-proxy"),
}


@pytest.fixture(scope="module")
def objects(render: Render) -> dict[tuple[str, str], Json]:
    """The chart with its own values."""
    return render("monitoring", {}, **ROOM)


@pytest.fixture(scope="module")
def jobs(objects: dict[tuple[str, str], Json]) -> dict[str, Json]:
    """The scrape jobs by name."""
    files = objects["ConfigMap", "prometheus"]["data"]
    found = [
        job
        for name, text in files.items()
        if name != "prometheus.yml"
        for job in yaml.safe_load(text)["scrape_configs"]
    ]
    return {job["job_name"]: job for job in found}


def pod_of(objects: dict[tuple[str, str], Json], kind: str, name: str) -> tuple[Json, Json]:
    """Return a workload's pod spec and its one container."""
    pod: Json = objects[kind, name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return pod, container


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("monitoring", {})


def write_configuration(objects: dict[tuple[str, str], Json], folder: Path) -> Path:
    """Write Prometheus' files as its pod sees them, below `folder`; return the main one."""
    account = folder / "serviceaccount"
    account.mkdir()
    for file in ("token", "ca.crt"):
        (account / file).write_text("")
    for name in ("prometheus", "prometheus-rules"):
        (folder / name).mkdir()
        for file, text in objects["ConfigMap", name]["data"].items():
            here = text.replace("/etc/prometheus", f"{folder}/prometheus")
            (folder / name / file).write_text(
                here.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(account))
            )
    return folder / "prometheus/prometheus.yml"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    binary = Path(helm_binary()).with_name("promtool")
    return subprocess.run([str(binary), *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_prometheus_takes_the_configuration_with_its_rules(render: Render, tmp_path: Path) -> None:
    file = write_configuration(render("monitoring", {"rules": {"a.yml": RULES}}, **ROOM), tmp_path)
    done = promtool("check", "config", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_every_job_is_there_and_pinned_names_have_plain_words(
    objects: dict[tuple[str, str], Json], jobs: dict[str, Json]
) -> None:
    assert set(jobs) == JOBS
    main = yaml.safe_load(objects["ConfigMap", "prometheus"]["data"]["prometheus.yml"])
    listed = {Path(file).name for file in main["scrape_config_files"]}
    assert listed == set(objects["ConfigMap", "prometheus"]["data"]) - {"prometheus.yml"}
    quick = {"cadvisor", "node", "envoy", "application", "portal"}
    assert {name for name, job in jobs.items() if job.get("scrape_interval") == "15s"} == quick
    assert main["global"]["scrape_interval"] == "30s"


def test_rules_go_through_as_they_are(render: Render) -> None:
    data = render("monitoring", {"rules": {"alerts.yml": RULES}}, **ROOM)["ConfigMap", "prometheus-rules"][
        "data"
    ]
    assert data == {"alerts.yml": RULES}


WORKLOADS = {
    "shop/web-5d4f8c7b9d-x7k2p": "web",
    "shop/web-api-v2-6c4b9d7f85-2m4xq": "web-api-v2",
    "shop/a-4567-bcd-5d4f8c7b9d-x7k2p": "a-4567-bcd",
    "shop/db-0": "db",
    "shop/db-12": "db",
    "shop/once": "once",
    "shop/dump-29384756-x7k2p": "dump",
    "shop/etcd-backup-5d4f8c7b9d-x7k2p": "etcd-backup",
    "croft-monitoring/node-exporter-x7k2p": "node-exporter",
    "croft-monitoring/prometheus-844f9d6f7d-vw2zz": "prometheus",
    "kube-system/kube-apiserver-croft-1": "kube-apiserver",
    "kube-system/etcd-croft-1": "etcd",
    "kube-system/coredns-7c65d6cfc9-zzzzz": "coredns",
}


@pytest.mark.parametrize(("pod", "workload"), WORKLOADS.items())
@pytest.mark.parametrize("job", ["cadvisor", "kube-state", "application"])
def test_workload_is_what_owns_the_pod(jobs: dict[str, Json], job: str, pod: str, workload: str) -> None:
    namespace, name = pod.split("/")
    if job == "application":
        found = target({**APPLICATION, "__meta_kubernetes_namespace": namespace, POD: name}, jobs[job])
    else:
        prefix = "container_label_io_kubernetes_pod_" if job == "cadvisor" else "k8s_"
        names = ("namespace", "name") if job == "cadvisor" else ("namespace_name", "pod_name")
        labels = dict(zip((prefix + part for part in names), (namespace, name), strict=True))
        labels |= {"__name__": "container_cpu_usage_seconds_total"} if job == "cadvisor" else {}
        labels |= {"container_label_io_kubernetes_container_name": "main"} if job == "cadvisor" else {}
        found = series(labels, jobs[job])
    assert found
    assert (found["namespace"], found["pod"], found["workload"]) == (namespace, name, workload)


POD = "__meta_kubernetes_pod_name"
APPLICATION = {
    "__address__": "10.244.1.7:8080",
    "__meta_kubernetes_pod_phase": "Running",
    "__meta_kubernetes_pod_ip": "10.244.1.7",
    "__meta_kubernetes_pod_annotation_croft_dev_metrics_port": "9000",
    "__meta_kubernetes_pod_annotation_croft_dev_metrics_path": "/-/metrics",
    "__meta_kubernetes_namespace": "shop",
    POD: "web-5d4f8c7b9d-x7k2p",
}


def test_an_application_is_asked_at_its_own_pod_alone(jobs: dict[str, Json]) -> None:
    job = jobs["application"]
    assert target(APPLICATION, job) == {
        "job": "application",
        "__address__": "10.244.1.7:9000",
        "__metrics_path__": "/-/metrics",
        "namespace": "shop",
        "pod": "web-5d4f8c7b9d-x7k2p",
        "workload": "web",
    }
    # Whatever gets into the annotation, no other address comes out.
    for port in ("", "80@prometheus", "prometheus:9090", "123456", "9000/x"):
        found = {**APPLICATION, "__meta_kubernetes_pod_annotation_croft_dev_metrics_port": port}
        assert target(found, job) is None
    assert target({**APPLICATION, "__meta_kubernetes_pod_phase": "Pending"}, job) is None
    assert job["follow_redirects"] is False
    assert job["kubernetes_sd_configs"] == [
        {"role": "pod", "selectors": [{"role": "pod", "label": "croft.dev/metrics=true"}]}
    ]


def test_what_an_application_tells_is_bounded_and_cannot_pass_for_something_else(
    render: Render, jobs: dict[str, Json]
) -> None:
    job = jobs["application"]
    assert (job["sample_limit"], job["body_size_limit"]) == (2000, "5MB")
    assert job["honor_labels"] is job["honor_timestamps"] is False
    for name in ("up", "ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "namespace:cpu:sum"):
        assert series({"__name__": name}, job) is None
    assert series({"__name__": "orders_total"}, job) == {"__name__": "orders_total"}
    files = render("monitoring", {"applications": {"samples": 50}}, **ROOM)["ConfigMap", "prometheus"]["data"]
    assert yaml.safe_load(files["applications.yml"])["scrape_configs"][0]["sample_limit"] == 50


def container_series(name: str, container: str = "", **more: str) -> dict[str, str]:
    pod = {"pod_namespace": "shop", "pod_name": "db-0", "container_name": container}
    labels = {f"container_label_io_kubernetes_{key}": value for key, value in pod.items()}
    return {"__name__": name, "id": "/kubepods/x", "name": "abc", "image": "db:1", **labels, **more}


def test_cadvisor_looks_when_it_is_asked_and_what_is_gone_is_not_counted_on(jobs: dict[str, Json]) -> None:
    job = jobs["cadvisor"]
    assert job["params"] == {"max_age": ["5s"]}
    assert job["track_timestamps_staleness"] is True


def test_cadvisor_keeps_containers_and_the_network_of_their_pods(jobs: dict[str, Json]) -> None:
    job = jobs["cadvisor"]
    owner = {"namespace": "shop", "pod": "db-0", "workload": "db"}
    cpu = "container_cpu_usage_seconds_total"
    assert series(container_series(cpu, "main"), job) == {"__name__": cpu, "container": "main", **owner}
    network = "container_network_receive_bytes_total"
    assert series(container_series(network, interface="eth0"), job) == {
        "__name__": network,
        "interface": "eth0",
        **owner,
    }
    assert series(container_series(cpu), job) is None, "a pod as a whole"
    for pod in ("kube-proxy-x7k2p", "etcd-node-1", "cilium-x7k2p"):
        more = {"container_label_io_kubernetes_pod_name": pod}
        more |= {"container_label_io_kubernetes_pod_namespace": "kube-system"}
        assert series({**container_series(network, interface="eth0"), **more}, job) is None, (
            "the node's network"
        )
        assert series({**container_series(cpu, "main"), **more}, job)
    assert series({"__name__": cpu, "id": "/"}, job) is None, "a node as a whole"
    assert series({"__name__": network, "id": "/", "interface": "eth0"}, job) is None
    assert series(
        {"__name__": "machine_cpu_cores", "boot_id": "1", "machine_id": "2", "system_uuid": "3"}, job
    ) == {"__name__": "machine_cpu_cores"}


def test_envoy_tells_about_the_application_that_is_asked(jobs: dict[str, Json]) -> None:
    job = jobs["envoy"]
    name = "envoy_cluster_upstream_rq_xx"
    labels = {"envoy_cluster_name": "shop_web_8080", "envoy_response_code_class": "5"}
    assert series({"__name__": name, **labels}, job) == {
        "__name__": name,
        "namespace": "shop",
        "workload": "web",
        **labels,
    }
    kept = ("upstream_rq", "upstream_rq_active", "upstream_rq_time_bucket", "upstream_cx_active")
    for kind in kept:
        assert series({"__name__": f"envoy_cluster_{kind}", **labels}, job)
    for other in (
        "envoy_cluster_upstream_flow_control_backed_up_total",
        "envoy_cluster_upstream_cx_length_ms_bucket",
        "envoy_tls_errors",
    ):
        assert series({"__name__": other, **labels}, job) is None
    for own in ("contour", "croft-ingress_envoy-admin_9001", "croft-ingress_contour_8001"):
        assert series({"__name__": name, "envoy_cluster_name": own}, job) is None
    assert series({"__name__": "envoy_server_live"}, job) == {"__name__": "envoy_server_live"}


def test_objects_are_known_by_short_names_and_uids_are_gone(jobs: dict[str, Json]) -> None:
    job = jobs["kube-state"]
    told = {"__name__": "k8s_deployment_desired", "k8s_namespace_name": "shop", "k8s_namespace_uid": "1"}
    told |= {
        "k8s_deployment_name": "web",
        "k8s_deployment_uid": "2",
        "otel_scope_name": "x",
        "otel_scope_version": "1",
    }
    assert series(told, job) == {
        "__name__": "k8s_deployment_desired",
        "namespace": "shop",
        "deployment": "web",
        "workload": "web",
    }
    container = {
        "k8s_container_name": "main",
        "container_id": "abc",
        "container_image_name": "x",
        "k8s_node_name": "n",
    }
    told = {
        "__name__": "k8s_container_restarts",
        "k8s_namespace_name": "shop",
        "k8s_pod_name": "db-0",
        **container,
    }
    found = series(told, job)
    assert found
    assert found == {
        "__name__": "k8s_container_restarts",
        "namespace": "shop",
        "pod": "db-0",
        "container": "main",
        "node": "n",
        "workload": "db",
    }
    quota = {"k8s_namespace_name": "shop", "k8s_resourcequota_name": "project", "resource": "pods"}
    found = series({"__name__": "k8s_resource_quota_used", **quota}, job)
    assert found
    assert (found["resourcequota"], found["resource"], found["namespace"]) == ("project", "pods", "shop")
    # The label `job` is the scrape job's.
    found = series(
        {"__name__": "k8s_job_failed_pods", "k8s_namespace_name": "shop", "k8s_job_name": "once"}, job
    )
    assert found
    assert "job" not in found
    assert found["job_name"] == "once"


@pytest.mark.parametrize(
    ("job", "address"),
    [
        ("apiserver", "192.0.2.11:6443"),
        ("scheduler", "192.0.2.11:10259"),
        ("controller-manager", "192.0.2.11:10257"),
        ("etcd", "192.0.2.11:2381"),
    ],
)
def test_the_control_plane_is_known_by_its_node(jobs: dict[str, Json], job: str, address: str) -> None:
    pod = {"__meta_kubernetes_pod_ip": "192.0.2.11", "__meta_kubernetes_pod_node_name": "node-1"}
    assert target({"__address__": "192.0.2.11", **pod}, jobs[job]) == {
        "job": job,
        "__address__": address,
        "node": "node-1",
        "instance": "node-1",
    }


def test_the_api_server_tells_little_more_than_is_looked_at(jobs: dict[str, Json]) -> None:
    def kept(name: str, **labels: str) -> bool:
        found = series({"__name__": name, **labels}, jobs["apiserver"])
        assert found in (None, {"__name__": name, **labels})
        return found is not None

    bucket = "apiserver_request_duration_seconds_bucket"
    assert kept("apiserver_request_total", verb="WATCH")
    assert kept(bucket, verb="GET", le="0.1")
    assert kept(bucket, verb="GET", le="+Inf")
    assert kept("apiserver_client_certificate_expiration_seconds_bucket", le="0")
    assert not kept(bucket, verb="GET", le="0.6")
    assert not kept(bucket, verb="WATCH", le="0.1")
    assert not kept("etcd_request_duration_seconds_bucket", le="0.1")
    assert not kept("kubernetes_feature_enabled")


def test_certificates_are_checked_where_somebody_signed_them(render: Render, jobs: dict[str, Json]) -> None:
    unchecked = {
        name for name, job in jobs.items() if job.get("tls_config", {}).get("insecure_skip_verify", False)
    }
    assert unchecked == {"kubelet", "scheduler", "controller-manager"}
    assert jobs["apiserver"]["tls_config"] == {
        "ca_file": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    }
    files = render("monitoring", {"verifyKubelets": True}, **ROOM)["ConfigMap", "prometheus"]["data"]
    (kubelet,) = [
        job for job in yaml.safe_load(files["nodes.yml"])["scrape_configs"] if job["job_name"] == "kubelet"
    ]
    assert kubelet["tls_config"]["insecure_skip_verify"] is False


def test_portal_is_asked_at_both_its_ports(jobs: dict[str, Json]) -> None:
    pod = {"__meta_kubernetes_pod_phase": "Running", "__meta_kubernetes_namespace": "croft", POD: "portal-1"}
    port = "__meta_kubernetes_pod_container_port_number"
    found = [target({**pod, port: number}, jobs["portal"]) for number in ("9101", "9102", "8000")]
    assert [item and item["component"] for item in found] == ["web", "worker", None]


def test_only_portal_and_grafana_reach_what_knows_of_no_rights(objects: dict[tuple[str, str], Json]) -> None:
    policies = {name: item["spec"] for (kind, name), item in objects.items() if kind == "NetworkPolicy"}
    assert policies["deny-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    doors: dict[str, dict[str, set[str]]] = {}
    for name, spec in policies.items():
        for rule in spec.get("ingress", []):
            (port,) = [entry["port"] for entry in rule["ports"]]
            for source in rule["from"]:
                who = source["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
                where = source.get("namespaceSelector", {}).get("matchLabels", {})
                # Without a namespace it is this one.
                assert where == ({"kubernetes.io/metadata.name": "croft"} if who == "portal" else {})
                doors.setdefault(name, {}).setdefault(port, set()).add(who)
    assert doors == {
        "prometheus": {"http": {"portal", "grafana", "label-proxy"}},
        "alertmanager": {"http": {"portal", "grafana", "prometheus"}},
        "label-proxy": {"http": {"portal", "grafana"}, "metrics": {"prometheus"}},
        "k8s-cluster": {"metrics": {"prometheus"}},
    }
    kinds = {kind for kind, _ in objects}
    assert not kinds & {"Ingress", "HTTPProxy"}
    services = [item for (kind, _), item in objects.items() if kind == "Service"]
    assert all("type" not in item["spec"] for item in services)


def test_the_label_proxy_takes_the_namespace_from_the_header_alone(
    objects: dict[tuple[str, str], Json],
) -> None:
    _, container = pod_of(objects, "Deployment", "label-proxy")
    assert {
        "-label=namespace",
        "-header-name=X-Croft-Namespace",
        "-error-on-replace",
        "-enable-label-apis",
    } <= set(container["args"])
    assert not [flag for flag in container["args"] if "query-param" in flag or "passthrough" in flag]


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "label-proxy", "k8s-cluster"])
def test_pods_fit_the_restricted_level(objects: dict[tuple[str, str], Json], name: str) -> None:
    pod, container = pod_of(objects, "Deployment", name)
    security = container["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume] if "volumes" in pod else True
    assert not pod.get("hostNetwork")


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "label-proxy", "k8s-cluster"])
def test_who_watches_runs_beside_the_control_plane(objects: dict[tuple[str, str], Json], name: str) -> None:
    pod, _ = pod_of(objects, "Deployment", name)
    (wish,) = pod["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    expected = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}
    assert wish["preference"]["matchExpressions"] == [expected]
    assert pod["tolerations"] == [{**expected, "effect": "NoSchedule"}]


def test_the_node_exporter_only_reads_and_runs_on_every_node(objects: dict[tuple[str, str], Json]) -> None:
    pod, container = pod_of(objects, "DaemonSet", "node-exporter")
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["runAsNonRoot"] is True
    (mount,) = container["volumeMounts"]
    assert mount["readOnly"] is True
    (exclude,) = [
        flag for flag in container["args"] if flag.startswith("--collector.filesystem.mount-points-exclude=")
    ]
    pattern = re.compile(exclude.partition("=")[2])
    for path in (
        "/proc/sys",
        "/run/containerd/io.containerd/x/rootfs",
        "/var/lib/kubelet/pods/1/volumes/2",
        "/etc/hosts",
    ):
        assert pattern.search(path)
    for path in ("/", "/boot", "/srv", "/var/lib/kubelet", "/var/lib/croft/volumes", "/devices"):
        assert not pattern.search(path)
    # At the node's own address, not at all that it has.
    assert "--web.listen-address=$(NODE_IP):9100" in container["args"]


def test_rights_read_and_see_no_secrets(objects: dict[tuple[str, str], Json]) -> None:
    roles = {name: item["rules"] for (kind, name), item in objects.items() if kind == "ClusterRole"}
    assert set(roles) == {"croft-prometheus", "croft-k8s-cluster"}
    for rules in roles.values():
        for rule in rules:
            assert set(rule["verbs"]) <= {"get", "list", "watch"}
            assert not {"secrets", "configmaps", "pods/log", "*"} & set(rule.get("resources", []))
    assert [rule.get("nonResourceURLs") for rule in roles["croft-prometheus"]] == [None, None, ["/metrics"]]


def test_history_outlives_the_release_and_one_query_cannot_take_all(
    objects: dict[tuple[str, str], Json],
) -> None:
    for name in ("prometheus-data", "alertmanager-data"):
        claim = objects["PersistentVolumeClaim", name]
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    for name in ("prometheus", "alertmanager"):
        assert objects["Deployment", name]["spec"]["strategy"] == {"type": "Recreate"}
    _, container = pod_of(objects, "Deployment", "prometheus")
    flags = dict(flag.removeprefix("--").partition("=")[::2] for flag in container["args"])
    assert flags["query.timeout"] == "20s"
    assert flags["query.max-samples"] == "5000000"
    assert flags["query.max-concurrency"] == "8"
    assert (flags["storage.tsdb.retention.time"], flags["storage.tsdb.retention.size"]) == ("15d", "8GB")
    assert "auto-reload-config" in flags["enable-feature"]
    assert not [name for name in flags if name.startswith("web.enable")]


def alertmanager(objects: dict[tuple[str, str], Json]) -> Json:
    """Alertmanager's settings."""
    found: Json = yaml.safe_load(objects["ConfigMap", "alertmanager"]["data"]["alertmanager.yml"])
    return found


def test_alerts_go_to_the_portal_with_a_token_from_a_file(objects: dict[tuple[str, str], Json]) -> None:
    found = alertmanager(objects)
    assert found["route"]["receiver"] == "portal"
    assert "routes" not in found["route"]
    (receiver,) = found["receivers"]
    (webhook,) = receiver["webhook_configs"]
    assert webhook["url"] == "http://portal.croft/internal/alerts"
    assert webhook["http_config"]["authorization"] == {"credentials_file": "/etc/alertmanager-portal/token"}
    pod, _ = pod_of(objects, "Deployment", "alertmanager")
    assert {"name": "portal", "secret": {"secretName": "alert-webhook"}} in pod["volumes"]


EMAIL = {"to": "op@example.org", "from": "croft@example.org", "host": "mail.example.org", "user": "croft"}


def test_the_operator_is_told_besides_and_no_secret_is_in_the_settings(
    render: Render, tmp_path: Path
) -> None:
    values = {"email": {**EMAIL, "existingSecret": "mail"}, "webhook": {"existingSecret": "chat"}}
    objects = render("monitoring", {"alertmanager": values}, **ROOM)
    found = alertmanager(objects)
    operator, everything = found["route"]["routes"]
    assert operator["receiver"] == "operator"
    assert operator["continue"] is True, "the portal shows it as well"
    assert 'audience="operator"' in operator["matchers"]
    assert everything == {"receiver": "portal"}
    receiver = found["receivers"][1]
    (email,) = receiver["email_configs"]
    assert email["smarthost"] == "mail.example.org:587"
    assert email["require_tls"] is True
    assert email["auth_password_file"] == "/etc/alertmanager-email/password"
    assert receiver["webhook_configs"] == [
        {"url_file": "/etc/alertmanager-webhook/url", "send_resolved": True}
    ]
    pod, container = pod_of(objects, "Deployment", "alertmanager")
    assert {"mail", "chat"} <= {
        volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume
    }
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/etc/alertmanager-email", "/etc/alertmanager-webhook"} <= mounted

    file = tmp_path / "alertmanager.yml"
    file.write_text(objects["ConfigMap", "alertmanager"]["data"]["alertmanager.yml"])
    amtool = Path(helm_binary()).with_name("amtool")
    done = subprocess.run(
        [str(amtool), "check-config", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dead_mans_switch_hears_of_the_watchdog_alone(render: Render, tmp_path: Path) -> None:
    values = {"webhook": {"existingSecret": "chat"}, "watchdog": {"existingSecret": "switch"}}
    objects = render("monitoring", {"alertmanager": values}, **ROOM)
    pod, _ = pod_of(objects, "Deployment", "alertmanager")
    assert {"name": "watchdog", "secret": {"secretName": "switch"}} in pod["volumes"]
    assert receivers(objects, tmp_path, "Watchdog", "operator", "info") == "watchdog,portal"
    assert receivers(objects, tmp_path, "NodeDown", "operator", "critical") == "operator,portal"
    assert receivers(objects, tmp_path, "PodCrashLooping", "project", "warning") == "portal"
    alone = render("monitoring", {"alertmanager": {"watchdog": {"existingSecret": "switch"}}}, **ROOM)
    assert receivers(alone, tmp_path, "Watchdog", "operator", "info") == "watchdog,portal"
    assert receivers(alone, tmp_path, "NodeDown", "operator", "critical") == "portal"
    (route,) = (found for found in alertmanager(alone)["route"]["routes"] if found["receiver"] == "watchdog")
    assert (route["group_interval"], route["repeat_interval"]) == ("1m", "4m30s")


def receivers(
    objects: dict[tuple[str, str], Json], folder: Path, alert: str, audience: str, severity: str
) -> str:
    """Where Alertmanager itself would send an alert, as amtool tells it."""
    file = folder / "alertmanager.yml"
    file.write_text(objects["ConfigMap", "alertmanager"]["data"]["alertmanager.yml"])
    amtool = Path(helm_binary()).with_name("amtool")
    labels = [f"alertname={alert}", f"audience={audience}", f"severity={severity}"]
    done = subprocess.run(
        [str(amtool), "config", "routes", "test", f"--config.file={file}", *labels],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_alerts_that_hold_others_back_are_there(objects: dict[tuple[str, str], Json]) -> None:
    rules = yaml.safe_load(ALERTS.read_text())
    known = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    held = alertmanager(objects)["inhibit_rules"]
    assert held
    for rule in held:
        for (matcher,) in (rule["source_matchers"], rule["target_matchers"]):
            assert matcher.removeprefix('alertname="').removesuffix('"') in known


def test_what_is_read_once_starts_new_pods_when_it_changes(render: Render, objects: Any) -> None:
    changed = render("monitoring", {"alertmanager": {"email": EMAIL}, "rules": {"a.yml": RULES}}, **ROOM)
    differs = {key for key in objects if objects[key] != changed[key]}
    assert differs == {
        ("ConfigMap", "alertmanager"),
        ("Deployment", "alertmanager"),
        ("ConfigMap", "prometheus-rules"),
    }


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"colour": "red"}, "colour"),
        ({"prometheus": {"retention": {"time": "forever"}}}, "/prometheus/retention/time"),
        ({"prometheus": {"retention": {"size": "8 GB"}}}, "/prometheus/retention/size"),
        ({"prometheus": {"query": {"timeout": "20"}}}, "/prometheus/query/timeout"),
        ({"rules": {"../prometheus.yml": "x"}}, "propertyName .../prometheus.yml"),
        ({"rules": {"a.yaml": "x"}}, "propertyName .a.yaml"),
        ({"rules": {"a.yml": {"groups": []}}}, "/rules/a.yml"),
        ({"alertmanager": {"email": {"to": "op@example.org"}}}, "/alertmanager/email"),
        ({"alertmanager": {"email": {"password": "x"}}}, "password"),
        ({"alertmanager": {"webhook": {"url": "https://chat.example.org/secret"}}}, "url"),
        ({"alertmanager": {"portal": {"url": "portal"}}}, "/alertmanager/portal/url"),
        ({"nodeExporter": {"disabledCollectors": ["a b"]}}, "/nodeExporter/disabledCollectors/0"),
        ({"applications": {"samples": 0}}, "/applications/samples"),
        ({"namespaces": {"portal": "a b"}}, "/namespaces/portal"),
    ],
)
def test_schema_refuses(render: Render, values: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedError, match=where):
        render("monitoring", values, **ROOM)
