"""What Alertmanager brings: its webhook's message, and how a project's alerts become its news.

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4. Alertmanager
brings an alert again whenever another one of its group changes, and from time to time while it fires.
"""

from collections import defaultdict
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select

from webapp.alerts.words import application_of, project_of, runbook_of, summary_of
from webapp.db import writing
from webapp.links import project_path
from webapp.notifications import outbox
from webapp.projects.models import Project

MAX_TEXT = 2_000
MAX_ALERTS = 5_000


def _kept(text: str) -> str:
    """Return the text as it can be stored: one that is too long must not keep the alert from being told."""
    text = text.replace("\0", "")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


Text = Annotated[str, AfterValidator(_kept)]


class ToldAlert(BaseModel):
    """One alert of a message. The format is not ours: what we do not know in it is left alone."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: dict[Text, Text] = Field(max_length=100)
    annotations: dict[Text, Text] = Field(max_length=100)
    starts_at: AwareDatetime = Field(alias="startsAt")
    ends_at: AwareDatetime = Field(alias="endsAt")
    fingerprint: str = Field(min_length=1, max_length=64)


class Message(BaseModel):
    """A message of Alertmanager's."""

    model_config = ConfigDict(extra="ignore")

    version: Literal["4"]
    alerts: list[ToldAlert] = Field(max_length=MAX_ALERTS)


def receive(message: Message) -> int:
    """Put the projects' alerts into their channels, each once; return how many messages that makes. Commits.

    Alerts for the operator are on the page of all alerts, and lead to no project's channel.
    """
    found: dict[str, list[ToldAlert]] = defaultdict(list)
    for alert in message.alerts:
        if name := project_of(alert.labels):
            found[name].append(alert)
    if not found:
        return 0
    count = 0
    with writing() as session:
        # In order, and locked: two messages about the same alert wait for each other.
        query = select(Project).where(Project.name.in_(found)).order_by(Project.name)
        for project in session.scalars(query.with_for_update(of=Project)).all():
            for alert in found[project.name]:
                over = alert.status == "resolved"
                count += outbox.announce(
                    session,
                    project,
                    "alert.resolved" if over else "alert.firing",
                    f"{'Over' if over else 'Alert'}: {summary_of(alert.labels, alert.annotations)}",
                    _data(alert),
                    {
                        "page": f"/projects/{project.name}/alerts",
                        "alerts": f"{project_path(project.name)}/alerts",
                        "project": project_path(project.name),
                    },
                    once=f"{alert.fingerprint} {alert.starts_at.isoformat()}",
                )
    return count


def _data(alert: ToldAlert) -> dict[str, Any]:
    description = alert.annotations.get("description", "")
    return {
        "application": application_of(alert.labels) or None,
        # What an e-mail says below its first line.
        "message": description,
        "alert": {
            "name": alert.labels.get("alertname", ""),
            "state": alert.status,
            "severity": alert.labels.get("severity", ""),
            "description": description,
            "labels": alert.labels,
            "startsAt": alert.starts_at.isoformat(),
            "endsAt": alert.ends_at.isoformat() if alert.status == "resolved" else None,
            "runbook": runbook_of(alert.annotations),
        },
    }
