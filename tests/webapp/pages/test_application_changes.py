"""Pages that change an application: previews, stale forms, revisions, buttons, clones, imports, HTTPS."""

from io import BytesIO
from typing import Any

import pytest

from tests.certificates import certificate_for
from tests.webapp.cluster import StatedCluster
from tests.webapp.pages.conftest import Visit
from tests.webapp.pages.shop import ready_shop
from tests.webapp.requests import WEB, end_jobs
from tests.webapp.test_plans import RESULT
from webapp.applications.models import Application
from webapp.cluster.state import Workload
from webapp.db import db, writing
from webapp.jobs.effects import end
from webapp.jobs.models import Job
from webapp.openapi import Portal

WEB_PATH = "/projects/shop/applications/web"


@pytest.fixture(autouse=True)
def shop(app: Portal, cluster: StatedCluster) -> None:
    """A project that is ready, with an application web that is ready too."""
    ready_shop(app, cluster)


def stored(app: Portal, name: str = "web") -> dict[str, Any]:
    """The stored settings."""
    with app.app_context():
        found: dict[str, Any] = db.session.query(Application).filter_by(name=name).one().spec
        return found


def test_a_stale_form_keeps_what_was_typed_and_tells_what_the_other_changed(
    visit: Visit, app: Portal
) -> None:
    dev, ada = visit("dev"), visit("ada")
    form = dev.get(f"{WEB_PATH}/edit").fields()
    assert form["version"] == "1"
    assert ada.send(f"{WEB_PATH}/edit", {"image": "web:of-ada"}).status == 303
    stale = dev.post(f"{WEB_PATH}/edit", {**form, "replicas": "4", "secrets.0.value": "typed-by-dev"})
    assert stale.status == 412
    assert "web was changed while you were editing" in stale.text
    assert "changed by ada" in stale.text
    assert "web:of-ada" in stale.text
    assert (stale.field("replicas"), stale.field("image")) == ("4", WEB["image"])
    assert stored(app)["replicas"] == 1
    # The form stays stale until somebody decides.
    again = stale.fields()
    assert dev.post(f"{WEB_PATH}/edit", {**again, "action": "save"}).status == 412
    assert dev.post(f"{WEB_PATH}/edit", {**again, "action": "overwrite"}).status == 303
    assert (stored(app)["replicas"], stored(app)["image"]) == (4, WEB["image"])
    assert stored(app)["secrets"] == [{"name": "PASSWORD", "value": "typed-by-dev"}]


