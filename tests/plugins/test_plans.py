"""From a validated request to the values of a chart, checked against a cluster that the test states."""

import base64
from typing import Any

import pytest

from plugins.module_utils.application_plan import Address, ApplicationPlan
from plugins.module_utils.project_plan import plan_project
from plugins.module_utils.request_file import RequestError, validate
from tests.certificates import certificate_for
from tests.charts.conftest import Render
from tests.plugins.conftest import StatedCluster

Json = dict[str, Any]
ADDRESS = Address("example.org", 80, 443, "contour", "")
SHOP: Json = {
    "metadata": {
        "name": "shop",
        "labels": {
            "app.kubernetes.io/part-of": "croft",
            "croft.dev/project": "shop",
            "pod-security.kubernetes.io/enforce": "restricted",
        },
    }
}
NODE = {
    "metadata": {"name": "node-2"},
    "spec": {"podCIDRs": ["10.244.1.0/24"]},
    "status": {
        "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
        "addresses": [
            {"type": "InternalIP", "address": "192.0.2.7"},
            {"type": "Hostname", "address": "node-2"},
        ],
    },
}
CONTROL_PLANE: Json = {
    **NODE,
    "spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]},
}
CLUSTER = {
    "/api/v1/nodes": [NODE, CONTROL_PLANE],
    "/apis/networking.k8s.io/v1/servicecidrs": [{"spec": {"cidrs": ["10.96.0.0/16"]}}],
}


def project(**more: Any) -> Json:
    """A validated project."""
    return validate({"name": "shop", **more}, "project")


def application(**more: Any) -> Json:
    """A validated application."""
    web = {"project": "shop", "name": "web", "image": "web:1", "ports": [{"targetPort": 80}]}
    return validate({**web, **more}, "application")


def pod_of(name: str, cpu: str, memory: str) -> Json:
    """A running pod of an application."""
    return {
        "metadata": {"labels": {"croft.dev/application": name}},
        "spec": {"containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}]},
        "status": {"phase": "Running"},
    }


def shop(**more: Any) -> StatedCluster:
    """A cluster with project shop and room for 1 CPU, 1Gi and 4 pods."""
    hard = {"requests.cpu": "1", "requests.memory": "1Gi", "requests.storage": "1Gi", "pods": "4"}
    return StatedCluster(
        {
            "/api/v1/namespaces/shop": SHOP,
            "/api/v1/namespaces/shop/resourcequotas/project": {"spec": {"hard": hard}},
            **more,
        }
    )


def values(cluster: StatedCluster, spec: Json) -> Json:
    """The values of charts/application."""
    return ApplicationPlan(cluster, spec, ADDRESS).values("", rehearsal=False)[0]


def test_project_values_are_what_the_chart_takes(render: Render) -> None:
    spec = project(
        owner="ada", members=[{"user": "bob", "role": "viewer"}], egressCidrs=["0.0.0.0/0", "2001:db8::/32"]
    )
    found = plan_project(StatedCluster(CLUSTER), spec, ["172.16.0.0/12"])
    assert found["egress"][0]["cidr"] == "0.0.0.0/0"
    for closed in ("10.244.1.0/24", "10.96.0.0/16", "192.0.2.7/32", "169.254.0.0/16", "172.16.0.0/12"):
        assert closed in found["egress"][0]["except"]
    assert found["egress"][1] == {"cidr": "2001:db8::/32", "except": []}
    assert render("project", found, name="shop", namespace="croft-projects")


def test_container_defaults_never_exceed_the_quota() -> None:
    found = plan_project(StatedCluster(CLUSTER), project(quota={"cpu": "30m", "memory": "100Mi"}), [])
    assert found["containerDefaults"] == {
        "requests": {"cpu": "30m", "memory": "64Mi"},
        "limits": {"cpu": "30m", "memory": "100Mi"},
    }


@pytest.mark.parametrize(
    ("quota", "sentence"),
    [
        ({"cpu": "3"}, "asks for a quota of 3 CPU; the nodes that run applications have 2 together"),
        (
            {"memory": "5Gi"},
            "asks for a quota of 5Gi memory; the nodes that run applications have 4Gi together",
        ),
        ({"pods": 111}, "asks for a quota of 111 pods; the nodes that run applications have 110 together"),
    ],
)
def test_quota_has_to_fit_the_nodes_that_run_applications(quota: Json, sentence: str) -> None:
    with pytest.raises(RequestError, match=f"Project 'shop' {sentence}"):
        plan_project(StatedCluster(CLUSTER), project(quota=quota), [])


@pytest.mark.parametrize("network", ["10.96.0.10/32", "169.254.169.254/32", "192.0.2.7/32", "172.16.9.0/24"])
def test_networks_of_the_cluster_stay_closed(network: str) -> None:
    with pytest.raises(RequestError, match=f"{network} lies in .*, which belongs to the cluster itself"):
        plan_project(StatedCluster(CLUSTER), project(egressCidrs=[network]), ["172.16.0.0/12"])


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"labels": {}}, "was not made by Croft; choose another name"),
        (
            {**SHOP["metadata"], "deletionTimestamp": "2026"},
            "is still being deleted; try again when it is gone",
        ),
    ],
)
def test_namespace_has_to_be_ours_and_alive(metadata: Json, sentence: str) -> None:
    cluster = StatedCluster({**CLUSTER, "/api/v1/namespaces/shop": {"metadata": metadata}})
    with pytest.raises(RequestError, match=sentence):
        plan_project(cluster, project(), [])
    with pytest.raises(RequestError, match=sentence):
        values(cluster, application())


