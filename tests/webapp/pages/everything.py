"""A portal in which everything that pages can show has happened, and what addresses stand for in it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import current_app

from tests.webapp.alerts.stated import StatedAlertmanager, alert
from tests.webapp.cluster import StatedCluster
from tests.webapp.pages import seed
from tests.webapp.pages.seed import GIB, NewApplication, create_project, finish, pod, user
from webapp import alerts
from webapp.applications import services as applications
from webapp.auth import api_tokens
from webapp.catalog import services as catalog
from webapp.catalog.schemas import NewCatalogApplication
from webapp.cluster.state import ClusterEvent, ClusterVolume, Container, Contents, Pod, Workload
from webapp.db import utcnow
from webapp.jobs import services as jobs
from webapp.notifications import services as notifications
from webapp.notifications.schemas import NewChannel
from webapp.plans import services as plans
from webapp.projects import archive
from webapp.projects.schemas import Quota
from webapp.quota_requests import services as quota_requests

# What an operator can switch on, all of it.
SETTINGS: dict[str, Any] = {
    "smtp_host": "mail.example.org",
    "smtp_from": "croft@example.org",
    "cert_issuer": "letsencrypt",
    "self_registration": True,
    "oidc_issuer": "https://id.example.org",
    "oidc_client_id": "croft",
    "oidc_client_secret": "not-asked-for-here",
    "oidc_name": "Example University",
}
PLAN = {
    "url": "http://web.shop.localhost:8080",
    "fits": False,
    "quota": [
        {"resource": "cpu", "fits": False, "words": "asks for 1500m CPU, 300m left"},
        {"resource": "memory", "fits": True, "words": "asks for 512Mi memory, 1536Mi left"},
    ],
    "objects": [
        {
            "kind": "Deployment",
            "name": "web",
            "action": "changed",
            "changes": [{"field": "spec.replicas", "before": 3, "after": 5}],
        },
        {"kind": "HTTPProxy", "name": "web", "action": "created", "changes": []},
    ],
}

LOG = (
    "listening on :8080",
    "GET /healthz 200 0.4ms",
    'level=info msg="order 4711 paid" user=grace total=38.20',
    "GET /products?page=2 200 12ms",
    "panic: connection refused: db:5432",
)


def fill(cluster: StatedCluster) -> dict[str, str]:
    """Store it all; return what stands for each parameter of the portal's addresses.

    Beside those there are `failed`, `running`, `blocked` and `cancelled`: the ids of such jobs.
    """
    found = seed.fill(cluster)
    _cluster(cluster)
    found |= {"project": "shop", "application": "web", "job_id": found["running"], "entry": "postgresql"}
    found |= {"user": "grace"}
    found |= {"uid": "croft-pods", "number": "1", "revision": "1", "user": "grace"}
    for name in ("ada", "root"):
        api_tokens.create(user(name), "ci", "write", 90)
        api_tokens.create(user(name), "dashboard", "read", 30)
    _revisions()
    _, cancelled = applications.restart(user("ada"), "shop", "web")
    found["cancelled"] = jobs.cancel(user("ada"), cancelled.id).id
    _database(cluster)
    found["plan_id"] = _plan(seed._settings("registry.example.org/team/web:1.4"))
    found["open_plan_id"] = plans.plan_change(user("ada"), "shop", "web", _web(replicas=2)).id
    _quota_requests()
    found["channel_id"] = _channels()
    _archived(cluster)
    _alerts()
    return found


def _web(**settings: Any) -> NewApplication:
    values = {"name": "web", "image": "registry.example.org/team/web:1.3", "ports": [{"targetPort": 8080}]}
    return NewApplication.model_validate({**values, "volume": {"size": "1Gi"}, **settings})


def _revisions() -> None:
    for image in ("registry.example.org/team/web:1.3", "registry.example.org/team/web:1.2"):
        _, job = applications.update(user("grace"), "shop", "web", _web(image=image, replicas=3))
        finish(job.id, message="Application 'web' is ready.", events=seed.STORY)


def _plan(settings: NewApplication) -> str:
    plan = plans.plan_change(
        user("ada"), "shop", "web", settings.model_copy(update={"volume": _web().volume})
    )
    finish(plan.job_id, message="The plan is ready.", result={"plan": PLAN})
    return plan.id


def _quota_requests() -> None:
    more = Quota(cpu="4", memory="3Gi", storage="10Gi", pods=30)
    refused = quota_requests.ask(user("grace"), "shop", more, "We expect many visitors in December.")
    quota_requests.refuse(user("root"), refused.id, "The nodes are full until a third one comes in May.")
    reason = "The search needs a second server, and the catalogue grows by some 2 GiB a month."
    quota_requests.ask(user("ada"), "shop", more, reason)


def _database(cluster: StatedCluster) -> None:
    values = {"database": "orders", "user": "orders", "password": "a-long-password", "size": "1Gi"}
    new = NewCatalogApplication(name="db", catalog="postgresql", values=values)
    _, job = catalog.create(user("ada"), "shop", new)
    finish(job.id, message="Application 'db' is ready.", events=seed.STORY)
    cluster.running["shop"]["db"] = Workload(1, (pod("db-0"),))


def _channels() -> str:
    """Store a webhook and a mail address, each with a message on its way; return the webhook's id."""
    hook = {"kind": "webhook", "target": "https://chat.example.org/hooks/croft", "events": ["job.failed"]}
    mail = {"kind": "email", "target": "team@example.org", "events": ["job.failed", "job.succeeded"]}
    made = [
        notifications.create(user("ada"), "shop", NewChannel.model_validate(one))[0] for one in (hook, mail)
    ]
    identities = [channel.id for channel in made]
    notifications.test(user("ada"), "shop", identities[0])
    return str(identities[0])


