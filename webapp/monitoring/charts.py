"""What static/monitoring/chart.js gets of a panel: columns of numbers, and how to write them."""

from typing import Any

from webapp.monitoring.results import PanelData


def chart(data: PanelData) -> dict[str, Any] | None:
    """Return the numbers of a panel with curves; None for all others."""
    if data.panel.type != "timeseries" or not data.curves:
        return None
    defaults = data.panel.field_config.defaults
    return {
        "title": data.panel.title,
        "start": data.window.start,
        "end": data.window.end,
        "step": data.window.step,
        "unit": defaults.unit,
        "decimals": defaults.decimals,
        "min": defaults.min,
        "max": defaults.max,
        "stacked": defaults.custom.stacking.mode in ("normal", "percent"),
        "fill": defaults.custom.fill_opacity / 100,
        "limits": [{"value": limit.value, "level": limit.level} for limit in data.limits],
        "curves": [
            {
                "name": curve.name,
                "unit": curve.style.unit,
                "decimals": curve.style.defaults.decimals,
                "dashed": curve.style.dashed,
                "colour": curve.colour,
                "repeated": curve.repeated,
                "values": curve.values,
            }
            for curve in data.curves
        ],
    }