def test_application_values_are_what_the_chart_takes(render: Render) -> None:
    spec = application(
        ports=[{"targetPort": 8080, "port": 80}, {"name": "dns", "targetPort": 53, "protocol": "UDP"}],
        env=[{"name": "A", "value": "1"}],
        secrets=[{"name": "B", "value": "2"}],
        volume={"size": "1Gi"},
        autoscaling={},
        runAsUser=1000,
        healthPath="/healthz",
        command=["/web"],
    )
    found = values(shop(), spec)
    assert found["host"] == "web.shop.example.org"
    assert found["runAsNonRoot"] is True
    assert ADDRESS.url(spec) == "http://web.shop.example.org"
    assert render("application", found)
    assert render("application", values(shop(), application()))


def test_the_chart_is_told_of_metrics_only_where_there_are_some() -> None:
    assert "metrics" not in values(shop(), application())
    found = values(shop(), application(ports=[{"targetPort": 8080}], metrics={"port": 8080}))
    assert found["metrics"] == {"port": "http", "path": "/metrics"}


def test_application_needs_its_project() -> None:
    with pytest.raises(RequestError, match="project 'shop' does not exist; create it first"):
        values(StatedCluster({}), application())


def test_level_baseline_allows_images_that_run_as_root() -> None:
    labels = {**SHOP["metadata"]["labels"], "pod-security.kubernetes.io/enforce": "baseline"}
    cluster = shop(**{"/api/v1/namespaces/shop": {"metadata": {"name": "shop", "labels": labels}}})
    assert values(cluster, application())["runAsNonRoot"] is False
    assert values(cluster, application(runAsUser=1000))["runAsNonRoot"] is True


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"replicas": 4}, "Project 'shop' has 300m CPU left; this application asks for 400m"),
        ({"autoscaling": {"minReplicas": 3, "maxReplicas": 3}, "replicas": 1}, ""),
        (
            {"autoscaling": {"minReplicas": 4, "maxReplicas": 9}},
            "has 300m CPU left; this application asks for 400m",
        ),
        ({"volume": {"size": "2Gi"}}, "has 512Mi storage left; this application asks for 2Gi"),
        (
            {"resources": {"limits": {"cpu": "1500m"}}},
            "limits.cpu: 1500m is above project 'shop's quota of 1",
        ),
    ],
)
def test_application_has_to_fit_what_its_project_has_left(more: Json, sentence: str) -> None:
    claim = {
        "metadata": {"labels": {"croft.dev/application": "other"}},
        "spec": {"resources": {"requests": {"storage": "512Mi"}}},
    }
    ended = pod_of("other", "900m", "1Gi")
    ended["status"]["phase"] = "Succeeded"
    cluster = shop(
        **{
            # Its own pods count for nothing: they are replaced.
            "/api/v1/namespaces/shop/pods": [
                pod_of("other", "700m", "128Mi"),
                pod_of("web", "900m", "1Gi"),
                ended,
            ],
            "/api/v1/namespaces/shop/persistentvolumeclaims": [claim],
        }
    )
    if not sentence:
        assert values(cluster, application(**more))
        return
    with pytest.raises(RequestError, match=sentence):
        values(cluster, application(**more))


def test_one_pod_more_is_started_only_where_the_quota_has_room_for_it() -> None:
    small = {"requests": {"cpu": "100m", "memory": "16Mi"}}
    assert values(shop(), application(replicas=3, resources=small))["surge"] is True
    assert values(shop(), application(replicas=4, resources=small))["surge"] is False


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("shop.example.net", None),
        ("www.example.org", None),
        ("web.shop.example.org", None),
        ("held.example.net", "is held by another application"),
        ("proxied.example.net", "is held by another application"),
        ("mine.example.net", None),
        ("web.other.example.org", "belongs to the platform"),
        ("croft.example.org", "belongs to the platform"),
        ("example.org", "belongs to the platform"),
    ],
)
def test_host_has_to_be_free(host: str, taken: str | None) -> None:
    def ingress(namespace: str, name: str, held: str) -> Json:
        return {"metadata": {"namespace": namespace, "name": name}, "spec": {"rules": [{"host": held}]}}

    cluster = shop(
        **{
            "/apis/networking.k8s.io/v1/ingresses": [
                ingress("other", "web", "held.example.net"),
                ingress("shop", "web", "mine.example.net"),
            ],
            "/apis/projectcontour.io/v1/httpproxies": [
                {
                    "metadata": {"namespace": "other", "name": "p"},
                    "spec": {"virtualhost": {"fqdn": "proxied.example.net"}},
                },
                {"metadata": {"namespace": "other", "name": "child"}, "spec": {}},
            ],
        }
    )
    if taken is None:
        assert values(cluster, application(host=host))["host"] == host
        return
    with pytest.raises(RequestError, match=f"'{host}' {taken}"):
        values(cluster, application(host=host))