def _alerts() -> None:
    mine = {"audience": "project", "namespace": "shop"}
    restarts = {
        "summary": "web restarted 7 times within 15 minutes",
        "description": "The container of web-5c9d7b6f4-c4hvn ends with exit code 1. Its log says why.",
        "runbook_url": "https://croft.example.org/docs/runbooks/ApplicationRestarts.md",
    }
    quota = {
        "summary": "Project shop uses 92 % of its memory",
        "description": "Further pods may not start. Ask for more quota, or lower the requests.",
        "runbook_url": "docs/runbooks/ProjectQuotaNearlyUsed.md",
    }
    node = {
        "summary": "Node croft-2 has not answered for 3 minutes",
        "description": "Its pods are started elsewhere after 5 minutes.",
    }
    current_app.extensions[alerts.KEY] = StatedAlertmanager(
        alert("ApplicationRestarts", annotations=restarts, severity="critical", workload="web", **mine),
        alert("ProjectQuotaNearlyUsed", annotations=quota, severity="warning", minutes=90, **mine),
        alert("Watchdog", severity="info", state="suppressed", minutes=9000, audience="operator"),
        alert("NodeSilent", annotations=node, severity="critical", audience="operator", node="croft-2"),
    )


def _archived(cluster: StatedCluster) -> None:
    create_project(cluster, "thesis-archive", description="Data and pages of last year's theses.")
    _, job = archive.archive(user("ada"), "thesis-archive")
    finish(job.id, message="Project 'thesis-archive' is archived.")


def _cluster(cluster: StatedCluster) -> None:
    now = utcnow()
    web = [pod(f"web-5c9d7b6f4-{end}", "croft-3", restarts=n) for n, end in enumerate(("x2k9p", "88ztq"))]
    web.append(pod("web-5c9d7b6f4-c4hvn", "croft-2", "keeps ending with exit code 1", 0.3, 7))
    cluster.running["shop"]["web"] = Workload(
        3, tuple(replace(one, containers=(_container(one),)) for one in web)
    )
    for one in web:
        cluster.logs.write(one.name, *LOG)
    told = "Back-off restarting failed container app in pod web-5c9d7b6f4-c4hvn"
    pulled = "Container image registry.example.org/team/web:1.2 already present on machine"
    cluster.noted["shop"] = [
        ClusterEvent("Pod", "web-5c9d7b6f4-c4hvn", True, "BackOff", told, 14, now - timedelta(hours=1), now),
        ClusterEvent("Pod", "web-5c9d7b6f4-x2k9p", False, "Pulled", pulled, 1, now, now),
        ClusterEvent("Deployment", "web", False, "ScalingReplicaSet", "Scaled up to 3", 1, now, now),
    ]
    volume = ClusterVolume("web", "web", "Bound", "1Gi", "1Gi", "local")
    cluster.claims["shop"] = [volume]
    counts = {"Deployment": 3, "Pod": 5, "Service": 3, "Ingress": 3, "PersistentVolumeClaim": 1}
    cluster.contents_by_name["shop"] = Contents(counts, ("web", "mail", "search"), (volume,))
    cluster.quotas["shop"].used["storage"] = GIB


def _container(one: Pod) -> Container:
    state = "runs" if one.ready else "keeps ending with exit code 1"
    last = "ended with exit code 1" if one.restarts else ""
    image = "registry.example.org/team/web:1.2"
    return Container("web", image, one.ready, one.ready, one.restarts, state, last, one.created_at)
