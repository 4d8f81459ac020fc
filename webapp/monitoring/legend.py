"""What a series is called, as Grafana does it."""

import re
from collections.abc import Mapping

_LABEL = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}", re.ASCII)
# What tells Grafana to choose by itself.
_AUTO = ("", "__auto")


def series_name(legend: str, labels: Mapping[str, str], expression: str = "") -> str:
    """Return the name by the target's legend format, like "{{pod}} requests"; `labels`: those of the series.

    Without a format: the value of the only label, all labels as Prometheus writes them, or the expression.
    """
    if legend in _AUTO:
        own = {name: value for name, value in labels.items() if name != "__name__"}
        if len(own) == 1:
            return next(iter(own.values()))
        pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(own.items()))
        name = labels.get("__name__", "")
        return f"{name}{{{pairs}}}" if pairs else name or expression or "Value"
    return _LABEL.sub(lambda match: labels.get(match[1], ""), legend).strip() or "Value"