def test_a_preview_leads_to_a_plan_that_is_applied_or_gone_back_from(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    planned = dev.send(
        f"{WEB_PATH}/edit", {"replicas": "5", "secrets.0.value": "typed-once", "action": "preview"}
    )
    assert planned.status == 303
    assert planned.address.startswith("/plans/")
    page = dev.get(planned.address)
    assert "Being worked out" in page.text
    assert "Apply" not in page.text.replace("applied", "").replace("Applied", "")
    assert stored(app)["replicas"] == 1
    with app.app_context(), writing() as session:
        job = session.query(Job).filter_by(kind="application.plan").one()
        end(session, job, "succeeded", "", {"url": RESULT["url"], "plan": RESULT})
    page = dev.get(planned.address)
    for words in (
        "Too much Asks for 500m CPU, 300m left",
        "Changed Deployment web",
        "spec.replicas",
        "quota does not suffice for this now",
        "Try to apply",
    ):
        assert words in page.text
    assert "typed-once" not in page.html
    back = f"{WEB_PATH}/edit?plan={planned.address.rpartition('/')[2]}"
    assert back in page.html
    form = dev.get(back)
    assert form.field("replicas") == "5"
    assert "typed-once" not in form.html
    # Neither the plan nor the form shows the value; saving the form applies it all the same.
    assert dev.post(f"{WEB_PATH}/edit", {**form.fields(), "replicas": "2", "action": "save"}).status == 303
    assert stored(app)["secrets"] == [{"name": "PASSWORD", "value": "typed-once"}]
    late = dev.post(f"{planned.address}/apply")
    assert late.status == 412
    assert "was changed since this plan was made" in late.text


def test_a_new_application_is_previewed_and_applied(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    planned = dev.send(
        "/projects/shop/applications/new", {"name": "next", "image": "next:1", "action": "preview"}
    )
    end_jobs(app)
    page = dev.get(planned.address)
    assert "Create next: preview" in page.text
    assert "Apply" not in visit("eve").get(planned.address).text.replace(
        "Nothing is changed until you apply", ""
    )
    assert dev.post(f"{planned.address}/apply").status == 303
    assert stored(app, "next")["image"] == "next:1"
    assert "This plan has been applied." in dev.get(planned.address).text
    assert visit("out").get(planned.address).status == 404


def test_revisions_show_differences_and_one_click_goes_back(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    dev.send(f"{WEB_PATH}/edit", {"replicas": "3", "secrets.0.value": "another-one-now"})
    page = dev.get(f"{WEB_PATH}/revisions")
    for words in ("Revision 2", "Changed by dev", "Revision 1", "Created by ada", "replicas"):
        assert words in page.text
    assert "another-one-now" not in page.html
    one = dev.get(f"{WEB_PATH}/revisions/1")
    assert "What rolling back would change" in one.text
    assert "Roll back to revision 1" in one.text
    assert "Roll back to revision 2" not in dev.get(f"{WEB_PATH}/revisions/2").text
    assert "Roll back to" not in visit("eve").get(f"{WEB_PATH}/revisions/1").text
    assert dev.post(f"{WEB_PATH}/revisions/1", {"version": "1"}).status == 412
    assert dev.post(f"{WEB_PATH}/revisions/1", {"version": "2"}).status == 303
    assert stored(app)["replicas"] == 1
    assert "Rolled back to 1" in dev.get(WEB_PATH).text
    assert dev.get(f"{WEB_PATH}/revisions/99").status == 404


def test_buttons_restart_stop_and_start(visit: Visit, app: Portal, cluster: StatedCluster) -> None:
    dev = visit("dev")
    assert "Restart application web" in dev.get(dev.post(f"{WEB_PATH}/restart").address).text
    assert stored(app)["restartedAt"]
    assert dev.post(f"{WEB_PATH}/stop").status == 303
    end_jobs(app)
    cluster.running["shop"] = {"web": Workload(0, ())}
    page = dev.get(WEB_PATH)
    assert "Stopped: start it to run it again." in page.text
    assert "This application is stopped" in page.text
    assert f'action="{WEB_PATH}/start"' in page.html
    assert f'action="{WEB_PATH}/restart"' not in page.html
    refused = dev.post(f"{WEB_PATH}/stop")
    assert (refused.status, refused.summary()) == (422, ["Application 'web' is stopped already."])
    # The form keeps the application stopped.
    dev.send(f"{WEB_PATH}/edit", {"replicas": "2"})
    assert (stored(app)["stopped"], stored(app)["replicas"]) == (True, 2)
    assert dev.post(f"{WEB_PATH}/start").status == 303
    assert stored(app)["stopped"] is False
    assert visit("eve").post(f"{WEB_PATH}/stop").status == 403


def test_a_clone_is_made_on_its_page(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    page = dev.get(f"{WEB_PATH}/clone")
    assert (page.field("name"), page.field("project")) == ("web-2", "shop")
    wrong = dev.send(f"{WEB_PATH}/clone", {"name": "Web", "project": "nope"})
    assert "is not a DNS label" in wrong.error("name")
    wrong = dev.send(f"{WEB_PATH}/clone", {"project": "nope"})
    assert wrong.error("project") == "There is no project 'nope' that you may see."
    assert dev.send(f"{WEB_PATH}/clone", {}).status == 303
    assert stored(app, "web-2")["image"] == WEB["image"]


def test_an_application_is_exported_and_imported_as_text_or_file(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    exported = dev.get(f"{WEB_PATH}/export")
    assert exported.headers["Content-Type"] == "application/yaml"
    text = exported.html.replace("name: PASSWORD", "name: PASSWORD\n    value: given-anew")
    path = "/projects/shop/applications/import"
    assert dev.post(path, {"yaml": text, "name": "by-text"}).status == 303
    assert stored(app, "by-text")["secrets"] == [{"name": "PASSWORD", "value": "given-anew"}]
    file = (BytesIO(text.encode()), "web.yml")
    assert dev.post(path, {"file": file, "name": "by-file"}, content_type="multipart/form-data").status == 303
    assert stored(app, "by-file")["image"] == WEB["image"]
    wrong = dev.post(path, {"yaml": "application: [", "name": "x"})
    assert (wrong.status, wrong.error("yaml")) == (422, "This is no valid YAML in line 1.")
    assert wrong.field("yaml") == "application: ["
    assert visit("eve").get(path).status == 403


def test_https_is_set_up_in_the_form_and_shown(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    certificate, key = certificate_for("shop.example.org", days=10)
    fields = {"host": "shop.example.org", "tls.mode": "own", "tls.certificate": certificate}
    wrong = dev.send(f"{WEB_PATH}/edit", fields)
    assert wrong.error("tls.key").startswith("Give the private key")
    assert dev.send(f"{WEB_PATH}/edit", {**fields, "tls.key": key}).status == 303
    assert stored(app)["tls"]["key"] == key
    page = dev.get(WEB_PATH)
    assert "https://shop.example.org:8443" in page.text
    assert "The certificate expires in 9 days; replace it before." in page.text
    form = dev.get(f"{WEB_PATH}/edit")
    assert key.splitlines()[1] not in form.html
    # The key stays when its field is left empty.
    assert dev.send(f"{WEB_PATH}/edit", {"replicas": "2"}).status == 303
    assert stored(app)["tls"]["key"] == key
    assert dev.send(f"{WEB_PATH}/edit", {"tls.mode": ""}).status == 303
    assert stored(app)["tls"] is None


def test_a_volume_grows_in_the_form_and_does_not_shrink(visit: Visit, app: Portal) -> None:
    dev = visit("dev")
    assert dev.send(f"{WEB_PATH}/edit", {"volume.enabled": "yes", "volume.size": "1Gi"}).status == 303
    assert dev.send(f"{WEB_PATH}/edit", {"volume.size": "2Gi"}).status == 303
    wrong = dev.send(f"{WEB_PATH}/edit", {"volume.size": "1Gi"})
    assert wrong.error("volume.size") == "The volume has 2Gi; it can grow, but not become smaller."
