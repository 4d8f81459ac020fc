"""Short-lived tokens of a project's own service accounts: what their holders may do is said by its Roles."""

from dataclasses import dataclass, field
from datetime import datetime

from flask import current_app

from webapp import cluster
from webapp.config import Config

# By the role in the project; charts/project makes the accounts.
ACCOUNTS = {"owner": "croft-owner", "developer": "croft-developer", "viewer": "croft-viewer"}
# Kubernetes gives no token for less.
SHORTEST_S = 600


@dataclass(frozen=True)
class IssuedToken:
    """A token, and when it expires."""

    token: str = field(repr=False)
    expires_at: datetime


def request_token(project: str, account: str, seconds: int) -> IssuedToken:
    """Return a new token of one of ACCOUNTS in the project, valid for `seconds` (600 and above).

    Raises ClusterUnreachable, or LookupError when the project does not have the account (yet).
    """
    return IssuedToken(*cluster.reader().request_token(project, account, max(SHORTEST_S, seconds)))


def api_access() -> tuple[str, str]:
    """Return the address at which users reach the API server, and the certificates (PEM) it is known by.

    Raises ClusterUnreachable.
    """
    config: Config = current_app.config["CROFT"]
    inside, certificates = cluster.reader().access()
    return config.api_server or inside, certificates
