"""A member's own way to the project with kubectl: short-lived, and worth no more than the member's role."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime

from webapp import cluster
from webapp.audit.services import record
from webapp.auth.models import User
from webapp.cluster import ClusterUnreachable
from webapp.cluster.tokens import ACCOUNTS, api_access, request_token
from webapp.db import writing
from webapp.problems import Problem
from webapp.projects import services as projects
from webapp.projects.access import role_of

LONGEST_H = 24
DEFAULT_H = 8


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig as text (YAML), the name of its file, and when it stops to work."""

    text: str = field(repr=False)
    file_name: str
    expires_at: datetime


def issue(user: User, project_name: str, hours: int = DEFAULT_H, *, read_only: bool = False) -> Kubeconfig:
    """Return a kubeconfig for the user's role in the project (a viewer's if `read_only`), valid for `hours`.

    Raises Problem: project-not-found, state-conflict when the cluster does not have the project's accounts,
    cluster-unreachable.
    """
    project = projects.get_for(user, project_name)
    role = "viewer" if read_only else role_of(user, project) or "viewer"
    try:
        server, certificates = api_access()
        issued = request_token(project.name, ACCOUNTS[role], hours * 3600)
    except ClusterUnreachable as error:
        raise cluster.unreachable(error) from error
    except LookupError as error:
        raise Problem(
            "state-conflict",
            f"Project '{project_name}' has no account for kubectl in the cluster: wait until it is ready, "
            "or let an owner save its settings once more.",
        ) from error
    user_id, name = user.id, project.name
    with writing() as session:
        actor = session.get_one(User, user_id)
        after = {"role": role, "expiresAt": issued.expires_at.isoformat(timespec="seconds")}
        record(session, actor, "kubeconfig.issue", project=name, object_name=actor.name, after=after)
        user_name = actor.name
    text = _write(server, certificates, name, f"{user_name}@{name}", issued.token)
    return Kubeconfig(text, f"{name}.kubeconfig", issued.expires_at)


def _write(server: str, certificates: str, project: str, user: str, token: str) -> str:
    """Return the file. A JSON string is a YAML string too, so no value can be taken for something else."""
    values = {
        "name": project,
        "server": server,
        "certificates": base64.b64encode(certificates.encode()).decode(),
        "user": user,
        "token": token,
    }
    quoted = {key: json.dumps(value) for key, value in values.items()}
    return """\
apiVersion: v1
kind: Config
clusters:
  - name: croft
    cluster:
      server: {server}
      certificate-authority-data: {certificates}
users:
  - name: {user}
    user:
      token: {token}
contexts:
  - name: {name}
    context:
      cluster: croft
      user: {user}
      namespace: {name}
current-context: {name}
""".format_map(quoted)
