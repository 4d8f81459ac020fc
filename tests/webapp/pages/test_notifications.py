"""Pages of a project's notifications."""

import pytest
from sqlalchemy import select

from tests.webapp.pages.conftest import Visit
from tests.webapp.requests import SHOP, end_jobs
from webapp.auth import services as auth
from webapp.db import db, writing
from webapp.notifications.models import Channel, Delivery
from webapp.openapi import Portal
from webapp.projects import services as projects
from webapp.projects.schemas import ProjectSpec

PATH = "/projects/shop/notifications"
HOOK = {"kind": "webhook", "target": "https://hooks.example.org/T0KEN", "events": ["job.failed"]}


@pytest.fixture(autouse=True)
def shop(app: Portal) -> None:
    """The project shop of ada."""
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        projects.create(user, ProjectSpec.model_validate(SHOP))
    end_jobs(app)


def _channel(app: Portal) -> int:
    with app.app_context():
        return db.session.scalars(select(Channel.id)).one()


def test_the_empty_page_says_what_to_do_first(visit: Visit) -> None:
    page = visit("ada").get(PATH)
    assert "No channel yet" in page.text
    assert f'href="{PATH}/new"' in page.html
    assert f'href="{PATH}/new"' not in visit("dev").get(PATH).html
    assert visit("eve").get(PATH).status == 403
    assert visit("out").get(PATH).status == 404


def test_a_webhook_is_made_and_its_key_shown_once(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    assert "The operator has set no mail server" in ada.get(f"{PATH}/new").text
    page = ada.post(f"{PATH}/new", HOOK)
    assert page.status == 200
    assert "whsec_" in page.text
    assert "whsec_" not in ada.get(PATH).text
    assert HOOK["target"] in ada.get(PATH).text
    assert "T0KEN" not in visit("dev").get(PATH).text
    assert visit("dev").get(f"{PATH}/new").status == 403
    assert visit("dev").get(f"{PATH}/{_channel(app)}/edit").status == 403


def test_what_is_wrong_stands_at_its_field_and_the_form_is_kept(visit: Visit) -> None:
    ada = visit("ada")
    page = ada.post(
        f"{PATH}/new", {"kind": "webhook", "target": "http://10.0.0.1/x", "events": ["job.failed"]}
    )
    assert page.status == 422
    assert "Address: 10.0.0.1 lies inside the platform" in page.text
    assert 'value="http://10.0.0.1/x"' in page.html
    assert 'value="job.failed" checked' in page.html
    page = ada.post(f"{PATH}/new", {"kind": "webhook", "target": "https://example.org/"})
    assert "Events: Choose at least one." in page.text
    page = ada.post(f"{PATH}/new", {"kind": "email", "target": "a@example.org", "events": ["job.failed"]})
    assert "Kind: The operator has set no mail server" in page.text


def test_a_channel_is_tried_changed_and_removed(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    ada.post(f"{PATH}/new", HOOK)
    one = f"{PATH}/{_channel(app)}"
    assert ada.post(f"{one}/test").address.startswith(PATH)
    assert "On its way" in ada.get(PATH).text
    assert "An earlier test is still on its way" in ada.post(f"{one}/test").text
    with app.app_context(), writing() as session:
        delivery = session.scalars(select(Delivery)).one()
        delivery.error, delivery.attempts = "hooks.example.org answered 502 Bad Gateway", 1
    assert "Waiting to be tried again hooks.example.org answered 502" in ada.get(PATH).text
    page = ada.get(f"{one}/edit")
    assert HOOK["target"] in page.html
    assert (
        ada.post(f"{one}/edit", {"target": "https://example.org/new", "events": ["job.cancelled"]}).address
        == PATH
    )
    assert "A job was cancelled" in ada.get(PATH).text
    assert ada.post(f"{one}/edit", {"target": "nothing", "events": ["job.failed"]}).status == 422
    assert ada.post(f"{one}/delete").address == PATH
    assert "No channel yet" in ada.get(PATH).text
    for path in ("test", "delete"):
        assert visit("dev").post(f"{one}/{path}").status == 403
        assert ada.post(f"{one}/{path}").status == 404
