"""Applications as YAML: the file that playbooks/application.yml takes, written and read."""

from typing import Any

import yaml
from pydantic import ValidationError

from webapp.applications import services
from webapp.applications.models import Application
from webapp.applications.queries import spec_of, without_secrets
from webapp.applications.schemas import NewApplication
from webapp.auth.models import User
from webapp.catalog import services as catalog
from webapp.catalog.schemas import NewCatalogApplication
from webapp.jobs.models import Job
from webapp.problems import Problem, invalid

MIME_TYPE = "application/yaml"
SIZE_LIMIT = 200_000  # characters
MAX_DEPTH = 12
# How the OpenAPI document tells of an export.
DOCUMENTED: dict[str, Any] = {
    "description": "The file",
    "content": {
        MIME_TYPE: {
            "schema": {"type": "object"},
            "example": {"application": {"project": "shop", "name": "web", "image": "nginx:1"}},
        }
    },
}
_HEAD = """\
# Application '{name}' of project '{project}', version {version}.
# ansible-playbook -i localhost, playbooks/application.yml -e request_file={name}.yml
"""
_SECRETS = """\
# Secrets stand here by name alone: one that is stored already keeps its value, to any other add `value:`.
"""


def write(application: Application) -> str:
    """Return the application as the text of a request file; secrets by name, without their values."""
    full = spec_of(application).model_dump(mode="json", exclude_none=True)
    spec = without_secrets(full)
    if "tls" in spec:
        del spec["tls"]["key"]
    order = ("project", "name", *(key for key in spec if key not in ("project", "name")))
    # Empty lists and what is off by itself say nothing.
    shown = {key: spec[key] for key in order if spec[key] not in ([], False)}
    head = _HEAD.format(name=application.name, project=application.project.name, version=application.version)
    body = yaml.dump({"application": shown}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return head + (_SECRETS if spec["secrets"] or "tls" in spec else "") + body


def create(user: User, project: str, text: str, name: str | None = None) -> tuple[Application, Job]:
    """Create an application of the project from the text of a request file, under another `name` if given.

    Raises Problem as webapp.applications.services.create does.
    """
    new = read(text, name)
    if isinstance(new, NewCatalogApplication):
        return catalog.create(user, project, new, cause="imported")
    return services.create(user, project, new, cause="imported")


def read(text: str, name: str | None = None) -> NewApplication | NewCatalogApplication:
    """Return the application that the text of a request file describes; its project does not count.

    Raises Problem validation-failed, at the field `yaml` when the text is not what is expected.
    """
    content = _load(text)
    if set(content) != {"application"} or not isinstance(content["application"], dict):
        raise _refused("The text has to hold one entry 'application' with the application's settings.")
    settings = {key: value for key, value in content["application"].items() if key != "project"}
    settings.pop("restartedAt", None)
    if name is not None:
        settings["name"] = name
    try:
        return (NewCatalogApplication if "catalog" in settings else NewApplication).model_validate(settings)
    except ValidationError as error:
        problem = invalid(error)
        errors = [type(item)("yaml", f"{item.field}: {item.message}") for item in problem.errors]
        raise Problem("validation-failed", problem.detail, errors=errors) from None


def _load(text: str) -> dict[str, Any]:
    if len(text) > SIZE_LIMIT:
        raise _refused(f"The text is longer than {SIZE_LIMIT} characters.")
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, stricter still
    except yaml.MarkedYAMLError as error:
        # The parser's own message would quote the line, and with it a secret.
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        what = error.problem if isinstance(error, _Refused) else "This is no valid YAML"
        raise _refused(f"{what}{line}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _refused("This is no valid YAML.") from None
    if not isinstance(content, dict):
        raise _refused("The text has to hold one entry 'application' with the application's settings.")
    return content


def _refused(sentence: str) -> Problem:
    return Problem("validation-failed", sentence, field="yaml")


class _Refused(yaml.MarkedYAMLError):
    """YAML that is valid, and not taken here, in a sentence without its full stop."""

    def __init__(self, sentence: str, mark: Any) -> None:
        super().__init__(problem=sentence, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """Takes what JSON could say as well: no aliases (they can grow without end), no key twice, no tags."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _Refused("Aliases (*name) are not taken", event.start_mark)
        if self.depth > MAX_DEPTH:
            raise _Refused("The text is nested too deeply", event.start_mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise _Refused("Names have to be texts", key.start_mark)
            if key.value in seen:
                raise _Refused(f"'{key.value[:60]}' is given twice", key.start_mark)
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
