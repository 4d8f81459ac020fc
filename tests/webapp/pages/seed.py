"""A portal with a database of its own and a stated cluster, filled through the services, to look at pages.

`python -m tests.webapp.pages.seed [port]` serves it on 127.0.0.1 (default port: 5056); sign in as ada.
"""

import sys
import tempfile
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import PASSWORD, make_config
from webapp.app import create_app
from webapp.applications import services as applications
from webapp.applications.schemas import NewApplication
from webapp.auth import services as auth
from webapp.auth.models import User
from webapp.cluster.state import Namespace, Pod, QuotaUse, Workload
from webapp.db import db, utcnow, writing
from webapp.jobs.effects import end
from webapp.jobs.events import NewEvent, append
from webapp.jobs.models import Job
from webapp.projects import services as projects
from webapp.projects.schemas import ProjectSpec

GIB = Decimal(1024) ** 3


def make_portal(folder: Path, url: str, **settings: Any) -> tuple[Flask, StatedCluster]:
    """Return an application on an empty database in `folder` with users, and its cluster.

    root is an administrator, eve is in no project.
    """
    app = create_app(make_config(f"sqlite:///{folder / 'portal.db'}", external_url=url, **settings))
    cluster = StatedCluster()
    app.extensions["croft_cluster"] = cluster
    with app.app_context():
        db.create_all()
        for name in ("ada", "grace", "linus", "eve", "root"):
            auth.create_user(name, PASSWORD, is_admin=name == "root")
    return app, cluster


def user(name: str) -> User:
    """Return one of the users."""
    found = auth.find_user(name)
    assert found is not None
    return found


def finish(job_id: str, state: str = "succeeded", message: str = "", **more: Any) -> None:
    """End a job as a worker would: first its events, then its end with all its effects."""
    with writing() as session:
        job = session.get_one(Job, job_id)
        job.started_at = utcnow()
        append(session, job, more.pop("events", ()))
        end(session, job, state, message, more.get("result"))


def create_project(cluster: StatedCluster, name: str, owner: str = "ada", **settings: Any) -> None:
    """Create a project that is ready, in the database and in the cluster."""
    spec = ProjectSpec(name=name, **settings)
    _, job = projects.create(user(owner), spec)
    finish(job.id, message=f"Project '{name}' is ready.")
    cluster.namespaces[name] = Namespace(name, name, False)
    zero = dict.fromkeys(("cpu", "memory", "storage", "pods"), Decimal(0))
    cluster.quotas[name] = QuotaUse(
        {"cpu": Decimal(2), "memory": 2 * GIB, "storage": 5 * GIB, "pods": Decimal(20)}, zero
    )


def create_application(project: str, name: str, owner: str = "ada", **settings: Any) -> None:
    """Create an application that is ready in the database; nothing of it runs yet."""
    values = {"image": "registry.example.org/team/web:1.2", "ports": [{"targetPort": 8080, "port": 80}]}
    new = NewApplication.model_validate({"name": name, **values, **settings})
    _, job = applications.create(user(owner), project, new)
    finish(job.id, message=f"Application '{name}' is ready.", events=STORY)


def pod(name: str, node: str = "croft-2", reason: str = "", hours: float = 5, restarts: int = 0) -> Pod:
    """Return a pod, ready unless `reason` says why not."""
    requests = {"cpu": Decimal("0.1"), "memory": GIB / 8, "pods": Decimal(1)}
    born = utcnow() - timedelta(hours=hours)
    return Pod(name, node, not reason, restarts, reason, born, requests)


STORY = (
    NewEvent("state", "Started", {"state": "running"}),
    NewEvent("task", "Read the request"),
    NewEvent("ok", "Read the request", {"duration": 0.07}),
    NewEvent("task", "Release the application's chart"),
    NewEvent("changed", "Release the application's chart", {"duration": 1.42}),
    NewEvent("task", "Wait until the application is ready"),
    NewEvent("progress", "0 of 2 pods ready; web-5c9d7b6f4-x2k9p waits: pulling image"),
    NewEvent("progress", "1 of 2 pods ready"),
    NewEvent("ok", "Wait until the application is ready", {"duration": 4.6}),
)


def fill(cluster: StatedCluster) -> dict[str, str]:
    """Store projects, applications and jobs in many states; return the ids of some jobs by their state."""
    members = [{"user": "grace", "role": "developer"}, {"user": "linus", "role": "viewer"}]
    shop = "Our web shop and what belongs to it: catalogue, payments, mail."
    create_project(cluster, "shop", description=shop, members=members)
    create_project(cluster, "lab")
    create_project(
        cluster,
        "statistics-course-2026",
        description="Exercises of the course: one application for each group, and the demo of the lecture.",
    )
    _, blocked = projects.delete(user("ada"), "lab")
    finish(blocked.id, "failed", "Namespace 'lab' is still there: a volume claim is held by pod 'debug'.")
    secrets = [{"name": "DATABASE_PASSWORD", "value": "hidden-value"}]
    env = [{"name": "LOG_LEVEL", "value": "info"}]
    more: dict[str, Any] = {
        "env": env,
        "secrets": secrets,
        "healthPath": "/healthz",
        "volume": {"size": "1Gi"},
    }
    create_application("shop", "web", replicas=3, **more)
    create_application("shop", "mail")
    create_application("shop", "search")
    _, failed = applications.update(user("grace"), "shop", "mail", _settings("mail-server:9"))
    sentence = (
        "Application 'mail' is not ready: image mail-server:9 cannot be pulled. Check the image's name."
    )
    finish(failed.id, "failed", sentence, events=(*STORY[:-2], NewEvent("failed", sentence)))
    _, running = applications.update(user("ada"), "shop", "search", _settings("search:2"))
    with writing() as session:
        job = session.get_one(Job, running.id)
        job.state, job.started_at = "running", utcnow()
        append(session, job, STORY[:7])
    waits = "waits for image mail-server:9, which cannot be pulled"
    cluster.running["shop"] = {
        "web": Workload(
            3, tuple(pod(f"web-5c9d7b6f4-{end}", "croft-3") for end in ("x2k9p", "88ztq", "c4hvn"))
        ),
        "mail": Workload(1, (pod("mail-7f6bd54c9-qqpl2", reason=waits, hours=0.01),)),
        "search": Workload(1, (pod("search-6d4cf56db6-kvxwz", reason="is starting", hours=0.002),)),
    }
    used = {"cpu": Decimal("1.7"), "memory": GIB / 2, "storage": 5 * GIB, "pods": Decimal(5)}
    cluster.quotas["shop"].used.update(used)
    return {"failed": failed.id, "running": running.id, "blocked": blocked.id}


def _settings(image: str) -> Any:
    return NewApplication.model_validate({"name": "x", "image": image, "ports": [{"targetPort": 8080}]})


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 5056
    with tempfile.TemporaryDirectory() as folder:
        everything = import_module("tests.webapp.pages.everything")
        application, stated = make_portal(Path(folder), f"http://localhost:{chosen}", **everything.SETTINGS)
        with application.app_context():
            print(everything.fill(stated), flush=True)
        application.run(port=chosen, threaded=True)
