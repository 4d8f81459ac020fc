"""charts/catalog: each chart renders, keeps to the fence, and carries the labels that Croft finds it by."""

from typing import Any

import pytest

from tests.charts.conftest import Json, RefusedError, Render

VALUES: dict[str, Json] = {
    "postgresql": {"password": "a-long-password"},
    "valkey": {"password": "a-long-password", "persistent": True},
}


@pytest.mark.parametrize("chart", VALUES)
def test_chart_is_clean(lint: Any, chart: str) -> None:
    assert "0 chart(s) failed" in lint(f"catalog/{chart}", VALUES[chart])


@pytest.mark.parametrize("chart", VALUES)
def test_everything_belongs_to_the_application(render: Render, chart: str) -> None:
    objects = render(f"catalog/{chart}", VALUES[chart], name="db")
    assert set(objects) == {
        (kind, "db") for kind in ("Secret", "PersistentVolumeClaim", "Service", "Deployment")
    }
    for item in (*objects.values(), objects["Deployment", "db"]["spec"]["template"]):
        labels = item["metadata"]["labels"]
        assert labels["croft.dev/application"] == "db"
        assert labels["croft.dev/project"] == "shop"


@pytest.mark.parametrize("chart", VALUES)
def test_pods_fit_the_strictest_level(render: Render, chart: str) -> None:
    pod = render(f"catalog/{chart}", VALUES[chart])["Deployment", "web"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    assert "a-long-password" not in str(pod)


@pytest.mark.parametrize("chart", VALUES)
@pytest.mark.parametrize(("value", "replicas"), [("stopped", 0), ("asleep", 0), ("neither", 1)])
def test_stopped_and_asleep_mean_no_pod(render: Render, chart: str, value: str, replicas: int) -> None:
    values = {**VALUES[chart], **({value: True} if value != "neither" else {})}
    assert render(f"catalog/{chart}", values)["Deployment", "web"]["spec"]["replicas"] == replicas


@pytest.mark.parametrize("chart", VALUES)
def test_a_new_password_starts_a_new_pod(render: Render, chart: str) -> None:
    def mark(password: str, salt: str = "x") -> str:
        values = {**VALUES[chart], "password": password, "secretsSalt": salt}
        template = render(f"catalog/{chart}", values)["Deployment", "web"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/secrets"])

    assert mark("one-password-1") != mark("one-password-2")
    assert mark("one-password-1") != mark("one-password-1", "y")


@pytest.mark.parametrize(
    ("chart", "values"),
    [
        ("postgresql", {"password": "short"}),
        ("postgresql", {"password": "with a blank in it"}),
        ("postgresql", {"password": "a-long-password", "database": 'x"; DROP'}),
        ("valkey", {"password": "a-long-password", "memoryMib": 1}),
        ("valkey", {"password": "a-long-password", "policy": "none"}),
    ],
)
def test_wrong_values_are_refused(render: Render, chart: str, values: Json) -> None:
    with pytest.raises(RefusedError):
        render(f"catalog/{chart}", values)
