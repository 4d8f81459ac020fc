"""How an operator does by hand what a job does: the request's file, and the line that takes it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from webapp.audit.changes import SECRET_FIELDS, SECRET_LISTS
from webapp.config import Config
from webapp.jobs.models import Job

_SECRET_WORDS = re.compile(r"password|secret|token|private", re.IGNORECASE)
_NAMES = {"project": ("name",), "application": ("project", "name")}
_HEAD = "# Secrets stand here by name alone; write the value of each before you run this.\n"


@dataclass(frozen=True)
class ByHand:
    """`command`: the line, to be run in the folder of the playbooks; `file`: the request's name there, and
    `content` its YAML, without any secret value.
    """

    command: str
    file: str
    content: str


def masked(kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be kept of a job's request: everything but secret values; of a deletion the names."""
    subject, verb = kind.split(".")
    spec = request[subject]
    if verb == "delete":
        return {subject: {name: spec[name] for name in _NAMES[subject] if name in spec}}
    return {subject: _mask(spec)}


def _mask(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: [{"name": secret["name"]} for secret in item] if name in SECRET_LISTS else _mask(item)
            for name, item in value.items()
            if not _is_secret(name, item)
        }
    return [_mask(item) for item in value] if isinstance(value, list) else value


def _is_secret(name: str, value: Any) -> bool:
    named = name in SECRET_FIELDS or _SECRET_WORDS.search(name)
    return bool(named) and isinstance(value, str) and bool(value)


def of(job: Job, config: Config) -> ByHand | None:
    """Return how to do by hand what the job did or will do; None when its request was not kept."""
    if job.by_hand is None:
        return None
    subject, verb = job.kind.split(".")
    name = job.application_name or job.project_name
    file = f"{name}.yml"
    words = ["ansible-playbook", "-i", "localhost,", f"playbooks/{subject}.yml"]
    settings: dict[str, object] = {"croft_domain": config.domain, "croft_http_port": config.http_port}
    if subject == "application":
        settings |= {"croft_https_port": config.https_port}
        settings |= {"croft_cert_issuer": config.cert_issuer} if config.cert_issuer else {}
    options = [f"{key}={value}" for key, value in settings.items()]
    if verb == "delete":
        options = ["state=absent"]
    elif verb == "plan":
        words += ["--check", "--diff"]
    line = f"{shlex.join(words)} -e request_file=$PWD/{file}"
    command = " ".join([line, *(f"-e {shlex.quote(option)}" for option in options)])
    content = yaml.safe_dump(job.by_hand, sort_keys=False, allow_unicode=True, width=100)
    return ByHand(command, file, (_HEAD if _has_secrets(job.by_hand) else "") + content)


def _has_secrets(request: Mapping[str, Any]) -> bool:
    return any(spec.get("secrets") for spec in request.values())
