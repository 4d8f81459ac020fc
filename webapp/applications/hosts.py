"""Host names of applications: who holds one, and which are the platform's to give."""

from sqlalchemy import select

from webapp.applications.models import Application
from webapp.cluster.state import ClusterReader
from webapp.config import Config
from webapp.db import db
from webapp.problems import Problem
from webapp.schemas import RESERVED_NAMES


def check_host_free(
    host: str | None, project: str, application: str, config: Config, reader: ClusterReader
) -> None:
    """Raise Problem host-taken or validation-failed when this application cannot have `host`.

    None asks for the name that the platform gives, which only an object made by hand can hold. May raise
    ClusterUnreachable.
    """
    own = config.application_host(project, application)
    if host is not None and host != own:
        holder = db.session.scalar(select(Application).where(Application.host == host))
        if holder is not None and (holder.project.name, holder.name) != (project, application):
            raise host_taken(host)
        _check_not_reserved(host, config)
    held_by = reader.hosts().get(host or own)
    if held_by is not None and held_by != (project, application):
        raise host_taken(host or own)


def host_taken(host: str) -> Problem:
    """Return the problem for a host name that somebody holds; it does not say who."""
    return Problem(
        "host-taken", f"Another application holds the host name '{host}'; choose another.", field="host"
    )


def _check_not_reserved(host: str, config: Config) -> None:
    """Below the platform's domain, <reserved> and <application>.<project> are the platform's to give."""
    if host == config.domain:
        below = []
    elif host.endswith(f".{config.domain}"):
        below = host.removesuffix(f".{config.domain}").split(".")
    else:
        return
    if len(below) != 1 or below[0] in RESERVED_NAMES:
        raise Problem(
            "validation-failed",
            f"'{host}' belongs to the platform, which gives out the names below {config.domain}; "
            "leave the host name out or choose one of another domain.",
            field="host",
        )
