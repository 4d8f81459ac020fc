"""What the API answers about applications."""

from datetime import datetime
from typing import Any

from flask import Response, current_app
from pydantic import Field

from webapp import etags
from webapp.applications import certificates, queries
from webapp.applications.models import Application
from webapp.applications.schemas import (
    Autoscaling,
    EnvName,
    Metrics,
    Port,
    Resources,
    Variable,
    Volume,
)
from webapp.cluster import ClusterUnreachable
from webapp.cluster.state import Workload
from webapp.jobs.models import Job
from webapp.links import JobReference, PageLinks, application_path, job_path, project_path
from webapp.openapi import reply
from webapp.projects.models import Project
from webapp.schemas import Model

_UNKNOWN = "unknown: the cluster does not answer"


class ApplicationLinks(Model):
    """Where to go from an application."""

    self_: str = Field(
        alias="self", description="The application", examples=["/api/v1/projects/shop/applications/web"]
    )
    project: str = Field(description="Its project", examples=["/api/v1/projects/shop"])
    jobs: str = Field(description="Its jobs", examples=["/api/v1/jobs?project=shop&application=web"])
    revisions: str = Field(
        description="What it was set to by each change",
        examples=["/api/v1/projects/shop/applications/web/revisions"],
    )
    export: str = Field(
        description="The file that playbooks/application.yml takes",
        examples=["/api/v1/projects/shop/applications/web/export"],
    )


class SecretName(Model):
    """A secret environment variable; its value is never shown."""

    name: EnvName = Field(description="Name of the variable", examples=["DATABASE_PASSWORD"])


class ShownTls(Model):
    """How it answers HTTPS; the private key is never shown."""

    issuer: bool = Field(description="Whether the platform gets the certificate", examples=[False])
    certificate: str | None = Field(
        description="The certificate in PEM; null with issuer",
        examples=["-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----"],
    )
    subject: str | None = Field(description="Whom it names", examples=["shop.example.org"])
    names: list[str] = Field(description="Host names that it is for", examples=[["shop.example.org"]])
    expires_at: datetime | None = Field(
        description="When it expires, UTC; null with issuer", examples=["2026-12-31T12:00:00Z"]
    )
    warning: str = Field(
        description="A sentence from 30 days before it expires on; empty until then", examples=[""]
    )


class ShownSettings(Model):
    """The desired state of an application; secrets by name only."""

    image: str = Field(description="Image that runs", examples=["registry.example.org/team/web:1.2"])
    command: list[str] = Field(description="Replaces the image's entrypoint", examples=[["/web"]])
    args: list[str] = Field(description="Arguments of the command", examples=[["--verbose"]])
    ports: list[Port] = Field(description="Ports; the first one answers at the application's address")
    replicas: int = Field(description="Number of pods", examples=[2])
    resources: Resources = Field(description="Requests and limits of one pod")
    env: list[Variable] = Field(description="Environment variables")
    secrets: list[SecretName] = Field(description="Secret environment variables")
    host: str | None = Field(description="Host name of its own", examples=["shop.example.org"])
    health_path: str | None = Field(description="Path that answers 200 when healthy", examples=["/healthz"])
    volume: Volume | None = Field(description="A volume of its own")
    autoscaling: Autoscaling | None = Field(description="Follow the load")
    run_as_user: int | None = Field(description="Numeric user to run as", examples=[1000])
    tls: ShownTls | None = Field(description="How it answers HTTPS; null for plain HTTP alone")
    metrics: Metrics | None = Field(description="Metrics of its own; null when none are read")
    stopped: bool = Field(description="Whether it is stopped: no pods, all else stays", examples=[False])


class PodState(Model):
    """One pod, read live."""

    name: str = Field(description="Name of the pod", examples=["web-5c7d9b6f4-x2x7k"])
    node: str = Field(description="Node that it runs on; empty while it waits for one", examples=["croft-2"])
    ready: bool = Field(description="Whether it serves", examples=[True])
    restarts: int = Field(description="How often its containers were restarted", examples=[0])
    reason: str = Field(description="Why it is not ready, in words; empty when it is", examples=[""])
    created_at: datetime = Field(description="When it was made, UTC", examples=["2026-01-31T12:00:00Z"])


class ShownValues(Model):
    """The desired state of an application from the catalog; secret values by name only."""

    entry: str = Field(description="Entry of the catalog", examples=["postgresql"])
    values: dict[str, Any] = Field(description="Its values", examples=[{"database": "orders", "size": "2Gi"}])
    secrets: list[SecretName] = Field(description="Values that are never shown")
    stopped: bool = Field(description="Whether it is stopped: no pods, all else stays", examples=[False])


class ApplicationSummary(Model):
    """An application in a list."""

    name: str = Field(description="Name of the application", examples=["web"])
    project: str = Field(description="Project that it belongs to", examples=["shop"])
    state: str = Field(
        description="creating, ready, failed, updating or deleting: how its last job went", examples=["ready"]
    )
    status: str = Field(description="What really runs, in words, read live", examples=["2 of 2 pods ready"])
    image: str | None = Field(
        description="Image that runs; null for one from the catalog",
        examples=["registry.example.org/team/web:1.2"],
    )
    catalog: str | None = Field(
        description="Entry of the catalog that it comes from; null for an image", examples=[None]
    )
    url: str | None = Field(
        description="Address at which it answers; null for one from the catalog",
        examples=["http://web.shop.localhost:8080"],
    )
    created_at: datetime = Field(description="When it was created, UTC", examples=["2026-01-31T12:00:00Z"])
    updated_at: datetime = Field(description="When it was last changed", examples=["2026-01-31T12:00:00Z"])
    version: int = Field(description="Grows with each change of the settings", examples=[1])
    links: ApplicationLinks = Field(description="Where to go from here")


