"""What all Pydantic models share: aliases, strictness, and examples composed from the fields' own."""

import re
from typing import Annotated, Any, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)
from pydantic.alias_generators import to_camel

from webapp.quantities import parse_quantity

_TEMPLATE = re.compile(r"\{\{|\{%|\{#|<%|\$\{\{")
RESERVED_NAMES = frozenset({"default", "croft", "portal", "grafana", "prometheus", "localhost"})
RESERVED_PREFIXES = ("kube-", "croft-")


def _find_template(value: Any, path: str = "") -> str | None:
    """Return the path of the first string in `value` that holds template marks, or None."""
    if isinstance(value, str):
        return path or "value" if _TEMPLATE.search(value) else None
    if isinstance(value, dict):
        pairs = [(f"{path}.{key}".lstrip("."), item) for key, item in value.items()]
        keys = [key for key in value if isinstance(key, str) and _TEMPLATE.search(key)]
        if keys:
            return f"{path}.{keys[0]}".lstrip(".")
    elif isinstance(value, list | tuple):
        pairs = [(f"{path}.{index}".lstrip("."), item) for index, item in enumerate(value)]
    else:
        return None
    return next((found for name, item in pairs if (found := _find_template(item, name))), None)


def _add_sample(schema: dict[str, Any], model: type[BaseModel]) -> None:
    if model.model_fields:
        schema["examples"] = [sample(model)]


class Model(BaseModel):
    """Base of every model: snake_case in Python, camelCase outside, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra=_add_sample,
    )


class Spec(Model):
    """Base of what users send towards the cluster: no text in it may look like a template."""

    @model_validator(mode="before")
    @classmethod
    def refuse_templates(cls, data: Any) -> Any:
        """Raise ValueError when any string of the input holds `{{`, `{%` or the like."""
        found = _find_template(data) if isinstance(data, dict) else None
        if found is not None:
            raise ValueError(
                f"{found}: template marks such as {{{{ … }}}} are not allowed; write the value itself"
            )
        return data


def _dns_label(name: str) -> str:
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name, re.ASCII):
        raise ValueError(
            f"'{name}' is not a DNS label: use lower-case letters, digits and '-', "
            "start with a letter and end with a letter or digit"
        )
    return name


def _not_reserved(name: str) -> str:
    if name in RESERVED_NAMES or name.startswith(RESERVED_PREFIXES):
        raise ValueError(f"'{name}' is reserved for the platform; choose another name")
    return name


def _quantity(text: str) -> str:
    if parse_quantity(text) <= 0:
        raise ValueError(f"'{text}' must be more than zero")
    return text


# 40 characters leave room for Helm's and Kubernetes' suffixes below their limits of 53 and 63.
DnsLabel = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_dns_label)]
ProjectName = Annotated[DnsLabel, AfterValidator(_not_reserved)]
# Text that is kept as it was typed, blanks and line breaks at its ends included.
Verbatim = Annotated[str, StringConstraints(strip_whitespace=False)]
Quantity = Annotated[str, Field(min_length=1, max_length=20), AfterValidator(_quantity)]


def partial(model: type[BaseModel], name: str) -> type[Any]:
    """Return a model called `name` with the fields of `model`, each of which may be left out.

    What was sent is in `model_fields_set`; the rules between fields are checked once the whole is put
    together.
    """
    fields: dict[str, Any] = {
        key: (
            field.rebuild_annotation(),
            Field(
                default=None,
                description=field.description,
                examples=field.examples,
                json_schema_extra=lambda schema: schema.pop("default", None),
            ),
        )
        for key, field in model.model_fields.items()
    }
    return create_model(
        name, __base__=Spec, __doc__=f"Settings to change; the others stay. {model.__doc__}", **fields
    )


def sample(model: type[BaseModel]) -> dict[str, Any]:
    """Compose an example of `model` from its fields' own examples, with aliases applied.

    A nested model contributes its own sample, so a changed example inside shows outside.
    """
    return {
        field.serialization_alias or field.alias or name: _sample_of(field.annotation, field.examples)
        for name, field in model.model_fields.items()
        if not field.exclude
    }


def _sample_of(annotation: Any, examples: list[Any] | None) -> Any:
    if _is_model(annotation):
        return sample(annotation)
    for argument in get_args(annotation):
        if _holds_model(argument):
            inner = _sample_of(argument, examples)
            return [inner] if get_origin(annotation) is list else inner
    if not examples:
        raise LookupError(f"a field of type {annotation} has no example; give it Field(examples=[…])")
    return examples[0]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _holds_model(annotation: Any) -> bool:
    return _is_model(annotation) or any(_holds_model(argument) for argument in get_args(annotation))
