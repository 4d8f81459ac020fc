"""Grafana's units: a number as people read it. static/monitoring/units.js does the same in the browser.

https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

_SI = ("", "k", "M", "G", "T", "P", "E")
_SMALL = ("", "m", "µ", "n")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
# Seconds of each unit of a duration, from the largest.
_DURATIONS = ((31_536_000, "y"), (604_800, "w"), (86_400, "d"), (3600, "h"), (60, "min"))
_MOST_DIGITS = 6


@dataclass(frozen=True)
class Shown:
    """A number and its unit apart, as a large figure shows them."""

    number: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.number}{self.suffix}"


Writer: TypeAlias = Callable[[float, int | None], Shown]


def written(value: float | None, unit: str = "", decimals: int | None = None) -> Shown:
    """Return a value in one of Grafana's units; an unknown unit stands behind the number as it is."""
    if value is None or math.isnan(value):
        return Shown("–", "")
    if math.isinf(value):
        return Shown("∞" if value > 0 else "-∞", "")
    write = _UNITS.get(unit)
    if write is not None:
        return write(value, decimals)
    suffix = f" {unit.removeprefix('suffix:')}" if unit else ""
    return Shown(number(value, decimals), suffix)


def number(value: float, decimals: int | None = None) -> str:
    """Return a number with so many decimals; without, with about three digits that say something."""
    if decimals is not None:
        return _without_zero_sign(f"{value:.{max(0, min(decimals, _MOST_DIGITS))}f}")
    size = abs(value)
    if size == 0 or size >= 100:
        places = 0
    elif size >= 10:
        places = 1
    elif size >= 1:
        places = 2
    else:
        places = min(_MOST_DIGITS, 1 - math.floor(math.log10(size)))
    text = f"{value:.{places}f}"
    return _without_zero_sign(text.rstrip("0").rstrip(".") if "." in text else text)


def _without_zero_sign(text: str) -> str:
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def _scaled(base: int, prefixes: tuple[str, ...], suffix: str, *, small: bool = False) -> Writer:
    """Return a writer that divides by `base` until the number is handy."""

    def write(value: float, decimals: int | None) -> Shown:
        size, place = abs(value), 0
        while size >= base and place < len(prefixes) - 1:
            size, place = size / base, place + 1
        prefix = prefixes[place]
        scaled = math.copysign(size, value)
        if small and 0 < size < 1 and place == 0:
            down = 0
            while size < 1 and down < len(_SMALL) - 1:
                size, down = size * 1000, down + 1
            scaled, prefix = math.copysign(size, value), _SMALL[down]
        joined = f"{prefix}{suffix}"
        # A prefix alone stands at the number (12k), a unit apart from it (12 kB/s).
        return Shown(number(scaled, decimals), f" {joined}" if suffix else joined)

    return write


def _plain(suffix: str, factor: float = 1) -> Writer:
    return lambda value, decimals: Shown(number(value * factor, decimals), suffix)


def _seconds(value: float, decimals: int | None) -> Shown:
    size = abs(value)
    for seconds, suffix in _DURATIONS:
        if size >= seconds:
            return Shown(number(value / seconds, decimals), f" {suffix}")
    for factor, suffix in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if size * factor >= 1 or size == 0:
            return Shown(number(value * factor, decimals), f" {suffix}")
    return Shown(number(value * 1e9, decimals), " ns")


def _times(factor: float) -> Writer:
    return lambda value, decimals: _seconds(value * factor, decimals)


def _parts(value: float, decimals: int | None) -> Shown:
    """Write a duration in its two largest units: 3d 4h."""
    left = abs(value)
    if left < 60:
        return _seconds(value, decimals)
    found: list[str] = []
    for seconds, suffix in (*_DURATIONS, (1, "s")):
        count = int(left // seconds)
        left -= count * seconds
        if count:
            found.append(f"{count}{suffix}")
        elif found:
            break
        if len(found) == 2:
            break
    return Shown(("-" if value < 0 else "") + " ".join(found), "")


def _cores(value: float, decimals: int | None) -> Shown:
    if 0 < abs(value) < 0.1 and decimals is None:
        return Shown(number(value * 1000), " mcores")
    return Shown(number(value, decimals), " core" if value == 1 else " cores")


def _moment(value: float, _decimals: int | None) -> Shown:
    """Write milliseconds since 1970 as a time."""
    try:
        return Shown(f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S}", "")
    except (OverflowError, ValueError, OSError):
        return Shown(number(value), "")


def _truth(yes: str, no: str) -> Writer:
    return lambda value, _decimals: Shown(yes if value else no, "")


_UNITS: Mapping[str, Writer] = {
    "none": _plain(""),
    "short": _scaled(1000, _SI, ""),
    "sishort": _scaled(1000, _SI, "", small=True),
    "locale": lambda value, decimals: Shown(f"{value:,.{decimals or 0}f}", ""),
    "percent": _plain("%"),
    "percentunit": _plain("%", 100),
    "bytes": _scaled(1024, _BINARY, "B"),
    "decbytes": _scaled(1000, _SI, "B"),
    "bits": _scaled(1024, _BINARY, "b"),
    "decbits": _scaled(1000, _SI, "b"),
    "Bps": _scaled(1000, _SI, "B/s"),
    "binBps": _scaled(1024, _BINARY, "B/s"),
    "bps": _scaled(1000, _SI, "b/s"),
    "binbps": _scaled(1024, _BINARY, "b/s"),
    "cores": _cores,
    "ns": _times(1e-9),
    "µs": _times(1e-6),
    "ms": _times(1e-3),
    "s": _seconds,
    "m": _times(60),
    "h": _times(3600),
    "d": _times(86_400),
    "dtdurations": _parts,
    "dtdurationms": lambda value, decimals: _parts(value / 1000, decimals),
    "reqps": _scaled(1000, _SI, "req/s"),
    "rps": _scaled(1000, _SI, "rd/s"),
    "wps": _scaled(1000, _SI, "wr/s"),
    "ops": _scaled(1000, _SI, "ops/s"),
    "iops": _scaled(1000, _SI, "io/s"),
    "cps": _scaled(1000, _SI, "c/s"),
    "pps": _scaled(1000, _SI, "p/s"),
    "reqpm": _scaled(1000, _SI, "req/min"),
    "hertz": _scaled(1000, _SI, "Hz"),
    "celsius": _plain(" °C"),
    "dateTimeAsIso": _moment,
    "bool": _truth("True", "False"),
    "bool_yes_no": _truth("Yes", "No"),
    "bool_on_off": _truth("On", "Off"),
}
