"""What a panel shows: curves, figures or a table, and what there is to say about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp.monitoring.fields import FieldStyle, Value
from webapp.monitoring.schema import Panel
from webapp.monitoring.times import Window


@dataclass(frozen=True)
class Curve:
    """One curve; `values` one for each moment of the window, None where there is none.

    `summary`: what stands in the legend, by the name of the calculation. `colour`: its place among the
    colours of curves; `repeated` when another curve has had that colour, because there are more curves.
    """

    name: str
    labels: Mapping[str, str]
    values: list[float | None]
    style: FieldStyle
    summary: Mapping[str, Value]
    link: str = ""
    colour: int = 0
    repeated: bool = False


@dataclass(frozen=True)
class Limit:
    """A threshold as a line through a chart."""

    value: float
    level: str


@dataclass(frozen=True)
class Figure:
    """One number; `share` is its place between min and max, from 0 to 1, None where it has none.

    `marks`: where on that scale another level begins, and which.
    """

    name: str
    labels: Mapping[str, str]
    value: Value
    share: float | None
    marks: tuple[tuple[float, str], ...] = ()
    link: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell: a label's text, or a value."""

    text: str
    value: Value | None = None
    link: str = ""


@dataclass(frozen=True)
class Table:
    """Rows with one cell for each column; `numeric` tells which columns hold numbers."""

    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Failure:
    """A query that could not be answered: the problem's type, and what it says."""

    ref: str
    slug: str
    detail: str


@dataclass(frozen=True)
class PanelData:
    """All of it. `empty`: what to say when there is nothing, and no failure either."""

    panel: Panel
    window: Window
    curves: tuple[Curve, ...] = ()
    limits: tuple[Limit, ...] = ()
    figures: tuple[Figure, ...] = ()
    table: Table | None = None
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = ""
    headings: tuple[str, ...] = field(default=())
