"""Grafana's JSON of a dashboard, as far as the portal draws it. What is not named here is left to Grafana.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

COLUMNS = 24
PanelType: TypeAlias = Literal["timeseries", "stat", "gauge", "bargauge", "table"]


class Part(BaseModel):
    """Base of all parts: Grafana's names outside, more than we know is no error."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="ignore", frozen=True)


class GridPosition(Part):
    """Place on a grid of 24 columns; rows are about 38 pixels high."""

    x: int = Field(0, ge=0, lt=COLUMNS)
    y: int = Field(0, ge=0)
    w: int = Field(12, ge=1, le=COLUMNS)
    h: int = Field(8, ge=1, le=40)


class Target(Part):
    """One query of a panel."""

    expr: str = Field(min_length=1, max_length=10_000)
    ref_id: str = "A"
    legend_format: str = ""
    instant: bool = False
    format: str = "time_series"
    # Scrape interval of what is asked for, when it is longer than usual, like "30s".
    interval: str = Field("", pattern=r"^(\d+s)?$")
    hide: bool = False


class Step(Part):
    """From `value` on (None: from the beginning) the colour holds."""

    color: str
    value: float | None = None


class Thresholds(Part):
    """Colours by value: absolute, or as percentages between min and max."""

    mode: Literal["absolute", "percentage"] = "absolute"
    steps: tuple[Step, ...] = ()


class Link(Part):
    """A link of a dashboard, a panel or a value."""

    title: str = ""
    url: str = ""
    keep_time: bool = False
    include_vars: bool = False


class Choice(Part):
    """A setting of Grafana's that is an object around one word."""

    mode: str = ""


class Custom(Part):
    """How curves are drawn."""

    stacking: Choice = Choice()
    fill_opacity: float = 0
    line_width: float = 1
    thresholds_style: Choice = Choice()
    line_style: dict[str, Any] = {}


class FieldDefaults(Part):
    """How values are written."""

    unit: str = ""
    decimals: int | None = None
    min: float | None = None
    max: float | None = None
    thresholds: Thresholds = Thresholds()
    mappings: tuple[dict[str, Any], ...] = ()
    custom: Custom = Custom()
    links: tuple[Link, ...] = ()
    no_value: str = ""
    display_name: str = ""


class Matcher(Part):
    """Which fields an override is for."""

    id: str
    options: Any = None


class Property(Part):
    """One setting of an override."""

    id: str
    value: Any = None


class Override(Part):
    """Other settings for the fields that match."""

    matcher: Matcher
    properties: tuple[Property, ...] = ()


class FieldConfig(Part):
    """Settings of all fields, and those of some."""

    defaults: FieldDefaults = FieldDefaults()
    overrides: tuple[Override, ...] = ()


class Reduce(Part):
    """Which of a series' values is the one that is shown."""

    calcs: tuple[str, ...] = ("lastNotNull",)


class Legend(Part):
    """Whether there is a legend, and which values stand in it."""

    show_legend: bool = True
    display_mode: str = "list"
    calcs: tuple[str, ...] = ()


class Options(Part):
    """Settings of one type of panel."""

    reduce_options: Reduce = Reduce()
    legend: Legend = Legend()
    color_mode: str = "value"
    sort_by: tuple[dict[str, Any], ...] = ()


class Transformation(Part):
    """What is done to a table before it is shown."""

    id: str
    options: dict[str, Any] = {}


class Panel(Part):
    """A panel that the portal draws."""

    id: int = Field(ge=0)
    type: PanelType
    title: str = ""
    description: str = ""
    grid_pos: GridPosition = GridPosition()
    targets: tuple[Target, ...] = Field(min_length=1, max_length=20)
    field_config: FieldConfig = FieldConfig()
    options: Options = Options()
    transformations: tuple[Transformation, ...] = ()
    links: tuple[Link, ...] = ()
    interval: str = Field("", pattern=r"^(\d+s)?$")


class Row(Part):
    """A heading; a collapsed one holds its panels, below an open one they follow."""

    type: Literal["row"]
    title: str = ""
    collapsed: bool = False
    grid_pos: GridPosition = GridPosition(w=COLUMNS, h=1)
    panels: tuple[Panel, ...] = ()


class Variable(Part):
    """What a user chooses at the top of the dashboard."""

    type: Literal["datasource", "query", "custom", "constant"]
    name: str = Field(pattern=r"^[a-zA-Z]\w{0,63}$")
    label: str = ""
    query: str = ""
    multi: bool = False
    include_all: bool = False
    all_value: str = ""
    hide: int = 0
    current: dict[str, Any] = {}

    @field_validator("query", mode="before")
    @classmethod
    def only_the_text(cls, value: Any) -> Any:
        """Take the query out of the object that newer versions of Grafana wrap around it."""
        return value.get("query", "") if isinstance(value, dict) else value

    @field_validator("all_value", "label", mode="before")
    @classmethod
    def none_is_empty(cls, value: Any) -> Any:
        """Take null for an empty text."""
        return "" if value is None else value


class Annotation(Part):
    """Marks on all charts, where a query begins to give a value."""

    expr: str = ""
    enable: bool = True
    title_format: str = ""
    text_format: str = ""


class Annotations(Part):
    """All of them."""

    list: tuple[Annotation, ...] = ()


class Templating(Part):
    """The variables, in the order in which they depend on each other."""

    list: tuple[Variable, ...] = ()


class TimeRange(Part):
    """The time that is shown at first."""

    from_: str = Field("now-1h", alias="from")
    to: str = "now"


class DashboardFile(Part):
    """One file."""

    uid: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    title: str = Field(min_length=1)
    description: str = ""
    tags: tuple[str, ...] = ()
    templating: Templating = Templating()
    annotations: Annotations = Annotations()
    panels: tuple[Row | Panel, ...] = Field(min_length=1)
    links: tuple[Link, ...] = ()
    time: TimeRange = TimeRange()
