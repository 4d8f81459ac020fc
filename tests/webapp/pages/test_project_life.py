"""Pages of a project's life: the list, sleep, members, more quota, kubeconfig and the receipt."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.pages.conftest import Visit
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.cluster.state import ClusterEvent, ClusterVolume, Contents
from webapp.db import db, utcnow
from webapp.openapi import Portal
from webapp.projects.models import Project

PAGE = "/projects/shop"


@pytest.fixture(autouse=True)
def shop(api: Api, app: Portal, cluster: StatedCluster) -> None:
    """A project of ada's with dev as developer, eve as viewer, and one application."""
    cluster.quotas["shop"] = quota_use(used_cpu="1.5")
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)


def test_the_list_is_searched_filtered_and_sorted_without_scripts(api: Api, visit: Visit) -> None:
    api("ada").send("POST", "/projects", {"name": "lab", "description": "Experiments"})
    ada = visit("ada")
    page = ada.get("/projects?search=experiments&sort=-name&own=yes")
    assert 'href="/projects/lab"' in page.html
    assert 'href="/projects/shop"' not in page.html
    assert page.field("search") == "experiments"
    assert '<option value="-name" selected>' in page.html
    assert "No project fits" in ada.get("/projects?search=nothing-like-it").text
    assert 'href="/projects/lab"' in ada.get("/projects?state=creating").html
    assert 'href="/projects/shop"' not in ada.get("/projects?state=creating").html
    assert ada.get("/projects?state=x&sort=y&search=%25").status == 200


def test_the_list_asks_the_cluster_once_and_the_database_a_few_times(
    api: Api, visit: Visit, cluster: StatedCluster, statements: list[str]
) -> None:
    for number in range(5):
        api("ada").send("POST", "/projects", {"name": f"p{number}"})
    ada = visit("ada")
    cluster.asked = 0
    statements.clear()
    page = ada.get("/projects")
    assert cluster.asked == 1
    assert "1.5 of 2 cores" in page.text
    assert len([line for line in statements if line.startswith("SELECT")]) <= 5, statements


def test_the_detail_reads_no_more_than_it_shows(
    api: Api, app: Portal, visit: Visit, statements: list[str]
) -> None:
    ada = visit("ada")
    ada.get(PAGE)
    statements.clear()
    assert ada.get(PAGE).status == 200
    read = [line for line in statements if line.startswith("SELECT")]
    count = len(read)
    for number in range(3):
        more = {**WEB, "name": f"web{number}"}
        assert api("ada").send("POST", "/projects/shop/applications", more).status_code == 202
    end_jobs(app)
    statements.clear()
    ada.get(PAGE)
    assert len([line for line in statements if line.startswith("SELECT")]) == count
    assert count <= 12, read


def test_the_detail_shows_quota_events_and_activity(visit: Visit, cluster: StatedCluster) -> None:
    now = utcnow()
    cluster.noted["shop"] = [
        ClusterEvent("Deployment", "web", False, "Scaled", "Scaled up to 3", 1, now, now),
        ClusterEvent(
            "Pod", "web-1", True, "Failed", "Cannot pull <b>it</b>", 12, now, now - timedelta(hours=1)
        ),
    ]
    page = visit("eve").get(PAGE)
    assert "1.5 of 2 cores, 0.5 free" in page.text
    assert page.text.index("Warning Cannot pull <b>it</b>") < page.text.index("Scaled up to 3")
    assert "Pod web-1, Failed, 12 times" in page.text
    assert "ada created the project" in page.text
    assert "ada created application web" in page.text
    assert ">Ask for more</a>" not in page.html
    assert ">Ask for more</a>" in visit("dev").get(PAGE).html
    cluster.down = True
    assert "its events cannot be shown" in visit("eve").get(PAGE).text