class ApplicationDetail(ApplicationSummary):
    """An application with its settings and its pods."""

    spec: ShownSettings | None = Field(description="The desired state; null for one from the catalog")
    values: ShownValues | None = Field(
        description="The desired state of one from the catalog; null for an image"
    )
    pods: list[PodState] | None = Field(
        description="Its pods, read live; null when the cluster does not answer"
    )


class ApplicationList(Model):
    """One page of applications, in order of their names."""

    items: list[ApplicationSummary] = Field(description="The applications")
    links: PageLinks = Field(description="This page and the next")


class ApplicationChangeLinks(Model):
    """Where to follow a change of an application."""

    self_: str = Field(
        alias="self", description="The application", examples=["/api/v1/projects/shop/applications/web"]
    )
    application: str = Field(
        description="The application", examples=["/api/v1/projects/shop/applications/web"]
    )
    project: str = Field(description="Its project", examples=["/api/v1/projects/shop"])
    job: str = Field(
        description="The job that does it", examples=["/api/v1/jobs/0f8c2ab3d4e5f60718293a4b5c6d7e8f"]
    )


class ApplicationReference(Model):
    """An application that changes."""

    name: str = Field(description="Name of the application", examples=["web"])
    project: str = Field(description="Project that it belongs to", examples=["shop"])
    state: str = Field(description="creating, updating or deleting", examples=["creating"])
    url: str | None = Field(
        description="Address at which it answers; null for one from the catalog",
        examples=["http://web.shop.localhost:8080"],
    )
    version: int = Field(description="Grows with each change of the settings", examples=[1])


class ApplicationChange(Model):
    """A change of an application that was accepted and is on its way."""

    application: ApplicationReference = Field(description="The application")
    job: JobReference = Field(description="The job that does it")
    links: ApplicationChangeLinks = Field(description="Where to follow it")


def page(found: queries.ApplicationPage, self_: str, next_: str | None) -> ApplicationList:
    """Return one page of applications with the addresses of this page and the next."""
    live = _live(found.applications[0].project) if found.applications else {}
    items = [ApplicationSummary(**_common(item, live)) for item in found.applications]
    return ApplicationList(items=items, links=PageLinks(self_=self_, next=next_))


def detail(application: Application) -> ApplicationDetail:
    """Return an application with its settings and its pods."""
    live = _live(application.project)
    pods = None
    if live is not None:
        workload = live.get(application.name)
        pods = [
            PodState(
                name=pod.name,
                node=pod.node,
                ready=pod.ready,
                restarts=pod.restarts,
                reason=pod.reason,
                created_at=pod.created_at,
            )
            for pod in (workload.pods if workload else ())
        ]
    return ApplicationDetail(**_common(application, live), **shown(application.spec), pods=pods)


def shown(spec: dict[str, Any]) -> dict[str, ShownSettings | ShownValues | None]:
    """Return `spec` and `values` of a desired state, one of them None, nothing secret among them."""
    settings = queries.settings_of(queries.without_secrets(queries.parse(spec).model_dump(mode="json")))
    if "catalog" in settings:
        return {"spec": None, "values": ShownValues(entry=settings.pop("catalog"), **settings)}
    return {"spec": _shown_settings(settings), "values": None}


def _shown_settings(settings: dict[str, Any]) -> ShownSettings:
    if tls := settings["tls"]:
        found = certificates.describe(tls["certificate"] or "")
        settings["tls"] = ShownTls(
            issuer=tls["issuer"],
            certificate=tls["certificate"],
            subject=found.subject if found else None,
            names=list(found.names) if found else [],
            expires_at=found.expires_at if found else None,
            warning=found.warning if found else "",
        )
    return ShownSettings.model_validate(settings)


def accepted(application: Application, job: Job) -> Response:
    """Return the answer to an accepted change: 202, where the application is, and its version as ETag."""
    path = application_path(application.project.name, application.name)
    change = ApplicationChange(
        application=ApplicationReference(
            name=application.name,
            project=application.project.name,
            state=application.state,
            url=queries.url_of(application) or None,
            version=application.version,
        ),
        job=JobReference(id=job.id, kind=job.kind, state=job.state),
        links=ApplicationChangeLinks(
            self_=path, application=path, project=project_path(application.project.name), job=job_path(job.id)
        ),
    )
    return etags.tagged(reply(change, 202, path), application.version)


def _common(application: Application, live: dict[str, Workload] | None) -> dict:
    project = application.project.name
    path = application_path(project, application.name)
    return {
        "name": application.name,
        "project": project,
        "state": application.state,
        "status": _UNKNOWN if live is None else queries.status_words(application, live.get(application.name)),
        "image": application.spec.get("image"),
        "catalog": application.catalog_entry,
        "url": queries.url_of(application) or None,
        "created_at": application.created_at,
        "updated_at": application.updated_at,
        "version": application.version,
        "links": ApplicationLinks(
            self_=path,
            project=project_path(project),
            jobs=f"/api/v1/jobs?project={project}&application={application.name}",
            revisions=f"{path}/revisions",
            export=f"{path}/export",
        ),
    }


def _live(project: Project) -> dict[str, Workload] | None:
    try:
        return queries.live(project)
    except ClusterUnreachable as error:
        current_app.logger.warning("the state of %s is not shown: %s", project.name, error)
        return None
