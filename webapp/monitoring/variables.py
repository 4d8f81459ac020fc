"""Variables of a dashboard: what can be chosen, and how a choice gets into PromQL.

What users send never becomes PromQL: a value has the characters of Kubernetes' names alone, and is escaped
for the place it goes to besides. Labels of applications' own metrics may hold anything; as choices they are
left out, in "all of them" they are escaped.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from webapp.monitoring.schema import Variable
from webapp.monitoring.times import SCRAPE_INTERVAL_S, Window
from webapp.problems import Problem

ALL = "$__all"
BUILT_IN = frozenset(
    {"__rate_interval", "__interval", "__interval_ms", "__range", "__range_s", "__range_ms", "__from", "__to"}
)
# More choices than a list can hold; nobody finds anything in it.
MAX_OPTIONS = 500
MAX_CHOSEN = 50
_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.:/@-]{0,251}[A-Za-z0-9])?", re.ASCII)
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::(\w+))?\})|\[\[(\w+)\]\]", re.ASCII)
_LABEL_VALUES = re.compile(
    r"\s*label_values\(\s*(?:(?P<match>.+?)\s*,\s*)?(?P<label>[a-zA-Z_]\w*)\s*\)\s*", re.S | re.A
)
_REGEX_MARKS = re.compile(r"[\\^$*+?.()|\[\]{}]")
# Asks for the values of a label on the series that a selector matches (empty: on all).
AskValues: TypeAlias = Callable[[str, str], Sequence[str]]
Asked: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Chosen:
    """What is chosen for one variable: `values`, with `all` every one; `fixed`: it cannot be changed."""

    variable: Variable
    values: tuple[str, ...]
    all: bool = False
    fixed: bool = False


Choices: TypeAlias = Mapping[str, Chosen]


def named_in(text: str) -> set[str]:
    """Return the names of the variables that a text refers to."""
    return {next(filter(None, (match[1], match[2], match[4]))) for match in _REFERENCE.finditer(text)}


def check_values(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return values that a user has sent. Raises Problem validation-failed for what can be none."""
    if len(values) > MAX_CHOSEN:
        raise _wrong(name, f"Choose at most {MAX_CHOSEN} values, or all of them")
    for value in values:
        if value != ALL and not _VALUE.fullmatch(value):
            raise _wrong(name, f"'{value[:40]}' is no name of anything here; choose one from the list")
    return tuple(dict.fromkeys(values))


def choose(
    variables: Sequence[Variable], asked: Asked, fixed: Mapping[str, str], ask: AskValues, window: Window
) -> dict[str, Chosen]:
    """Return what is chosen for each variable: what was `asked` for, or what the dashboard begins with.

    `fixed` values are not open to choice. Raises Problem validation-failed for a variable that the dashboard
    does not have, several values where one is taken, or a value that cannot be one; and what `ask` raises.
    """
    unknown = sorted(set(asked) - {variable.name for variable in variables})
    if unknown:
        raise _wrong(unknown[0][:64], "The dashboard has no such variable")
    found: dict[str, Chosen] = {}
    for variable in variables:
        values = check_values(variable.name, asked.get(variable.name, ()))
        held = fixed.get(variable.name)
        if held is not None:
            if values not in ((), (held,)):
                raise _wrong(variable.name, f"This is always '{held}' here")
            found[variable.name] = Chosen(variable, (held,), fixed=True)
            continue
        if len(values) > 1 and not variable.multi:
            raise _wrong(variable.name, "Choose one value")
        found[variable.name] = _choice(variable, values, found, ask, window)
    return found


def _choice(
    variable: Variable, values: tuple[str, ...], above: Choices, ask: AskValues, window: Window
) -> Chosen:
    if ALL in values or (not values and _begins_with_all(variable)):
        if not variable.include_all:
            raise _wrong(variable.name, "Choose one value; all of them cannot be shown together")
        # Where the dashboard says what stands for all, nobody has to be asked.
        every = () if variable.all_value else tuple(options(variable, above, ask, window, every=True))
        return Chosen(variable, every, all=True)
    if values:
        return Chosen(variable, values)
    first = options(variable, above, ask, window)
    return Chosen(variable, tuple(first[:1]))


def _begins_with_all(variable: Variable) -> bool:
    current = variable.current.get("value")
    return variable.include_all and current in (ALL, [ALL], None, "", [])


def options(
    variable: Variable, above: Choices, ask: AskValues, window: Window, *, every: bool = False
) -> list[str]:
    """Return what can be chosen for a variable, given the choices above it.

    With `every` also what nobody can choose, as it could not be told from PromQL. Raises what `ask` raises.
    """
    if variable.type != "query":
        return [text.strip() for text in variable.query.split(",") if text.strip()]
    match = _LABEL_VALUES.fullmatch(variable.query)
    if match is None:
        return []
    selector = interpolate(match["match"], above, window) if match["match"] else ""
    found = sorted(filter(None, ask(match["label"], selector)))
    return found if every else [value for value in found if _VALUE.fullmatch(value)][:MAX_OPTIONS]


def interpolate(text: str, choices: Choices, window: Window, scrape_interval: int = SCRAPE_INTERVAL_S) -> str:
    """Return PromQL with the variables replaced, as Grafana does it.

    Raises Problem validation-failed when nothing is chosen for a variable because there is nothing to choose.
    """
    step = max(window.step, scrape_interval)
    times = {
        "__rate_interval": f"{window.rate_interval(scrape_interval)}s",
        "__interval": f"{step}s",
        "__interval_ms": str(step * 1000),
        "__range": f"{window.seconds}s",
        "__range_s": str(window.seconds),
        "__range_ms": str(window.seconds * 1000),
        "__from": str(window.start * 1000),
        "__to": str(window.end * 1000),
    }

    def replaced(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name in times:
            return times[name]
        return _promql(choices[name], as_regex=match[3] in ("regex", "pipe")) if name in choices else match[0]

    return _REFERENCE.sub(replaced, text)


def _promql(chosen: Chosen, *, as_regex: bool) -> str:
    variable = chosen.variable
    if chosen.all and variable.all_value:
        return variable.all_value
    if not chosen.values:
        # Matches nothing: a label that is not there is empty, and no name is.
        return "^$" if variable.multi or variable.include_all else ""
    if not (as_regex or variable.multi or variable.include_all):
        return _quoted(chosen.values[0])
    words = [_quoted(_REGEX_MARKS.sub(r"\\\g<0>", value)) for value in chosen.values]
    return words[0] if len(words) == 1 else f"({'|'.join(words)})"


def _quoted(text: str) -> str:
    """Escape a text for the inside of a string in PromQL, whichever quotes are around it."""
    for plain, escaped in (("\\", "\\\\"), ('"', r"\x22"), ("'", r"\x27"), ("`", r"\x60"), ("\n", r"\n")):
        text = text.replace(plain, escaped)
    return text


def _wrong(name: str, words: str) -> Problem:
    return Problem("validation-failed", f"{name}: {words}.", field=name)
