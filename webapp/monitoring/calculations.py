"""How a series becomes one number, by Grafana's names.

https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/calculation-types/
"""

import math
from collections.abc import Callable, Mapping, Sequence

_CALCULATIONS: Mapping[str, tuple[str, Callable[[Sequence[float]], float]]] = {
    "lastNotNull": ("Last", lambda values: values[-1]),
    "last": ("Last", lambda values: values[-1]),
    "firstNotNull": ("First", lambda values: values[0]),
    "first": ("First", lambda values: values[0]),
    "min": ("Min", min),
    "max": ("Max", max),
    "mean": ("Mean", lambda values: math.fsum(values) / len(values)),
    "sum": ("Total", math.fsum),
    "count": ("Count", len),
    "range": ("Range", lambda values: max(values) - min(values)),
    "delta": ("Change", lambda values: values[-1] - values[0]),
    "diff": ("Change", lambda values: values[-1] - values[0]),
}


def title(calculation: str) -> str:
    """Return what a calculation is called in a legend."""
    return _CALCULATIONS.get(calculation, _CALCULATIONS["lastNotNull"])[0]


def calculate(calculation: str, values: Sequence[float | None]) -> float | None:
    """Return the number; None when there is no value. An unknown calculation is the last value."""
    there = [value for value in values if value is not None and math.isfinite(value)]
    if not there:
        return None
    return _CALCULATIONS.get(calculation, _CALCULATIONS["lastNotNull"])[1](there)
