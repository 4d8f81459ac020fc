"""A project to look at, stored by the portal's own services."""

from tests.webapp.cluster import StatedCluster, pod, quota_use
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.applications import services
from webapp.applications.schemas import NewApplication
from webapp.auth import services as auth
from webapp.cluster.state import Namespace, Workload
from webapp.openapi import Portal
from webapp.projects import services as projects
from webapp.projects.schemas import ProjectSpec


def ready_shop(app: Portal, cluster: StatedCluster, *, web: bool = True) -> None:
    """Make ada's project shop, ready, with the application web ready too unless `web` is False."""
    with app.app_context():
        user = auth.find_user("ada")
        assert user is not None
        projects.create(user, ProjectSpec.model_validate(SHOP))
        cluster.namespaces["shop"] = Namespace("shop", "shop", False)
        cluster.quotas["shop"] = quota_use()
        if web:
            services.create(user, "shop", NewApplication.model_validate({**WEB, "healthPath": "/healthz"}))
    end_jobs(app)
    if web:
        cluster.running["shop"] = {"web": Workload(1, (pod("web-5c9d7b6f4-x2k9p"),))}
