"""Pages of applications."""

from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster, pod
from tests.webapp.pages.conftest import Visit
from tests.webapp.pages.shop import ready_shop
from tests.webapp.requests import WEB, end_jobs
from webapp.applications.models import Application
from webapp.cluster.state import Workload
from webapp.db import db
from webapp.openapi import Portal

NEW = "/projects/shop/applications/new"
WEB_PATH = "/projects/shop/applications/web"


@pytest.fixture(autouse=True)
def shop(app: Portal, cluster: StatedCluster) -> None:
    """A project that is ready, with an application web that is ready too."""
    ready_shop(app, cluster)


def stored(app: Portal, name: str = "web") -> dict[str, Any] | None:
    """Return the stored settings and state, or None."""
    with app.app_context():
        found = db.session.query(Application).filter_by(name=name).one_or_none()
        return None if found is None else {**found.spec, "state": found.state}


def test_an_application_is_made_from_name_and_image_alone(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    answer = dev.send(NEW, {"name": "mail", "image": "mail:1"})
    assert answer.status == 303
    assert "Create application mail" in dev.get(answer.address).text
    found = stored(app, "mail")
    assert found is not None
    assert found["ports"] == [{"name": "http", "targetPort": 8080, "port": 80, "protocol": "TCP"}]
    assert found["replicas"] == 1
    assert found["resources"]["limits"] == {"cpu": "500m", "memory": "256Mi"}
    assert (found["volume"], found["autoscaling"], found["host"]) == (None, None, None)


def test_an_application_is_made_with_everything(visit: Visit, app: Portal) -> None:
    fields = {
        "name": "mail",
        "image": "mail:1",
        "ports.1.name": "metrics",
        "ports.1.targetPort": "9090",
        "ports.1.port": "",
        "ports.1.protocol": "TCP",
        "env.0.name": "LOG_LEVEL",
        "env.0.value": "",
        "secrets.0.name": "KEY",
        "secrets.0.value": "swordfish",
        "host": "mail.example.org",
        "healthPath": "/ok",
        "command": "/mail\n--verbose",
        "volume.enabled": "yes",
        "volume.size": "2Gi",
        "autoscaling.enabled": "yes",
        "autoscaling.maxReplicas": "2",
        "runAsUser": "1000",
        "metrics.port": "metrics",
        "metrics.path": "/stats",
    }
    dev = visit("dev")
    answer = dev.send(NEW, fields)
    assert answer.status == 303, answer.summary()
    found = stored(app, "mail")
    assert found is not None
    assert found["ports"][1] == {"name": "metrics", "targetPort": 9090, "port": None, "protocol": "TCP"}
    assert found["env"] == [{"name": "LOG_LEVEL", "value": ""}]
    assert found["secrets"] == [{"name": "KEY", "value": "swordfish"}]
    assert (found["host"], found["healthPath"], found["runAsUser"]) == ("mail.example.org", "/ok", 1000)
    assert found["command"] == ["/mail", "--verbose"]
    assert found["volume"] == {"size": "2Gi", "mountPath": "/data"}
    assert found["autoscaling"] == {"minReplicas": 1, "maxReplicas": 2, "cpuPercent": 80}
    assert found["metrics"] == {"port": "metrics", "path": "/stats"}
    assert "<code>/stats</code> on port metrics" in dev.get("/projects/shop/applications/mail").html
    assert dev.get("/projects/shop/applications/mail/edit").field("metrics.port") == "metrics"
    for path in ("/projects/shop/applications/mail", "/projects/shop/applications/mail/edit", answer.address):
        assert "swordfish" not in dev.get(path).html


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "web"}, "name", "Project 'shop' has an application 'web' already"),
        ({"name": "Mail"}, "name", "is not a DNS label"),
        ({"image": "a b"}, "image", "is not the name of an image"),
        ({"image": "{{ x }}"}, "image", "Template marks"),
        ({"ports.0.targetPort": "70000"}, "ports.0.targetPort", "The largest value is 65535."),
        ({"replicas": "30"}, "replicas", "Project 'shop' has"),
        ({"resources.requests.cpu": "400m", "replicas": "6"}, "resources.requests.cpu", "Project 'shop' has"),
        (
            {"resources.requests.memory": "1Ti", "resources.limits.memory": "1Ti"},
            "resources.requests.memory",
            "node",
        ),
        ({"volume.enabled": "yes", "volume.size": "6Gi"}, "volume.size", "Project 'shop' has"),
        ({"host": "taken.example.org"}, "host", "taken.example.org"),
        (
            {"secrets.0.name": "KEY", "secrets.0.value": ""},
            "secrets.0.value",
            "has no value yet; give it one.",
        ),
        ({"env.0.name": "A", "env.0.value": "{% x %}"}, "env.0.value", "Template marks"),
    ],
)
def test_what_is_refused_stands_at_its_field(
    visit: Visit, app: Portal, cluster: StatedCluster, changes: dict[str, str], field: str, words: str
) -> None:
    cluster.host_holders["taken.example.org"] = ("other", "web")
    page = visit("dev").send(NEW, {"name": "mail", "image": "mail:1", **changes})
    assert page.status == 422
    assert words in page.error(field)
    assert f'href="#{field}"' in page.html
    assert {name: page.field(name) for name in changes if not name.endswith("enabled")} == {
        name: value for name, value in changes.items() if not name.endswith("enabled")
    }
    assert stored(app, "mail") is None


