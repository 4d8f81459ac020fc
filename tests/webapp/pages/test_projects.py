"""Pages of projects."""

from decimal import Decimal
from typing import Any

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.pages.conftest import Visit
from tests.webapp.requests import SHOP, end_jobs
from webapp.auth import services as auth
from webapp.cluster.state import Namespace, Workload
from webapp.openapi import Portal
from webapp.projects import services
from webapp.projects.models import Project
from webapp.projects.schemas import ProjectSpec

NEW = "/projects/new"


@pytest.fixture
def shop(app: Portal, cluster: StatedCluster) -> str:
    """A project of ada's that is ready, with dev as its developer and eve as its viewer."""
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        services.create(user, ProjectSpec.model_validate(SHOP))
    end_jobs(app)
    cluster.namespaces["shop"] = Namespace("shop", "shop", False)
    cluster.quotas["shop"] = quota_use(used_cpu="1.7")
    return "shop"


def stored(app: Portal, name: str) -> dict[str, Any] | None:
    """Return the stored project's settings and state, or None."""
    from webapp.db import db

    with app.app_context():
        project = db.session.query(Project).filter_by(name=name).one_or_none()
        return None if project is None else {**project.spec, "state": project.state}


def test_the_empty_list_says_what_to_do_first(visit: Visit) -> None:
    page = visit("ada").get("/projects")
    assert "No project yet" in page.text
    assert 'href="/projects/new"' in page.html


def test_a_project_is_made_with_a_size(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    answer = ada.send(NEW, {"name": "shop", "description": "Our shop", "size": "small"})
    assert answer.status == 303
    assert answer.address.startswith("/jobs/")
    assert "Create project shop" in ada.get(answer.address).text
    found = stored(app, "shop")
    assert found is not None
    assert found["quota"] == {"cpu": "1", "memory": "1Gi", "storage": "2Gi", "pods": 10}
    assert (found["owner"], found["podSecurity"], found["state"]) == ("ada", "restricted", "creating")


def test_the_form_begins_with_defaults_and_keeps_what_was_entered(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    assert ada.get(NEW).fields()["size"] == "medium"
    wrong = {
        "name": "Shop!",
        "description": "<b>bold</b>",
        "size": "own",
        "quota.cpu": "two",
        "quota.memory": "2Gi",
        "quota.storage": "1Gi",
        "quota.pods": "9",
        "members.0.user": "nobody here",
        "members.0.role": "viewer",
    }
    page = ada.send(NEW, wrong)
    assert page.status == 422
    assert page.error("name").startswith("'Shop!' is not a DNS label")
    assert page.error("quota.cpu").startswith("'two' is not a quantity")
    assert page.error("members.0.user").startswith("This cannot be a user's name")
    assert len(page.summary()) == 3
    assert 'href="#quota.cpu"' in page.html
    assert {name: page.fields()[name] for name in wrong} == wrong
    assert "<b>" not in page.html
    assert stored(app, "Shop!") is None
    assert ada.get("/jobs").text.count("No job yet") == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "kube-shop"}, "name", "reserved for the platform"),
        ({"name": "taken"}, "name", "The cluster has a namespace 'taken' already"),
        ({"size": "own", "quota.cpu": "64"}, "quota.cpu", "The quota asks for 64 CPU"),
        (
            {"members.0.user": "ghost", "members.0.role": "viewer"},
            "members.0.user",
            "There is no user 'ghost'.",
        ),
        ({"description": "{{ 7 * 7 }}"}, "description", "Template marks"),
        ({"egressCidrs": "everywhere"}, "egressCidrs", "'everywhere' is not a network"),
    ],
)
def test_what_is_refused_stands_at_its_field(
    visit: Visit, app: Portal, cluster: StatedCluster, changes: dict[str, str], field: str, words: str
) -> None:
    cluster.namespaces["taken"] = Namespace("taken", None, False)
    page = visit("ada").send(NEW, {"name": "shop", **changes})
    assert page.status == 422
    assert words in page.error(field)
    assert f'aria-describedby="{field}-' in page.html
    assert stored(app, changes.get("name", "shop")) is None


def test_a_silent_cluster_keeps_the_form(visit: Visit, app: Portal, cluster: StatedCluster) -> None:
    cluster.down = True
    page = visit("ada").send(NEW, {"name": "shop"})
    assert "Nothing was changed" in " ".join(page.summary())
    assert page.field("name") == "shop"
    assert stored(app, "shop") is None


