"""What all Pydantic models share: aliases, strictness, and examples composed from the fields' own."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeAlias, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from webapp.quantities import parse_quantity

_TEMPLATE = re.compile(r"\{\{|\{%|\{#|<%|\$\{\{")
_MARKS = PydanticCustomError(
    "template_marks", "template marks such as {{ … }} are not allowed; write the value itself"
)
Path: TypeAlias = tuple[int | str, ...]
RESERVED_NAMES = frozenset({"default", "croft", "portal", "grafana", "prometheus", "localhost"})
RESERVED_PREFIXES = ("kube-", "croft-")


def _templates(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield path and text of each string in `value`, names included, that holds template marks."""
    if isinstance(value, str):
        if _TEMPLATE.search(value):
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and _TEMPLATE.search(key):
                yield (*path, key), key
            else:
                yield from _templates(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _templates(item, (*path, index))


def _refused(marked: list[tuple[Path, str]]) -> list[InitErrorDetails]:
    return [InitErrorDetails(type=_MARKS, loc=path, input=text) for path, text in marked]


def _again(item: ErrorDetails) -> InitErrorDetails:
    """Return an error that Pydantic told of, in the shape in which it is told once more."""
    return InitErrorDetails(type=item["type"], loc=item["loc"], input=item["input"], ctx=item.get("ctx", {}))


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

    @model_validator(mode="wrap")
    @classmethod
    def refuse_templates(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Refuse each string of the input that holds `{{`, `{%` or the like, beside all other errors."""
        marked = list(_templates(data)) if isinstance(data, dict) else []
        try:
            found = handler(data)
        except ValidationError as error:
            if not marked:
                raise
            # A marked text is wrong for that reason above all, whatever else does not fit it.
            others = [_again(item) for item in error.errors() if item["loc"] not in dict(marked)]
            raise ValidationError.from_exception_data(cls.__name__, others + _refused(marked)) from None
        if marked:
            raise ValidationError.from_exception_data(cls.__name__, _refused(marked))
        return found


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


def written_time(value: Any) -> Any:
    """Return the value; raise ValueError for a number, which Pydantic would take for a time as well."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("write a time like 2026-01-31T12:00:00Z")
    if isinstance(value, int | float):
        raise ValueError("write a time like 2026-01-31T12:00:00Z, in quotes")
    return value


def _utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time lies outside of the calendar") from None


# A point in time as RFC 3339 writes it. Without a time zone, UTC is meant.
Moment = Annotated[datetime, BeforeValidator(written_time), AfterValidator(_utc)]
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
