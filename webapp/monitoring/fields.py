"""How one series, or one column of a table, is written: unit, thresholds, words for values, and links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from webapp.monitoring import units
from webapp.monitoring.schema import FieldConfig, FieldDefaults, Link, Override, Step

# So many colours of curves there are, c0 to c9 (static/monitoring/monitoring.css).
COLOURS = 10
# Places of Grafana's colours among them.
_PALETTE = {"green": 0, "blue": 1, "orange": 2, "purple": 3, "red": 4, "yellow": 6, "gray": 8}
# What Grafana's colours say; all others have nothing to say and are shown in the usual one.
_LEVELS = {"green": "ok", "blue": "info", "yellow": "warn", "orange": "warn", "red": "bad", "purple": "info"}


@dataclass(frozen=True)
class Value:
    """A value as it is written. `level`: ok, info, warn, bad, or empty for no colour of its own."""

    raw: float | None
    number: str
    suffix: str
    level: str

    @property
    def text(self) -> str:
        """Number and unit together."""
        return f"{self.number}{self.suffix}"


@dataclass(frozen=True)
class FieldStyle:
    """The settings of one field, overrides included.

    `colour`: place among the colours of curves; None for the next one that is free.
    """

    defaults: FieldDefaults
    name: str
    dashed: bool = False
    colour: int | None = None

    @property
    def unit(self) -> str:
        """Grafana's name of the unit."""
        return self.defaults.unit

    @property
    def links(self) -> tuple[Link, ...]:
        """Where a click on a value leads."""
        return self.defaults.links

    def value(self, raw: float | None) -> Value:
        """Write a value."""
        words = _mapped(self.defaults.mappings, raw)
        if words is not None:
            text, colour = words
            level = level_of(colour) if colour else self.level(raw)
            if text:
                return Value(raw, text, "", level)
        shown = units.written(raw, self.unit, self.defaults.decimals)
        return Value(raw, shown.number, shown.suffix, self.level(raw))

    def level(self, raw: float | None) -> str:
        """Return the level of a value by the thresholds."""
        if raw is None:
            return ""
        passed = [step for step in self.steps() if step.value is None or raw >= step.value]
        return level_of(passed[-1].color) if passed else ""

    def steps(self) -> tuple[Step, ...]:
        """Return the thresholds in the values' own unit."""
        thresholds = self.defaults.thresholds
        if thresholds.mode == "absolute":
            return thresholds.steps
        low, high = self.defaults.min or 0, 100 if self.defaults.max is None else self.defaults.max
        return tuple(
            step
            if step.value is None
            else step.model_copy(update={"value": low + step.value / 100 * (high - low)})
            for step in thresholds.steps
        )


def style_of(config: FieldConfig, name: str) -> FieldStyle:
    """Return the settings of the field called `name`; a broken override is as good as none."""
    style = FieldStyle(config.defaults, config.defaults.display_name or name)
    for override in config.overrides:
        if _matches(override, name):
            for item in override.properties:
                style = _with(style, item.id, item.value)
    return style


def level_of(colour: str) -> str:
    """Return the level that a colour of Grafana's stands for, like semi-dark-red."""
    return _LEVELS.get(colour.rpartition("-")[2], "")


def _matches(override: Override, name: str) -> bool:
    matcher = override.matcher
    if matcher.id == "byName":
        return matcher.options == name
    if matcher.id == "byRegexp" and isinstance(matcher.options, str):
        try:
            return re.search(matcher.options.strip("/"), name) is not None
        except re.error:
            return False
    return False


def _with(style: FieldStyle, setting: str, value: Any) -> FieldStyle:
    """Return the style with one property of an override."""
    if setting == "displayName":
        return replace(style, name=str(value))
    if setting == "color":
        fixed = value.get("fixedColor") if isinstance(value, dict) and value.get("mode") == "fixed" else None
        return replace(style, colour=_PALETTE.get(str(fixed).rpartition("-")[2]))
    if setting == "custom.lineStyle":
        return replace(style, dashed=isinstance(value, dict) and value.get("fill") in ("dash", "dot"))
    names = {"noValue": "no_value"}
    if setting not in ("unit", "decimals", "min", "max", "thresholds", "mappings", "links", "noValue"):
        return style
    try:
        parsed = FieldDefaults.model_validate({setting: value})
    except ValidationError:
        return style
    key = names.get(setting, setting)
    return replace(style, defaults=style.defaults.model_copy(update={key: getattr(parsed, key)}))


def _mapped(mappings: tuple[dict[str, Any], ...], raw: float | None) -> tuple[str, str] | None:
    """Return text and colour that the panel has for a value, or None."""
    for mapping in mappings:
        options = mapping.get("options", {})
        result: Mapping[str, Any] | None = None
        if mapping.get("type") == "value" and raw is not None:
            result = options.get(f"{raw:g}")
        elif mapping.get("type") == "range" and raw is not None:
            low, high = options.get("from"), options.get("to")
            if (low is None or raw >= low) and (high is None or raw <= high):
                result = options.get("result")
        elif (
            mapping.get("type") == "special" and raw is None and options.get("match") in ("null", "null+nan")
        ):
            result = options.get("result")
        if result:
            return str(result.get("text") or ""), str(result.get("color") or "")
    return None
