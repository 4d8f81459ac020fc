"""Projects that sleep: by request, by their settings, and by themselves when their time is over."""

from datetime import timedelta
from threading import Thread

from sqlalchemy import select

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.projects.test_settings import entries
from tests.webapp.requests import SHOP, WEB, end_jobs, job_of
from webapp.db import db, utcnow
from webapp.jobs.models import Job
from webapp.openapi import Portal
from webapp.projects.expiry import archive_expired
from webapp.projects.models import Project


def make_shop(api: Api, app: Portal, cluster: StatedCluster, **more: object) -> None:
    """A project of ada's that is ready, with one application."""
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", {**SHOP, **more}).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)


def expire(app: Portal) -> None:
    """Let the time of all projects be over, in their settings as well."""
    past = utcnow() - timedelta(minutes=1)
    with app.app_context():
        for project in db.session.scalars(select(Project)):
            project.expires_at = past
            project.spec = {**project.spec, "expiresAt": past.isoformat()}
        db.session.commit()


def test_archive_and_wake(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster)
    answer = api("ada").send("POST", "/projects/shop/archive")
    assert (answer.status_code, answer.json["job"]["kind"]) == (202, "project.archive")
    assert answer.json["project"]["archived"] is True
    assert job_of(app, answer)["request"]["project"]["archived"] is True
    end_jobs(app)
    assert api("eve").send("GET", "/projects/shop").json["state"] == "ready"
    again = api("ada").send("POST", "/projects/shop/archive")
    assert (again.status_code, again.json["detail"]) == (409, "Project 'shop' is archived already.")

    answer = api("ada").send("POST", "/projects/shop/wake")
    assert (answer.status_code, answer.json["job"]["kind"]) == (202, "project.wake")
    assert job_of(app, answer)["request"]["project"]["archived"] is False
    end_jobs(app)
    assert api("ada").send("POST", "/projects/shop/wake").status_code == 409
    assert [entry["action"] for entry in entries(app) if entry["action"].startswith("project.")] == [
        "project.create",
        "project.archive",
        "project.wake",
    ]


def test_nothing_in_an_archived_project_changes(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster)
    api("ada").send("POST", "/projects/shop/archive")
    for method, path, body in (
        ("POST", "/projects/shop/applications", {**WEB, "name": "new"}),
        ("PATCH", "/projects/shop/applications/web", {"replicas": 2}),
        ("PUT", "/projects/shop/applications/web", {"image": "nginx:1", "ports": [{"targetPort": 80}]}),
    ):
        answer = api("dev").send(method, path, body)
        assert (answer.status_code, answer.json["type"]) == (409, "/problems/state-conflict"), answer.text
        assert answer.json["detail"] == "Project 'shop' is archived; wake it first."
    # Its own settings may change, and a deletion is no change of an application.
    answer = api("ada").send("PUT", "/projects/shop", {"description": "Sleeps"})
    assert (answer.status_code, answer.json["job"]["kind"]) == (202, "project.update")
    assert answer.json["project"]["archived"] is True
    assert api("ada").send("DELETE", "/projects/shop").status_code == 202


def test_the_settings_archive_and_wake_as_well(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster)
    answer = api("ada").send("PATCH", "/projects/shop", {"archived": True})
    assert answer.json["job"]["kind"] == "project.archive"
    answer = api("ada").send("PATCH", "/projects/shop", {"archived": False})
    assert answer.json["job"]["kind"] == "project.wake"


def test_what_failed_can_be_tried_again(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster)
    api("ada").send("POST", "/projects/shop/archive")
    end_jobs(app, "failed")
    assert api("ada").send("GET", "/projects/shop").json["state"] == "failed"
    assert api("ada").send("POST", "/projects/shop/archive").json["job"]["kind"] == "project.archive"


def test_an_expired_project_is_archived_by_the_portal(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster, expiresAt="2999-01-31T00:00:00Z")
    with app.app_context():
        assert archive_expired() == []
    expire(app)
    with app.app_context():
        assert archive_expired() == ["shop"]
        assert archive_expired() == []
        job = db.session.scalars(select(Job).where(Job.kind == "project.archive")).one()
        assert (job.user_name, job.project_name) == ("portal", "shop")
        assert job.request is not None
        assert job.request["project"]["archived"] is True
    end_jobs(app)
    shown = api("ada").send("GET", "/projects/shop").json
    assert (shown["archived"], shown["state"], shown["spec"]["archived"]) == (True, "ready", True)
    assert entries(app)[-1]["user"] == "portal"

    # Awake again, it is not archived the next minute.
    woke = api("ada").send("POST", "/projects/shop/wake")
    assert (woke.status_code, woke.json["project"]["expiresAt"]) == (202, None)
    with app.app_context():
        assert archive_expired() == []


def test_several_workers_archive_it_once(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster)
    expire(app)
    done: list[str] = []

    def work() -> None:
        with app.app_context():
            done.extend(archive_expired())

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["shop"]


def test_what_is_being_deleted_is_left_alone(api: Api, app: Portal, cluster: StatedCluster) -> None:
    make_shop(api, app, cluster)
    api("ada").send("DELETE", "/projects/shop")
    expire(app)
    with app.app_context():
        assert archive_expired() == []
