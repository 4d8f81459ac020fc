"""Kubernetes quantities ("500m", "1.5Gi") as exact numbers.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/. The official client
has a parser as well; importing it costs a third of a second in every playbook, so the few lines stand here.
"""

import re
from decimal import Decimal

_PATTERN = re.compile(r"^(\d+(?:\.\d+)?|\.\d+)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$", re.ASCII)
_FACTORS: dict[str | None, Decimal] = {
    None: Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTP", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTP", start=1)},
}


def parse_quantity(text: str) -> Decimal:
    """Return the quantity in its base unit (cores for CPU, bytes for memory and storage).

    Raises ValueError, with a text fit for a form, when `text` is no quantity.
    """
    match = _PATTERN.match(text)
    if match is None:
        raise ValueError(
            f"'{text}' is not a quantity: write a number with an optional unit, like 500m, 2 or 512Mi"
        )
    number, unit = match.groups()
    return Decimal(number) * _FACTORS[unit]


def format_bytes(count: Decimal | int) -> str:
    """Write a number of bytes as the largest binary unit that keeps it readable, like "1.5Gi"."""
    value = Decimal(count)
    for unit in ("", "Ki", "Mi", "Gi", "Ti"):
        if value < 1024 or unit == "Ti":
            return f"{value.quantize(Decimal('0.1')).normalize():f}{unit}"
        value /= 1024
    raise AssertionError("unreachable")


def format_cores(count: Decimal) -> str:
    """Write a number of cores as Kubernetes does: "300m" below one core, else "2" or "1500m"."""
    millis = int(count * 1000)
    return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"
