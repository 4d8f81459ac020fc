"""Forms of the pages: what a user entered, validated by the same Pydantic models as the API.

A field is named as in the API's body, joined with dots (`quota.cpu`, `ports.0.targetPort`), so an error's
location in the model is the name of the field it belongs to.
"""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from webapp.problems import Problem

M = TypeVar("M", bound=BaseModel)
Texts: TypeAlias = Mapping[str, str]
Rows: TypeAlias = Mapping[str, Mapping[str, str]]
Keys: TypeAlias = Mapping[str, tuple[str, ...]]

_NAME = re.compile(r"[A-Za-z]\w*(?:\.\w+){0,3}", re.ASCII)
_ROW_ACTION = re.compile(r"(add|remove):([A-Za-z]+)(?:\.(\d{1,4}))?", re.ASCII)
NOT_FIELDS = frozenset({"csrf_token", "action"})


def nest(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn dotted names into nested dictionaries and, where every key is a number, lists in that order.

    Raises BadRequest for a name that no form of ours sends.
    """
    tree: dict[str, Any] = {}
    for name, value in fields:
        if not _NAME.fullmatch(name):
            raise BadRequest(f"The form has no field called '{name[:60]}'.")
        *parents, last = name.split(".")
        branch = tree
        for key in parents:
            branch = branch.setdefault(key, {})
            if not isinstance(branch, dict):
                raise BadRequest(f"The form gives '{name[:60]}' twice in different shapes.")
        if isinstance(branch.get(last), dict):
            raise BadRequest(f"The form gives '{name[:60]}' twice in different shapes.")
        branch[last] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(item) for key, item in value.items()}


class Form:
    """The values of one form as the user entered them, and the errors at its fields.

    A subclass states the label of each field (a row's number is written `*`), the sentence for a value that
    does not match its pattern, the values of a new row of each list, and the fields that are all empty in a
    blank row.
    """

    labels: ClassVar[Texts] = {}
    patterns: ClassVar[Texts] = {}
    new_rows: ClassVar[Rows] = {}
    row_keys: ClassVar[Keys] = {}

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values: dict[str, Any] = deepcopy(dict(values or {}))
        self.errors: dict[str, str] = {}

    @classmethod
    def posted(cls, fields: Iterable[tuple[str, str]]) -> Self:
        """Return the form as the browser sent it; rows that were left blank are dropped."""
        form = cls(nest((name, value) for name, value in fields if name not in NOT_FIELDS))
        for name, keys in cls.row_keys.items():
            rows = form.rows(name)
            form.values[name] = [row for row in rows if any(str(row.get(key, "")).strip() for key in keys)]
        return form

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a list, each a dictionary of texts. Raises BadRequest for something else."""
        rows = self.values.get(name) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadRequest(f"The form's '{name}' is not a list of rows.")
        return rows

    def change_rows(self, action: str) -> bool:
        """Carry out a row button (`add:env`, `remove:env.2`) and tell whether the form is to be shown again.

        `draft` changes nothing: it shows what was typed before the session ended (webapp.auth.drafts).
        """
        if action == "draft":
            return True
        match = _ROW_ACTION.fullmatch(action)
        if match is None or match[2] not in self.new_rows:
            return False
        rows = self.rows(match[2])
        if match[1] == "add":
            rows.append(dict(self.new_rows[match[2]]))
        elif match[3] is not None and int(match[3]) < len(rows):
            del rows[int(match[3])]
        self.values[match[2]] = rows
        return True

    @classmethod
    def blank(cls) -> Self:
        """Return a form with one new row in each list, from which the browser copies further rows."""
        return cls({name: [dict(row)] for name, row in cls.new_rows.items()})

    def value(self, name: str) -> str:
        """Return what the field shows: the text entered, or the stored value."""
        found: Any = self.values
        for key in name.split("."):
            if isinstance(found, list):
                found = found[int(key)] if key.isdigit() and int(key) < len(found) else None
            else:
                found = found.get(key) if isinstance(found, dict) else None
        return "" if found is None or isinstance(found, dict | list) else str(found)

    def label(self, name: str) -> str:
        """Return the field's label, or an empty text when the form does not show that field."""
        return self.labels.get(re.sub(r"\.\d+(?=\.|$)", ".*", name), "")

    def error(self, name: str) -> str:
        """Return the sentence that stands at the field, empty when nothing is wrong with it."""
        return self.errors.get(name, "")

    def touched(self, *names: str) -> bool:
        """Tell whether a field below one of `names` is in error, so that its section has to be open."""
        return any(key == name or key.startswith(f"{name}.") for key in self.errors for name in names)

    def add_error(self, name: str, sentence: str) -> None:
        """Put a sentence at the field; the first one stays, as it is the nearest to the cause."""
        self.errors.setdefault(self._shown(name), sentence)

    def add_problem(self, problem: Problem) -> None:
        """Put what a service refused at the fields it names, or at the top of the form.

        Raises the problem itself when the form cannot cure it: not found, not allowed.
        """
        if problem.status not in (409, 422, 429, 503):
            raise problem
        for error in problem.errors:
            self.add_error(error.field, _full_sentence(error.message))
        if not problem.errors:
            self.add_error("", problem.detail)

    def _shown(self, name: str) -> str:
        """Return the nearest field that the form shows: an error in `command.0` belongs to `command`."""
        while name and not self.label(name):
            name = name.rpartition(".")[0]
        return name

    def check(self, model: type[M], values: Mapping[str, Any]) -> M | None:
        """Validate `values` with `model`; on errors put each one at its field and return None."""
        try:
            return model.model_validate(dict(values))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                name = ".".join(str(part) for part in item["loc"])
                self.add_error(name, self._sentence(name, item))
            return None

    def _sentence(self, name: str, item: Any) -> str:
        """Say in plain words what Pydantic found; `item` is one entry of `ValidationError.errors()`."""
        context = item.get("ctx", {})
        sentences = {
            "missing": "Fill in this field.",
            "string_too_short": "Fill in this field.",
            "too_short": "Give at least {min_length}.",
            "too_long": "Give at most {max_length}.",
            "string_too_long": "Use at most {max_length} characters.",
            "greater_than_equal": "The smallest value is {ge}.",
            "less_than_equal": "The largest value is {le}.",
            "int_parsing": "Write a whole number.",
            "int_type": "Write a whole number.",
            "int_from_float": "Write a whole number.",
            "literal_error": "Choose one of {expected}.",
            "extra_forbidden": f"This form has no field '{name}'.",
        }
        if item["type"] == "value_error":
            sentence = str(context["error"])
        elif item["type"] == "string_pattern_mismatch":
            key = re.sub(r"\.\d+(?=\.|$)", ".*", name)
            sentence = self.patterns.get(key, f"'{item['input']}' does not match {context['pattern']}.")
        elif item["type"] in sentences:
            sentence = sentences[item["type"]].format(**context)
        else:
            sentence = item["msg"]
        return _full_sentence(sentence)


def lines(text: str) -> list[str]:
    """Return the lines of a text area that hold anything, without the blanks around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _full_sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
