"""Reads the selectors of PromQL expressions, to judge their style. Whether they parse, promtool says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<range>\[[^\]]*\])|(?P<name>[a-zA-Z_:][\w:]*)|(?P<other>\$\w+|[\d.]+\w*|\S)""",
    re.ASCII,
)
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"})
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')

# What a query may hold until Grafana or the portal puts values in, and values of the same form for promtool.
_MACROS = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "1m"}


@dataclass(frozen=True)
class Selector:
    """One metric with its matchers, the range in brackets ("" for none) and the function around it.

    A matcher that is not `=` has its operator's last sign before its value: `pod=~"a"` is pod: ~a.
    """

    metric: str
    matchers: dict[str, str]
    range: str
    function: str


def filled(expression: str) -> str:
    """The expression with values in the place of macros and variables."""
    for macro, value in _MACROS.items():
        expression = expression.replace(macro, value)
    return re.sub(r"\$\{?(\w+)\}?", "x", expression)


def selectors(expression: str) -> list[Selector]:
    """Every metric that the expression reads, in its order."""
    return list(_selectors([(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(expression)]))


def _selectors(tokens: list[tuple[str, str]]) -> Iterator[Selector]:
    functions: list[str] = []
    opener = ""
    index = 0
    while index < len(tokens):
        kind, text = tokens[index]
        following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        if kind == "name" and text in _GROUPING:
            index = _after(tokens, index + 1, ")") if following == "(" else index + 1
            continue
        if kind == "name" and (following == "(" or following in ("by", "without")):
            opener = text
        elif kind == "name" and text.lower() not in _WORDS:
            end = _after(tokens, index + 1, "}") if following == "{" else index + 1
            matchers = "".join(part for _, part in tokens[index + 1 : end])
            range_ = tokens[end][1][1:-1] if end < len(tokens) and tokens[end][0] == "range" else ""
            found = {name: operator[1:] + value for name, operator, value in _MATCHER.findall(matchers)}
            yield Selector(text, found, range_, functions[-1] if functions else "")
            index = end
            continue
        if text == "(":
            functions.append(opener)
            opener = ""
        elif text == ")" and functions:
            functions.pop()
        index += 1


def _after(tokens: list[tuple[str, str]], index: int, closing: str) -> int:
    """The place after the next `closing`."""
    while index < len(tokens) and tokens[index][1] != closing:
        index += 1
    return index + 1