def test_an_error_opens_its_section(visit: Visit) -> None:
    page = visit("dev").send(NEW, {"name": "mail", "image": "mail:1", "healthPath": "bad"})
    section = page.html.partition("<strong>Address and health</strong>")[0].rpartition("<details")[2]
    assert " open" in section
    closed = page.html.partition("<strong>Command</strong>")[0].rpartition("<details")[2]
    assert " open" not in closed


def test_an_application_shows_what_runs(visit: Visit, cluster: StatedCluster) -> None:
    waits = "waits for image web:9, which cannot be pulled"
    cluster.running["shop"]["web"] = Workload(2, (pod("web-1"), pod("web-2", ready=False, reason=waits)))
    page = visit("eve").get(WEB_PATH)
    assert f"1 of 2 pods ready: web-2 {waits}." in page.text
    assert "croft-1" in page.text
    assert 'href="http://web.shop.localhost:8080"' in page.html
    assert "LOG_LEVEL=info" in page.text
    assert "PASSWORD stored, never shown" in page.text
    assert "hunter2" not in page.html


def test_a_silent_cluster_leaves_the_settings(visit: Visit, cluster: StatedCluster) -> None:
    cluster.down = True
    page = visit("dev").get(WEB_PATH)
    assert "What runs now cannot be shown" in page.text
    assert "registry.example.org/team/web:1.2" in page.text


def test_editing_keeps_what_is_not_changed(visit: Visit, app: Portal) -> None:
    before = stored(app)
    dev = visit("dev")
    form = dev.get(f"{WEB_PATH}/edit")
    assert (form.field("name"), form.field("secrets.0.name"), form.field("secrets.0.value")) == (
        None,
        "PASSWORD",
        "",
    )
    assert dev.send(f"{WEB_PATH}/edit", {}).status == 303
    after = stored(app)
    assert before is not None
    assert after == {**before, "state": "updating"}


def test_editing_changes_a_secret_and_drops_a_variable(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    changes = {"env.0.name": "", "env.0.value": "", "secrets.0.value": "swordfish", "image": "web:2"}
    assert dev.send(f"{WEB_PATH}/edit", changes).status == 303
    found = stored(app)
    assert found is not None
    assert (found["env"], found["secrets"]) == ([], [{"name": "PASSWORD", "value": "swordfish"}])
    assert found["image"] == "web:2"


def test_replicas_are_changed_on_the_page_itself(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    answer = dev.post(f"{WEB_PATH}/replicas", {"replicas": "3"})
    assert answer.status == 303
    assert "Change application web" in dev.get(answer.address).text
    found = stored(app)
    assert found is not None
    assert (found["replicas"], found["secrets"]) == (3, [{"name": "PASSWORD", "value": "hunter2-hunter2"}])


@pytest.mark.parametrize(
    ("value", "words"), [("many", "whole number"), ("-1", "smallest value is 0"), ("99", "has")]
)
def test_wrong_replicas_stand_at_the_field(visit: Visit, app: Portal, value: str, words: str) -> None:
    page = visit("dev").post(f"{WEB_PATH}/replicas", {"replicas": value})
    assert page.status == 422
    assert words in page.error("replicas")
    assert page.field("replicas") == value
    found = stored(app)
    assert found is not None
    assert found["replicas"] == 1


def test_deletion_takes_the_typed_name(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    page = dev.send(f"{WEB_PATH}/delete", {"confirm": "shop"})
    assert page.error("confirm") == "This is not the name: type 'web' to confirm."
    found = stored(app)
    assert found is not None
    assert found["state"] == "ready"
    answer = dev.send(f"{WEB_PATH}/delete", {"confirm": "web"})
    assert answer.address.startswith("/jobs/")
    end_jobs(app)
    assert stored(app) is None
    assert "Go to the project" in dev.get(answer.address).text
    assert dev.get(WEB_PATH).status == 404


def test_roles_hold(visit: Visit, app: Portal) -> None:
    eve, out = visit("eve"), visit("out")
    html = eve.get(WEB_PATH).html
    assert "/edit" not in html
    assert "/replicas" not in html
    for path in (NEW, f"{WEB_PATH}/edit"):
        assert eve.get(path).status == 403
    for path, fields in (
        (NEW, {"name": "mail", "image": "mail:1"}),
        (f"{WEB_PATH}/edit", {"image": "evil:1"}),
        (f"{WEB_PATH}/replicas", {"replicas": "0"}),
        (f"{WEB_PATH}/delete", {"confirm": "web"}),
    ):
        assert eve.post(path, fields).status == 403
        assert out.post(path, fields).status == 404
    found = stored(app)
    assert found is not None
    assert (found["state"], found["image"], found["replicas"]) == ("ready", WEB["image"], 1)


def test_a_failed_change_is_told_on_the_page(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    dev.post(f"{WEB_PATH}/replicas", {"replicas": "2"})
    assert "Change application web: waiting." in dev.get(WEB_PATH).text
    end_jobs(app, "failed")
    assert "Change application web: failed. it failed See the job" in dev.get(WEB_PATH).text