def test_rows_come_and_go_without_scripts(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    page = ada.send(NEW, {"name": "shop", "action": "add:members"})
    assert page.status == 200
    assert page.field("members.0.user") == ""
    again = ada.post(NEW, {**page.fields(), "members.0.user": "dev", "action": "add:members"})
    assert (again.field("members.0.user"), again.field("members.1.user")) == ("dev", "")
    last = ada.post(NEW, {**again.fields(), "members.1.user": "eve", "action": "remove:members.0"})
    assert (last.field("members.0.user"), last.field("members.1.user")) == ("eve", None)
    assert last.field("name") == "shop"
    assert stored(app, "shop") is None


def test_a_project_shows_its_quota_members_and_state(visit: Visit, shop: str) -> None:
    page = visit("ada").get(f"/projects/{shop}")
    assert "1.7 of 2 cores" in page.text
    assert "ada owner" in page.text
    assert "dev developer" in page.text
    assert "Nothing runs here yet" in page.text
    assert "Create project shop" in page.text
    cards = visit("ada").get("/projects").text
    assert "0 applications · owner ada" in cards
    assert "1.7 of 2 cores" in cards


def test_a_silent_cluster_leaves_the_page_usable(visit: Visit, shop: str, cluster: StatedCluster) -> None:
    cluster.down = True
    for path in ("/projects", f"/projects/{shop}"):
        page = visit("ada").get(path)
        assert page.status == 200
        assert "What runs now cannot be shown: the Kubernetes API does not answer" in page.text
        assert "2 cores" in page.text


def test_pages_offer_what_the_role_allows(visit: Visit, shop: str) -> None:
    offers = {"ada": (True, True), "root": (True, True), "dev": (False, True), "eve": (False, False)}
    for name, (change, create) in offers.items():
        html = visit(name).get(f"/projects/{shop}").html
        assert (f"/projects/{shop}/edit" in html, f"/projects/{shop}/delete" in html) == (change, change)
        assert (f"/projects/{shop}/applications/new" in html) == create


def test_roles_hold_against_forms_made_by_hand(visit: Visit, app: Portal, shop: str) -> None:
    for name, status in (("dev", 403), ("eve", 403), ("out", 404)):
        visitor = visit(name)
        assert visitor.post(f"/projects/{shop}/edit", {"size": "small"}).status == status
        assert visitor.post(f"/projects/{shop}/delete", {"confirm": shop}).status == status
    found = stored(app, shop)
    assert found is not None
    assert (found["state"], found["quota"]["cpu"]) == ("ready", "2")
    assert visit("out").get(f"/projects/{shop}").status == 404
    assert shop not in visit("out").get("/projects").text


def test_a_project_is_changed(visit: Visit, app: Portal, shop: str) -> None:
    ada = visit("ada")
    form = ada.get(f"/projects/{shop}/edit")
    assert form.fields()["size"] == "medium"
    assert form.field("members.0.user") is None
    assert f'href="/projects/{shop}/members"' in form.html
    answer = ada.send(f"/projects/{shop}/edit", {"description": "Better", "size": "small"})
    assert answer.status == 303
    found = stored(app, shop)
    assert found is not None
    assert (found["description"], found["quota"]["cpu"], found["owner"]) == ("Better", "1", "ada")
    assert [member["role"] for member in found["members"]] == ["developer", "viewer"]
    assert found["state"] == "updating"
    assert "Being changed" in ada.get(f"/projects/{shop}").text


def test_deletion_takes_the_typed_name(visit: Visit, app: Portal, shop: str) -> None:
    ada = visit("ada")
    page = ada.send(f"/projects/{shop}/delete", {"confirm": "shopp"})
    assert page.status == 422
    assert page.error("confirm") == "This is not the name: type 'shop' to confirm."
    found = stored(app, shop)
    assert found is not None
    assert found["state"] == "ready"
    answer = ada.send(f"/projects/{shop}/delete", {"confirm": "shop"})
    assert answer.address.startswith("/jobs/")
    again = ada.send(f"/projects/{shop}/delete", {"confirm": "shop"})
    assert "is being deleted" in " ".join(again.summary())
    end_jobs(app)
    assert stored(app, shop) is None
    job = ada.get(answer.address)
    assert job.status == 200
    assert "Go to the projects" in job.text


def test_a_blocked_deletion_says_why(visit: Visit, app: Portal, shop: str) -> None:
    ada = visit("ada")
    ada.send(f"/projects/{shop}/delete", {"confirm": "shop"})
    end_jobs(app, "failed")
    page = ada.get(f"/projects/{shop}")
    assert "Deletion blocked" in page.text
    assert "The deletion of this project is blocked. What holds it up: it failed" in page.text
    assert page.html.count(">Try again</a>") == 1
    assert ">Try again</a>" not in visit("eve").get(f"/projects/{shop}").html


def test_long_lists_have_pages(visit: Visit, app: Portal, cluster: StatedCluster) -> None:
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        for number in range(25):
            services.create(user, ProjectSpec(name=f"p{number:02}"))
    ada = visit("ada")
    first = ada.get("/projects")
    assert "p23" in first.text
    assert "p24" not in first.text
    second = ada.get("/projects?after=p23")
    assert "p24" in second.text
    assert "First page" in second.text


def test_states_of_applications_are_told_in_words(visit: Visit, shop: str, cluster: StatedCluster) -> None:
    cluster.quotas["shop"].used["cpu"] = Decimal(0)
    dev = visit("dev")
    assert dev.send(f"/projects/{shop}/applications/new", {"name": "web", "image": "web:1"}).status == 303
    cluster.running["shop"] = {"web": Workload(1, (), trouble="pods cannot be made: exceeded quota")}
    page = dev.get(f"/projects/{shop}")
    assert "0 of 1 pods ready: pods cannot be made: exceeded quota" in page.text
    assert 'href="http://web.shop.localhost:8080"' in page.html
    assert "Create application web: waiting." in page.text