def test_secret_without_value_keeps_what_the_cluster_holds() -> None:
    stored = {
        "metadata": {"annotations": {"croft.dev/salt": "abc"}},
        "data": {"TOKEN": base64.b64encode(b"kept").decode()},
    }
    cluster = shop(**{"/api/v1/namespaces/shop/secrets/web": stored})
    found = values(cluster, application(secrets=[{"name": "TOKEN"}, {"name": "NEW", "value": "given"}]))
    assert found["secrets"] == [{"name": "TOKEN", "value": "kept"}, {"name": "NEW", "value": "given"}]
    assert found["secretsSalt"] == "abc"
    with pytest.raises(RequestError, match="'OTHER' has no value and none is stored; give one"):
        values(cluster, application(secrets=[{"name": "OTHER"}]))


def test_every_application_gets_a_salt_of_its_own() -> None:
    spec = application(secrets=[{"name": "A", "value": "1"}])
    assert values(shop(), spec)["secretsSalt"] != values(shop(), spec)["secretsSalt"]


def test_volume_keeps_its_size_where_the_storage_cannot_grow() -> None:
    claim = {
        "metadata": {"labels": {"croft.dev/application": "web"}},
        "spec": {"storageClassName": "local", "resources": {"requests": {"storage": "512Mi"}}},
    }
    path = "/api/v1/namespaces/shop/persistentvolumeclaims/web"
    assert values(shop(**{path: claim}), application(volume={"size": "0.5Gi"}))
    assert values(shop(**{path: claim}), application())
    with pytest.raises(RequestError, match="the volume of 'web' has 512Mi, which cannot become 1Gi"):
        values(shop(**{path: claim}), application(volume={"size": "1Gi"}))
    growing = shop(
        **{path: claim, "/apis/storage.k8s.io/v1/storageclasses/local": {"allowVolumeExpansion": True}}
    )
    assert values(growing, application(volume={"size": "1Gi"}))
    with pytest.raises(RequestError, match="which cannot become 256Mi"):
        values(growing, application(volume={"size": "256Mi"}))


def test_a_rehearsal_tells_what_does_not_fit_instead_of_failing() -> None:
    spec = application(replicas=3, resources={"requests": {"cpu": "500m"}, "limits": {"cpu": "500m"}})
    plan = ApplicationPlan(shop(), spec, ADDRESS)
    with pytest.raises(RequestError, match="has 1 CPU left"):
        plan.values("", rehearsal=False)
    _, verdicts = plan.values("", rehearsal=True)
    assert verdicts == [
        {"resource": "cpu", "fits": False, "words": "asks for 1500m CPU, 1 left"},
        {"resource": "memory", "fits": True, "words": "asks for 384Mi memory, 1Gi left"},
        {"resource": "pods", "fits": True, "words": "asks for 3 pods, 4 left"},
    ]


def test_a_stopped_application_asks_for_no_pods() -> None:
    spec = application(replicas=50, stopped=True)
    given, verdicts = ApplicationPlan(shop(), spec, ADDRESS).values("", rehearsal=False)
    assert (given["stopped"], given["replicas"], verdicts) == (True, 50, [])


def test_https_needs_a_key_that_fits_or_the_one_that_is_stored() -> None:
    certificate, key = certificate_for("web.shop.example.org")
    spec = application(tls={"certificate": certificate, "key": key})
    given = values(shop(), spec)
    assert given["tls"] == {"certificate": spec["tls"]["certificate"], "secretKey": key, "redirect": True}
    assert ADDRESS.url(spec) == "https://web.shop.example.org"
    kept = application(tls={"certificate": certificate})
    stored = {"data": {"tls.key": base64.b64encode(key.encode()).decode()}}
    held = shop(**{"/api/v1/namespaces/shop/secrets/web-tls": stored})
    assert values(held, kept)["tls"]["secretKey"] == key
    with pytest.raises(RequestError, match=r"application.tls.key: Give the private key"):
        values(shop(), kept)
    with pytest.raises(RequestError, match="this platform has no issuer"):
        values(shop(), application(tls={"issuer": True}))
