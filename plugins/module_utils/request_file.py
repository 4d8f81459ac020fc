"""Request files: what a user asked for, read and validated by the models that the portal uses as well."""

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from webapp.applications.schemas import ApplicationSpec
from webapp.catalog.schemas import CatalogSpec
from webapp.projects.schemas import ProjectSpec
from webapp.schemas import DnsLabel, ProjectName, Spec

SIZE_LIMIT = 2 * 1024 * 1024  # bytes: one ConfigMap and one Secret, of 1 MiB at most each
MODELS: dict[str, type[BaseModel]] = {"project": ProjectSpec, "application": ApplicationSpec}


class ProjectNames(Spec):
    """What has to be known of a project to delete it."""

    name: ProjectName


class ApplicationNames(Spec):
    """What has to be known of an application to delete it."""

    project: ProjectName
    name: DnsLabel


NAMES: dict[str, type[BaseModel]] = {"project": ProjectNames, "application": ApplicationNames}


class RequestError(Exception):
    """The request cannot be carried out as it stands; the text names field and reason."""


def read_request(path: str, kind: str, state: str = "present") -> dict[str, Any]:
    """Read the request file at `path` and return the validated description of one `kind`.

    `kind` is "project" or "application". The file holds {kind: {…}} in YAML or JSON. With `state` "absent"
    only the names in it count, and only they are returned. Raises RequestError.
    """
    if not path:
        raise RequestError(f"no request given: write the {kind} into a file and add -e request_file=FILE")
    file = Path(path)
    try:
        if file.stat().st_size > SIZE_LIMIT:
            raise RequestError(f"{path} is larger than {SIZE_LIMIT // 1024} KiB; that is no request")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read the request file {path}: {error}") from None
    try:
        content = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        # The parser's own message would quote the line, and with it a secret.
        mark = getattr(error, "problem_mark", None)
        line = getattr(error, "lineno", mark.line + 1 if mark else None)
        where = f" (line {line})" if line else ""
        raise RequestError(f"the request file {path} is not valid YAML or JSON{where}") from None
    if not isinstance(content, dict) or set(content) != {kind} or not isinstance(content[kind], dict):
        raise RequestError(
            f"the request file {path} has to hold one entry '{kind}' with the {kind}'s settings"
        )
    if state == "absent":
        return _validate(NAMES[kind], {key: content[kind].get(key) for key in NAMES[kind].model_fields}, kind)
    return validate(content[kind], kind)


def validate(settings: Any, kind: str) -> dict[str, Any]:
    """Return `settings` of a project or application checked and completed with defaults (JSON, camelCase).

    Raises RequestError that names every wrong field.
    """
    from_catalog = kind == "application" and isinstance(settings, dict) and "catalog" in settings
    return _validate(CatalogSpec if from_catalog else MODELS[kind], settings, kind)


def _validate(model: type[BaseModel], settings: Any, kind: str) -> dict[str, Any]:
    try:
        return model.model_validate(settings).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        raise RequestError("; ".join(_sentence(kind, item) for item in error.errors())) from None


def _sentence(kind: str, error: Any) -> str:
    field = ".".join([kind, *map(str, error["loc"])])
    return f"{field}: {error['msg'].removeprefix('Value error, ')}"
