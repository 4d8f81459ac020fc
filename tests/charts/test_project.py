"""charts/project: what a project is made of."""

from typing import Any

import pytest

from tests.charts.conftest import RefusedError, Render

NAME = "shop"
ROOM = {"name": NAME, "namespace": "croft-projects"}


def test_chart_is_clean(lint: Any) -> None:
    assert "0 chart(s) failed" in lint("project", {})


def test_everything_lies_in_the_namespace_and_is_labelled(render: Render) -> None:
    objects = render("project", {"egress": [{"cidr": "203.0.113.0/24"}]}, **ROOM)
    for (kind, _), item in objects.items():
        assert item["metadata"].get("namespace", "-") == ("-" if kind == "Namespace" else NAME)
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "croft"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["croft.dev/project"] == NAME


@pytest.mark.parametrize("name", ["on", "null", "true", "yes", "y", "e1"])
def test_names_that_yaml_takes_for_something_else_stay_names(render: Render, name: str) -> None:
    namespace = render("project", {}, name=name, namespace="croft-projects")["Namespace", name]
    assert namespace["metadata"]["labels"]["croft.dev/project"] == name


def test_namespace_enforces_pod_security_and_names_its_owner(render: Render) -> None:
    values = {"owner": "ada@example.org", "podSecurity": "baseline", "description": '{{ no }} template: "x"'}
    metadata = render("project", values, **ROOM)["Namespace", NAME]["metadata"]
    for mode in ("enforce", "warn", "audit"):
        assert metadata["labels"][f"pod-security.kubernetes.io/{mode}"] == "baseline"
    assert metadata["labels"]["croft.dev/owner"] == "ada_example.org"
    assert metadata["annotations"] == {
        "croft.dev/owner": "ada@example.org",
        "croft.dev/description": values["description"],
    }


def test_quota_and_limits(render: Render) -> None:
    objects = render("project", {"quota": {"cpu": "3", "memory": "4Gi", "storage": "5Gi", "pods": 6}}, **ROOM)
    assert objects["ResourceQuota", "project"]["spec"]["hard"] == {
        "requests.cpu": "3",
        "requests.memory": "4Gi",
        "requests.storage": "5Gi",
        "pods": "6",
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    }
    (limit,) = objects["LimitRange", "project"]["spec"]["limits"]
    assert limit["max"] == {"cpu": "3", "memory": "4Gi"}
    assert limit["defaultRequest"]
    assert limit["default"]


def test_fence_denies_both_ways_and_opens_only_what_is_meant(render: Render) -> None:
    objects = render("project", {}, **ROOM)
    policies = {name: item["spec"] for (kind, name), item in objects.items() if kind == "NetworkPolicy"}
    names = {"deny-by-default", "allow-same-project", "allow-ingress", "allow-monitoring", "allow-dns"}
    assert set(policies) == names
    monitoring = policies.pop("allow-monitoring")
    assert all(spec["podSelector"] == {} for spec in policies.values())
    assert monitoring == {
        "podSelector": {"matchLabels": {"croft.dev/metrics": "true"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchLabels": {"kubernetes.io/metadata.name": "croft-monitoring"}
                        },
                        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
                    }
                ]
            }
        ],
    }
    assert policies["deny-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    # A peer without namespaceSelector is a pod of the same namespace.
    assert policies["allow-same-project"]["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert policies["allow-same-project"]["egress"] == [{"to": [{"podSelector": {}}]}]
    ((source,),) = [rule["from"] for rule in policies["allow-ingress"]["ingress"]]
    assert source["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "croft-ingress"}
    (dns,) = policies["allow-dns"]["egress"]
    assert {(port["protocol"], port["port"]) for port in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert dns["to"][0]["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}
    assert len(dns["to"]) == 1


def test_egress_opens_networks_but_for_exceptions(render: Render) -> None:
    egress = [{"cidr": "0.0.0.0/0", "except": ["10.96.0.0/16"]}, {"cidr": "2001:db8::/32"}]
    policy = render("project", {"egress": egress}, **ROOM)["NetworkPolicy", "allow-egress"]["spec"]
    assert policy["egress"] == [{"to": [{"ipBlock": item} for item in egress]}]
    assert policy["policyTypes"] == ["Egress"]


def test_roles_bind_members_and_none_reads_secrets_or_grants_rights(render: Render) -> None:
    members = [{"user": "bob", "role": "developer"}, {"user": "eve", "role": "viewer"}]
    objects = render("project", {"owner": "ada", "members": members}, **ROOM)
    bound = {
        name: [subject["name"] for subject in item["subjects"]]
        for (kind, name), item in objects.items()
        if kind == "RoleBinding"
    }
    assert bound == {
        "croft-owner": ["croft-owner", "croft:ada"],
        "croft-developer": ["croft-developer", "croft:bob"],
        "croft-viewer": ["croft-viewer", "croft:eve"],
    }
    for (kind, name), item in objects.items():
        if kind != "Role":
            continue
        for rule in item["rules"]:
            assert "secrets" not in rule["resources"]
            assert "*" not in rule["resources"] + rule["verbs"]
            writes = set(rule["verbs"]) - {"get", "list", "watch"}
            assert not writes or (name != "croft-viewer" and rule["resources"] in (["pods"], ["pods/exec"]))


def test_every_role_has_an_account_also_without_members(render: Render) -> None:
    objects = render("project", {"owner": "ada"}, **ROOM)
    for role in ("owner", "developer", "viewer"):
        (subject, *users) = objects["RoleBinding", f"croft-{role}"]["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": f"croft-{role}", "namespace": NAME}
        assert [user["name"] for user in users] == (["croft:ada"] if role == "owner" else [])
        assert objects["ServiceAccount", f"croft-{role}"]["metadata"]["namespace"] == NAME


def test_namespace_tells_of_sleep_and_expiry(render: Render) -> None:
    values = {"archived": True, "expiresAt": "2027-01-31T23:59:59Z"}
    notes = render("project", values, **ROOM)["Namespace", NAME]["metadata"]["annotations"]
    assert notes["croft.dev/archived"] == "true"
    assert notes["croft.dev/expires-at"] == "2027-01-31T23:59:59Z"


def test_pods_get_no_token(render: Render) -> None:
    accounts = [item for (kind, _), item in render("project", {}, **ROOM).items() if kind == "ServiceAccount"]
    assert len(accounts) == 4
    assert all(item["automountServiceAccountToken"] is False for item in accounts)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"colour": "red"}, "colour"),
        ({"quota": {"cpu": "1", "gpu": "1"}}, "gpu"),
        ({"quota": {"cpu": "lots"}}, "/quota/cpu"),
        ({"quota": {"pods": 0}}, "/quota/pods"),
        ({"podSecurity": "privileged"}, "/podSecurity"),
        ({"owner": "Ada Lovelace"}, "/owner"),
        ({"members": [{"user": "bob", "role": "king"}]}, "/members/0/role"),
        ({"egress": [{"cidr": "everything"}]}, "/egress/0/cidr"),
        ({"ingressNamespace": "a b"}, "/ingressNamespace"),
        ({"monitoringNamespace": "a b"}, "/monitoringNamespace"),
    ],
)
def test_schema_refuses(render: Render, values: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedError, match=where):
        render("project", values, **ROOM)