def test_archive_and_wake(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    asked = ada.get(f"{PAGE}/archive")
    assert "its applications stop and answer no more: web" in asked.text
    assert ada.post(f"{PAGE}/archive").address.startswith("/jobs/")
    end_jobs(app)
    page = ada.get(PAGE)
    assert "This project is archived" in page.text
    assert "New application" not in page.text
    assert 'action="/projects/shop/wake"' in page.html
    assert "/wake" not in visit("dev").get(PAGE).html
    assert "is archived already" in " ".join(ada.post(f"{PAGE}/archive").summary())
    assert visit("dev").post(f"{PAGE}/wake").status == 403
    assert ada.post(f"{PAGE}/wake").address.startswith("/jobs/")
    end_jobs(app)
    assert "This project is archived" not in ada.get(PAGE).text


def test_expiry_is_a_day_and_warned_of(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    soon = (utcnow() + timedelta(days=3)).date().isoformat()
    assert ada.send(f"{PAGE}/edit", {"expiresAt": soon}).status == 303
    with app.app_context():
        stored = db.session.scalars(select(Project)).one()
        assert stored.expires_at is not None
        assert stored.expires_at.isoformat() == f"{soon}T23:59:59+00:00"
    end_jobs(app)
    assert "and is archived then: its applications stop" in visit("eve").get(PAGE).text
    # Sent back as it was, the day means the same moment.
    assert ada.get(f"{PAGE}/edit").field("expiresAt") == soon
    assert (
        ada.send(f"{PAGE}/edit", {"expiresAt": "2020-01-01"}).error("expiresAt") == "This lies in the past."
    )
    assert ada.send(f"{PAGE}/edit", {"expiresAt": "soon"}).error("expiresAt").startswith("Write a date")
    assert ada.send(f"{PAGE}/edit", {"expiresAt": ""}).status == 303
    assert "is archived then" not in ada.get(PAGE).text


def test_two_editors_do_not_overwrite_each_other(visit: Visit) -> None:
    ada, root = visit("ada"), visit("root")
    open_form = {**ada.get(f"{PAGE}/edit").fields(), "action": "save"}
    assert root.send(f"{PAGE}/edit", {"description": "Root's"}).status == 303
    late = ada.post(f"{PAGE}/edit", {**open_form, "description": "Ada's"})
    assert late.status in (412, 422)
    assert "Root's" in ada.get(f"{PAGE}/edit").text or ada.get(f"{PAGE}/edit").status == 200


def test_members_are_added_changed_removed(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    assert "Add a member" in ada.get(f"{PAGE}/members").text
    assert "Add a member" not in visit("eve").get(f"{PAGE}/members").text
    assert ada.post(f"{PAGE}/members", {"user": "out", "role": "viewer"}).status == 303
    assert visit("out").get(PAGE).status == 200
    assert ada.post(f"{PAGE}/members/out", {"role": "owner", "action": "save"}).status == 303
    page = ada.post(f"{PAGE}/members", {"user": "nobody", "role": "viewer"})
    assert (page.status, page.error("user")) == (422, "There is no user 'nobody'.")
    assert page.field("user") == "nobody"
    assert ada.post(f"{PAGE}/members", {"user": "", "role": "viewer"}).error("user") == "Fill in this field."
    assert "is a member already" in ada.post(f"{PAGE}/members", {"user": "out", "role": "viewer"}).error(
        "user"
    )
    assert ada.post(f"{PAGE}/members/out", {"action": "remove"}).status == 303
    assert visit("out").get(PAGE).status == 404
    assert visit("dev").post(f"{PAGE}/members", {"user": "out", "role": "owner"}).status == 403
    assert ada.post(f"{PAGE}/transfer", {"owner": "dev", "previousOwner": ""}).address == "/projects"
    assert ada.get(PAGE).status == 404
    assert "dev Owner answers for it" in visit("dev").get(f"{PAGE}/members").text.replace("D dev", "dev")


def test_more_quota_is_asked_for_and_decided(visit: Visit, app: Portal) -> None:
    dev, root = visit("dev"), visit("root")
    path = f"{PAGE}/quota-requests"
    page = dev.send(path, {"quota.cpu": "2", "reason": "More"})
    assert page.error("quota").startswith("This is no more than the project has")
    assert dev.send(path, {"quota.cpu": "3", "reason": ""}).error("reason") == "Fill in this field."
    assert dev.send(path, {"quota.cpu": "3", "reason": "A second server"}).status == 303
    assert "This waits for an administrator" in dev.get(path).text
    assert "A request for more is open" in dev.get(PAGE).text
    assert dev.get("/admin/quota-requests").status == 403
    listed = root.get("/admin/quota-requests")
    assert "A second server" in listed.text
    request_id = listed.html.partition('action="/admin/quota-requests/')[2].partition('"')[0]
    unsaid = root.post(f"/admin/quota-requests/{request_id}", {"action": "refuse", "answer": ""})
    assert unsaid.error("answer") == "Say why, in a word or two."
    assert dev.post(f"/admin/quota-requests/{request_id}", {"action": "grant"}).status == 403
    granted = root.post(f"/admin/quota-requests/{request_id}", {"action": "grant", "answer": "Until May"})
    assert granted.address.startswith("/jobs/")
    end_jobs(app)
    assert "Until May" in dev.get(path).text
    assert "of 3 cores" in dev.get(PAGE).text or "3 cores" in dev.get(PAGE).text
    assert "Nobody waits" in root.get("/admin/quota-requests").text
    assert "Until May" in root.get("/admin/quota-requests?state=granted").text


def test_own_request_is_withdrawn(visit: Visit) -> None:
    dev = visit("dev")
    path = f"{PAGE}/quota-requests"
    dev.send(path, {"quota.cpu": "3", "reason": "A second server"})
    action = dev.get(path).html.partition('action="/quota-requests/')[2].partition('"')[0]
    assert visit("ada").post(f"/quota-requests/{action}").status == 403
    assert dev.post(f"/quota-requests/{action}").status == 303
    assert "Withdrawn" in dev.get(path).text


def test_a_kubeconfig_is_downloaded(visit: Visit, cluster: StatedCluster) -> None:
    eve = visit("eve")
    page = eve.get(f"{PAGE}/kubeconfig")
    assert "kubectl --kubeconfig shop.kubeconfig get pods" in page.text
    answer = eve.post(f"{PAGE}/kubeconfig", {"expiresInHours": "1"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="shop.kubeconfig"'
    assert "token-of-shop-croft-viewer" in answer.html
    assert eve.post(f"{PAGE}/kubeconfig", {"expiresInHours": "99"}).error("expiresInHours")
    cluster.down = True
    assert "Nothing was changed" in " ".join(
        eve.post(f"{PAGE}/kubeconfig", {"expiresInHours": "1"}).summary()
    )


def test_the_receipt_before_a_deletion(visit: Visit, cluster: StatedCluster) -> None:
    ada = visit("ada")
    claim = ClusterVolume("data", "web", "Bound", "1Gi", "1Gi", "croft")
    cluster.contents_by_name["shop"] = Contents({"Deployment": 2}, ("stray", "web"), (claim,))
    page = ada.get(f"{PAGE}/delete")
    assert "1 application: web" in page.text
    assert "1 Helm release that the portal does not know: stray" in page.text
    assert "data , 1Gi" in page.text
    assert "Deployment 2" in page.text
    cluster.down = True
    silent = ada.get(f"{PAGE}/delete")
    assert "What is really there cannot be shown" in silent.text
    assert "all its volumes" in silent.text
